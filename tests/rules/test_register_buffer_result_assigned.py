"""CKP111: the result of register_buffer is assigned."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "the call stands alone": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, x):
        return x - self.mean
""",
    "a local takes the result": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        nothing = self.register_buffer("mean", torch.zeros(size))
        assert nothing is None

    def forward(self, x):
        return x - self.mean
""",
    "nn Buffer is assigned": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(size))

    def forward(self, x):
        return x - self.mean
""",
    "the class is no module": """
class Recorder:
    def register_buffer(self, name, size):
        return [name] * size

    def start(self):
        self.frames = self.register_buffer("frames", 3)
""",
    "the method of the project returns the buffer": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = self.add_buffer("mean", torch.zeros(size))

    def add_buffer(self, name, tensor):
        self.register_buffer(name, tensor)
        return getattr(self, name)

    def forward(self, x):
        return x - self.mean
""",
}

FOUND: dict[str, Case] = {
    "register_buffer": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = self.register_buffer("mean", torch.zeros(size))  # CKP111

    def forward(self, x):
        return x - self.mean
""",
    "name given by keyword": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = self.register_buffer(name="mean", tensor=torch.zeros(size))  # CKP111

    def forward(self, x):
        return x - self.mean
""",
    "register_parameter": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = self.register_parameter("scale", nn.Parameter(torch.ones(size)))  # CKP111

    def forward(self, x):
        return x * self.scale
""",
    "in a method that the constructor calls": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self._build(size)

    def _build(self, size):
        self.mean = self.register_buffer("mean", torch.zeros(size), persistent=False)  # CKP111

    def forward(self, x):
        return x - self.mean
""",
    "module through a base class in another file": {
        "base.py": "from torch.nn import Module as Base\n\nclass Layer(Base):\n    pass\n",
        "model.py": """
import torch
import base

class Whitening(base.Layer):
    def __init__(self, size):
        super().__init__()
        self.mean = self.register_buffer("mean", torch.zeros(size))  # CKP111

    def forward(self, x):
        return x - self.mean
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_emptied_buffers(case: Case) -> None:
    check_findings(case)
