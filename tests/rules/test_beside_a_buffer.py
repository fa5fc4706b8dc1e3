"""CKP101 for tensors that a method leaves beside a buffer which it registers or fills."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent


def front(method: str, *, name: str = "prepare", read: str = "self.scaled") -> str:
    """Return a program with a module that prepares itself once and then looks at what it has prepared."""
    return f"""{TORCH}
class Front(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("width", width)
        self.register_buffer("low", torch.zeros_like(width))

    def {name}(self, points):
        {method}

    def volume(self):
        return (self.width - {read}).prod(-1)
"""


SILENT: dict[str, Case] = {
    "a forward pass sets it": front(
        "self.scaled = points / 2\n        self.low = self.scaled", name="forward"
    ),
    "the buffer comes from something else": front("self.scaled = points / 2\n        self.low = points + 1"),
    "the buffer is not kept either": front(
        'self.scaled = -points\n        self.register_buffer("low2", self.scaled, persistent=False)'
    ),
    "nothing else reads it": front("self.scaled = -points\n        self.low = self.scaled", read="self.low"),
    "others look at its shape": front(
        "self.scaled = -points\n        self.low = self.scaled", read="len(self.scaled)"
    ),
    "who reads it prepares it first": front(
        "self.scaled = -points\n        self.low = self.scaled", read="self.prepare(self.width) - self.scaled"
    ),
    "a name of one call": front(
        "self.last_mask = -points\n        self.low = self.last_mask", read="self.last_mask"
    ),
    "another method sets it too": front(
        "self.scaled = -points\n        self.low = self.scaled\n\n"
        "    def rescale(self, points):\n        self.scaled = points"
    ),
    "its own state dict carries it": front(
        "self.scaled = -points\n        self.low = self.scaled\n\n"
        "    def get_extra_state(self):\n        return {'scaled': self.scaled}\n\n"
        "    def set_extra_state(self, state):\n        self.scaled = state['scaled']"
    ),
    "who reads it needs no buffer": TORCH
    + """
class Front(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("low", torch.zeros_like(width))

    def prepare(self, points):
        self.scaled = -points
        self.low = self.scaled.amin(0)

    def show(self):
        return str(self.scaled)
""",
    "a base class that is not known may register it": """
import torch
from elsewhere import Base
from torch import nn

class Front(Base, nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("low", torch.zeros_like(width))

    def prepare(self, points):
        self.scaled = -points
        self.low = self.scaled.amin(0)

    def volume(self):
        return self.low - self.scaled
""",
}

MARKED = "self.scaled = -points  # CKP101\n        "
FOUND: dict[str, Case] = {
    "the buffer is filled from it": front(MARKED + "self.low = self.scaled.amin(0)"),
    "the buffer is registered": front(MARKED + 'self.register_buffer("best", self.scaled.amin(0))'),
    "both are sure tensors": front(
        "self.scaled = torch.exp(points)  # CKP101\n        self.low = points.amin(0)"
    ),
    "update sets it": front(MARKED + "self.low = self.scaled.amin(0)", name="update"),
    "a buffer that is assigned": TORCH
    + """
class Front(nn.Module):
    def __init__(self, width, points=None):
        super().__init__()
        self.low = nn.Buffer(torch.zeros_like(width))
        self.scaled = None
        if points is not None:
            self.update(points)

    def update(self, points):
        self.scaled = -points  # CKP101
        self.low = self.scaled.amin(0)

    def volume(self):
        return self.low - self.scaled
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_stays_behind(case: Case) -> None:
    check_findings(case)
