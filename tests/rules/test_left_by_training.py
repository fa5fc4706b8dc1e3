"""CKP101, 107, 108 and 109 for what only training sets and evaluation reads."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "both modes set it before it is read": TORCH
    + """
class Standardized(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)

    def forward(self, x):
        if self.training:
            self.mean = x.mean(0)
        else:
            self.mean = x.median(0).values
        return x - self.mean
""",
    "only training reads it": TORCH
    + """
class Standardized(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.noise = torch.zeros(size)

    def forward(self, x):
        if self.training:
            self.noise = torch.rand_like(x)
            return x + self.noise
        return x
""",
    "a method that no step runs reads it": TORCH
    + """
class Penalized(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.penalty = torch.zeros(size)

    def forward(self, x):
        if self.training:
            self.penalty = x.square().mean()
        return x

    def total(self):
        return self.penalty.sum()
""",
    "the buffers are there from the start": TORCH
    + """
class Standardized(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, x):
        if self.training:
            self.mean = x.mean(0)
        return x - self.mean
""",
    "a method that evaluation calls as well sets it": TORCH
    + """
class Standardized(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)

    def measure(self, x):
        self.mean = x.mean(0)

    def forward(self, x):
        if self.training:
            self.measure(x)
        else:
            self.measure(x.detach())
        return x - self.mean
""",
}

FOUND: dict[str, Case] = {
    "buffers that are declared as None": TORCH
    + """
class Standardized(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", None)
        self.register_buffer("std", None)

    def forward(self, x):
        if self.training:
            self.mean = x.mean(0, keepdim=True)  # CKP108
            self.std = x.std(0, keepdim=True)
        return (x - self.mean) / self.std
""",
    "an early return for evaluation": TORCH
    + """
class Standardized(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)  # CKP101

    def forward(self, x):
        if not self.training:
            return x - self.mean
        self.mean = x.mean(0)
        return x - self.mean
""",
    "a buffer that is not saved": TORCH
    + """
class Observed(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("scale", torch.ones(size), persistent=False)  # CKP107

    def forward(self, x):
        if self.training:
            self.scale = x.abs().amax(0)
        return x / self.scale
""",
    "None at first": TORCH
    + """
class Observed(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = None  # CKP109

    def forward(self, x):
        if self.training:
            self.scale = x.abs().amax(0)
        return x / self.scale
""",
    "a method that only training calls": TORCH
    + """
class Observed(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = torch.ones(size)  # CKP101

    def observe(self, x):
        self.scale = x.abs().amax(0)

    def forward(self, x):
        if self.training:
            self.observe(x)
        return x / self.scale
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_evaluation_reads(case: Case) -> None:
    check_findings(case)
