"""CKP112: the plain tensors that no other rule reports."""

from __future__ import annotations

import pytest

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent
from tests.rule_cases import lint

SILENT: dict[str, Case] = {
    "a buffer that is not persistent": TORCH
    + """
class Value(nn.Module):
    def __init__(self, bins):
        super().__init__()
        self.register_buffer("support", torch.linspace(-1.0, 1.0, bins), persistent=False)

    def forward(self, logits):
        return (logits.softmax(-1) * self.support.to(logits.dtype)).sum(-1)
""",
    "moved once in the constructor and then registered": TORCH
    + """
class Value(nn.Module):
    def __init__(self, bins, device):
        super().__init__()
        support = torch.linspace(-1.0, 1.0, bins).to(device)
        self.register_buffer("support", support)

    def forward(self, logits):
        return (logits.softmax(-1) * self.support).sum(-1)
""",
    "the class is no module": """
import torch

class Value:
    def __init__(self, bins):
        self.support = torch.linspace(-1.0, 1.0, bins)

    def mean(self, logits):
        return (logits.softmax(-1) * self.support.to(logits.device)).sum(-1)
""",
    "a parameter": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.scale.to(x.dtype)
""",
    "a number": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, weights: torch.Tensor):
        super().__init__()
        self.scale = weights.abs().max().item()

    def forward(self, x):
        return x * torch.tensor(self.scale).to(x.device)
""",
    "a test": {
        "tests/conftest.py": TORCH
        + """
class Value(nn.Module):
    def __init__(self, bins):
        super().__init__()
        self.support = torch.linspace(-1.0, 1.0, bins)

    def forward(self, logits):
        return (logits.softmax(-1) * self.support.to(logits.dtype)).sum(-1)
""",
    },
}

FOUND: dict[str, Case] = {
    "to the device of the input": TORCH
    + """
class Value(nn.Module):
    def __init__(self, bins):
        super().__init__()
        self.support = torch.linspace(-1.0, 1.0, bins)  # CKP112

    def forward(self, logits):
        return (logits.softmax(-1) * self.support.to(logits.device)).sum(-1)
""",
    "type_as": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)  # CKP112

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel.type_as(x))
""",
    "moved in each of two methods": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)  # CKP112

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel.to(x))

    def backward(self, x):
        kernel = self.kernel.to(device=x.device, dtype=x.dtype)
        return nn.functional.conv_transpose1d(x, kernel)
""",
    "list of weights that a loss moves": TORCH
    + """
class Loss(nn.Module):
    def __init__(self, weights: list[float]):
        super().__init__()
        self.weights = torch.tensor(weights)  # CKP112

    def forward(self, x):
        weights = self.weights.to(x.device)
        return (x * weights).sum()
""",
    "moved once and then read": TORCH
    + """
class Loss(nn.Module):
    def __init__(self, weights: list[float]):
        super().__init__()
        self.weights = torch.tensor(weights)  # CKP112

    def forward(self, x):
        self.weights = self.weights.to(x.device)
        return (x * self.weights).sum()
""",
    "a tensor that a caller may leave out": TORCH
    + """
from typing import Optional

class Loss(nn.Module):
    def __init__(self, weight: Optional[torch.Tensor] = None):
        super().__init__()
        self.weight = weight  # CKP112

    def forward(self, x):
        return x if self.weight is None else x * self.weight
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case, enable=["CKP112"])


@cases(FOUND)
def test_reports_when_enabled(case: Case) -> None:
    check_findings(case, enable=["CKP112"])


def test_stays_silent_unless_enabled() -> None:
    assert lint(FOUND["to the device of the input"]) == []


FOUND_BY_OTHERS: dict[str, str] = {
    "running state": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)  # CKP101

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, batch):
        return batch - self.mean
""",
    "a constant": TORCH
    + """
class Value(nn.Module):
    def __init__(self, bins):
        super().__init__()
        self.support = torch.linspace(-1.0, 1.0, bins)  # CKP102

    def forward(self, logits):
        return (logits.softmax(-1) * self.support).sum(-1)
""",
    "a trainable tensor": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = torch.ones(size, requires_grad=True)  # CKP103

    def forward(self, x):
        return x * self.scale
""",
}


@cases(FOUND_BY_OTHERS)
def test_leaves_it_to_the_other_rule(case: Case) -> None:
    check_findings(case, enable=["CKP112"])


REASONS = [
    ("moved by hand at every use", "torch.ones(3)", "x * self.k[None].to(x)"),
    ("put on a device by hand", "torch.ones(3, device=device)", "x * self.k"),
    ("without dimensions", "torch.tensor(1.0)", "x * self.k"),
    ("left so by a comment", "torch.ones(3)  # no buffer", "x * self.k"),
    ("used with no input", "torch.ones(3)", "self.k.sum()"),
    ("read for its shape or in conditions only", "torch.ones(3)", "x[: self.k.numel()]"),
]


@pytest.mark.parametrize(("reason", "made", "result"), REASONS)
def test_says_what_makes_it_harmless(reason: str, made: str, result: str) -> None:
    source = f"""
class Net(nn.Module):
    def __init__(self, device):
        super().__init__()
        self.k = {made}

    def forward(self, x):
        return {result}
"""
    (finding,) = lint(TORCH + source, enable=["CKP112"])
    assert (finding.code, reason in finding.message) == ("CKP112", True)


def test_says_that_nobody_moves_it() -> None:
    files = {
        "blur.py": FOUND_BY_OTHERS["a constant"].replace("  # CKP102", ""),
        "a.py": "import blur\nfor x in y:\n    f()\n",
    }
    (finding,) = lint(files, enable=["CKP112"])
    assert (finding.code, "its programs do not move" in finding.message) == ("CKP112", True)
