"""CKP101 to CKP103 for names that one branch of construction registers and another one sets as plain tensors."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

STEPS = 20
LADDER = "".join(
    f"        if kind == {index}:\n            self.scale = torch.ones(size) * {index}\n"
    for index in range(STEPS)
)

SILENT: dict[str, Case] = {
    "the buffer is registered before the branch": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size, values=None):
        super().__init__()
        self.register_buffer("scale", torch.ones(size))
        if values is not None:
            self.scale = torch.stack([torch.tensor(values)])

    def forward(self, x):
        return x * self.scale
""",
    "the buffer is registered in one of two branches before": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size, is_wide):
        super().__init__()
        if is_wide:
            self.register_buffer("scale", torch.ones(size, 2))
        else:
            self.register_buffer("scale", torch.ones(size))
        self.scale = torch.full((size,), 2.0)

    def forward(self, x):
        return x * self.scale
""",
    "the other branch registers in a loop": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size):
        super().__init__()
        for index in range(2):
            if index == 0:
                self.register_buffer("scale", torch.ones(size))
            else:
                self.scale = torch.full((size,), 2.0)

    def forward(self, x):
        return x * self.scale
""",
    "an earlier call has registered it": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rescale(size)

    def rescale(self, size):
        if hasattr(self, "scale"):
            self.scale = torch.full((size,), 2.0)
        else:
            self.register_buffer("scale", torch.ones(size))

    def forward(self, x):
        return x * self.scale
""",
    "a flag says that an earlier call has registered it": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.is_built = False
        self.rescale(size)

    def rescale(self, size):
        if self.is_built:
            self.scale = torch.full((size,), 2.0)
        else:
            self.register_buffer("scale", torch.ones(size))
            self.is_built = True

    def forward(self, x):
        return x * self.scale
""",
    "another method registers it first": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size, kind):
        super().__init__()
        self.prepare(size)
        if kind == "wide":
            self.scale = torch.full((size,), 2.0)

    def prepare(self, size):
        self.register_buffer("scale", torch.ones(size))

    def forward(self, x):
        return x * self.scale
""",
    "the other branch sets a number": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size, is_learned):
        super().__init__()
        if is_learned:
            self.scale = nn.Parameter(torch.ones(size))
        else:
            self.scale = 1.0

    def forward(self, x):
        return x * self.scale
""",
    "the name is registered under a pattern": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size, kinds):
        super().__init__()
        for kind in kinds:
            self.register_buffer(f"scale_{kind}", torch.ones(size))
        self.scale_wide = torch.full((size,), 2.0)

    def forward(self, x):
        return x * self.scale_wide
""",
    "a property stands in front of it": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size, is_learned):
        super().__init__()
        if is_learned:
            self.register_buffer("scale", torch.ones(size))
        else:
            self.scale = torch.ones(size)

    @property
    def scale(self):
        return self._buffers["held"]

    @scale.setter
    def scale(self, value):
        self.register_buffer("held", value)
""",
    "more writes than are followed may come before": TORCH
    + f"""
class Scaled(nn.Module):
    def __init__(self, size, kind):
        super().__init__()
{LADDER}        if kind:
            self.register_buffer("scale", torch.ones(size))
        else:
            self.scale = torch.ones(size)

    def forward(self, x):
        return x * self.scale
""",
}

FOUND: dict[str, Case] = {
    "running statistics in one of the branches": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size, kind):
        super().__init__()
        if kind == "mean":
            self.register_buffer("low", torch.zeros(size))
        elif kind == "quantile":
            self.low = torch.zeros(size)  # CKP101

    def update(self, x):
        self.low = 0.9 * self.low + 0.1 * x
""",
    "derived from a weight in one branch": TORCH
    + """
class Bounded(nn.Module):
    def __init__(self, points):
        super().__init__()
        self.points = nn.Parameter(points)
        self.rebuild(points.shape[-1])

    def rebuild(self, size):
        if size > 2:
            self.register_buffer("bounds", self.points.detach().sort(0).values)
        else:
            self.bounds = torch.stack([self.points.detach().amin(0)])  # CKP101

    def forward(self, x):
        return x - self.bounds
""",
    "trained in both branches": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, size, is_wide):
        super().__init__()
        if is_wide:
            self.scale = torch.ones(size, 2).requires_grad_()  # CKP103
        else:
            self.scale = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.scale
""",
    "the other branch declares it as None": TORCH
    + """
class Shifted(nn.Module):
    def __init__(self, size, has_bias):
        super().__init__()
        if not has_bias:
            self.register_parameter("bias", None)
            return
        self.bias = torch.zeros(size, requires_grad=True)  # CKP103

    def forward(self, x):
        return x if self.bias is None else x + self.bias
""",
    "None before the branch": TORCH
    + """
class Embedded(nn.Module):
    def __init__(self, size, is_wide):
        super().__init__()
        self.position = None
        if is_wide:
            self.position = torch.zeros(size, 2, requires_grad=True)  # CKP103
        elif size:
            self.position = nn.Parameter(torch.zeros(size))

    def forward(self, x):
        return x + self.position
""",
    "a module in the other branch": TORCH
    + """
class Balanced(nn.Module):
    def __init__(self, size, channels):
        super().__init__()
        if channels:
            self.balance = nn.Linear(channels, size)
        else:
            self.balance = torch.zeros(size, requires_grad=True)  # CKP103

    def forward(self, x):
        return x * self.balance
""",
    "a constant beside a learned one": TORCH
    + """
class Pooled(nn.Module):
    def __init__(self, power, is_learned):
        super().__init__()
        if is_learned:
            self.power = nn.Parameter(torch.tensor([power]))
        else:
            self.power = torch.tensor([power])  # CKP102

    def forward(self, x):
        return torch.exp(self.power * x)


pooled = Pooled(2.0, False).cuda()
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_the_plain_branch(case: Case) -> None:
    check_findings(case)
