"""CKP101 and CKP107 for tensors that methods change where they are, under whatever name."""

from __future__ import annotations

import pytest

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent


def tracker(change: str, *, before: str = "", marker: str = "  # CKP101") -> str:
    """Return a program with a module whose update() changes its mean in some way."""
    return f"""{TORCH}{before}
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size){marker}

    def update(self, x):
        {change}

    def forward(self, x):
        return x - self.mean
"""


AVERAGE = "\ndef average(old, new):\n    old.data.mul_(0.9).add_(new)\n"

SILENT: dict[str, Case] = {
    "a copy is changed": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)

    def forward(self, x):
        mean = self.mean.clone()
        mean.mul_(0.9)
        mean[0] = 1.0
        return x - mean
""",
    "the function changes its other parameter": TORCH
    + """
def average(old, new):
    new.mul_(0.9).add_(old)

class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)

    def forward(self, x):
        average(self.mean, x)
        return x
""",
    "a function of the project that is called as a method of something else": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size, logger):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)
        self.logger = logger

    def average(self, old):
        old.mul_(0.9)

    def forward(self, x):
        self.logger.average(self.mean)
        return x - self.mean
""",
    "a view is begun anew by each call": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("sums", torch.zeros(size), persistent=False)

    def forward(self, x):
        sums = self.sums.view(-1)
        sums.zero_()
        return x + self.sums
""",
    "batch statistics that are not kept": TORCH
    + """
class Normed(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("weight", torch.ones(size), persistent=False)

    def forward(self, x):
        return nn.functional.batch_norm(x, None, None, self.weight)
""",
    "outputs that are written over": TORCH
    + """
class Sums(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("sums", torch.zeros(size), persistent=False)

    def forward(self, x):
        torch.add(x, 1.0, out=self.sums)
        return self.sums
""",
}

CHANGES = {
    "through a local": "mean = self.mean\n        mean.mul_(0.9).add_(x)",
    "through an item of a local": "mean = self.mean\n        mean[0] = 0.9 * mean[0] + x",
    "through its data": "self.mean.data = 0.9 * self.mean.data + x",
    "through an item of its data": "self.mean.data[0] = self.mean[0] + x",
    "through a view": "self.mean.view(-1).mul_(0.9).add_(x)",
    "through a view that shares its memory": "self.mean.detach().squeeze(0).mul_(0.9)",
    "at an index": "self.mean[0][1].mul_(0.9)",
    "as the output of a function": "torch.add(self.mean, x, out=self.mean)",
    "in a condition that binds it": "(mean := self.mean).mul_(0.9)",
    "in a function within the method": "def step(y):\n            self.mean = 0.9 * self.mean + y\n        step(x)",
    "as one of some": "for each in (self.mean, x):\n            each.mul_(0.9)",
    "beside others": "for each, new in zip([self.mean], [x]):\n            each.copy_(0.9 * each + new)",
    "as running statistics": "nn.functional.batch_norm(x, self.mean, x, training=True)",
    "as named running statistics": "nn.functional.batch_norm(x, running_mean=self.mean, running_var=x)",
}

FOUND: dict[str, Case] = {
    **{key: tracker(change) for key, change in CHANGES.items()},
    "by a function": tracker("average(self.mean, x)", before=AVERAGE),
    "by a function with names": tracker("average(new=x, old=self.mean)", before=AVERAGE),
    "by a function of another file": {
        "averages.py": "import torch\n" + AVERAGE,
        "tracker.py": tracker("average(self.mean, x)", before="from averages import average\n"),
    },
    "by a method that is handed it": tracker(
        "self._average(self.mean, x)\n\n    def _average(self, old, new):\n        old.mul_(0.9).add_(new)"
    ),
    "by a static method": tracker(
        "self._mix(self.mean, x)\n\n    @staticmethod\n    def _mix(old, new):\n        old[:] = 0.9 * old + new"
    ),
    "a buffer that is not saved, and set from a local": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)  # CKP107
        self.low = nn.Buffer(torch.zeros(size), persistent=False)  # CKP107

    def update(self, x):
        mean = 0.9 * self.mean + 0.1 * x
        self.mean, self.low = mean, torch.minimum(self.low, x)

    def forward(self, x):
        return x - self.mean - self.low
""",
    "carried on once the first call has filled it": TORCH
    + """
class Centers(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("centers", torch.zeros(size), persistent=False)  # CKP107
        self.is_empty = True  # CKP110

    def forward(self, x):
        if not self.is_empty:
            self.centers = 0.9 * self.centers + 0.1 * x.mean(0)
        else:
            self.centers = x.mean(0)
            self.is_empty = False
        return x - self.centers
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_is_changed(case: Case) -> None:
    check_findings(case)


@pytest.mark.parametrize("method", ["view", "t", "select", "data"])
def test_copies_of_a_part_are_not_the_tensor(method: str) -> None:
    check_silent(
        f"""{TORCH}
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)

    def forward(self, x):
        x.{method}(self.mean).mul_(0.9)
        return x - self.mean
"""
    )
