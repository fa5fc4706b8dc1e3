"""CKP101 to CKP105 where the same program is written in other words: names, imports, helpers, annotations."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent


def made_by(helper: str) -> dict[str, str]:
    """Return a program whose running mean is made by a helper in another file."""
    return {
        "makers.py": helper,
        "tracker.py": """
from makers import make
from torch import nn

class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = make(size)  # CKP101

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
""",
    }


SILENT: dict[str, Case] = {
    "another object has the attributes of a renamed self": TORCH
    + """
class Tracker(nn.Module):
    def __init__(this, size):
        super().__init__()
        this.register_buffer("mean", torch.zeros(size))

    def update(this, other, x):
        other.mean = torch.zeros(3)
        this.mean = 0.9 * this.mean + 0.1 * x
""",
    "a static method has no self": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size

    @staticmethod
    def reset(state):
        state.mean = torch.zeros(3)

    def update(self, state, x):
        state.mean = 0.9 * state.mean + 0.1 * x
""",
    "a method that has another self": TORCH
    + """
class Tracker(nn.Module):
    def __init__(this, size):
        super().__init__()
        this.mean = torch.zeros(size)
        this.others = [self for self in range(size)]

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
""",
    "a method that binds its first parameter again": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = 0.0

    def rebuilt(other):
        other = other.clone()
        other.mean = torch.zeros(3)
        return other

    def moved(other, x):
        other = other.clone()
        other.mean = other.mean + x
        return other
""",
    "a metaclass makes classes": TORCH
    + """
class Registry(type):
    def __init__(klass, name, bases, members):
        klass.mean = torch.zeros(3)

    def update(klass, x):
        klass.mean = 0.9 * klass.mean + 0.1 * x
""",
    "a function in the constructor gives back its argument": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()

        def doubled(size):
            return 2 * size

        self.mean = doubled(size)

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.item()
""",
    "a function that is called so now is another": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size, given):
        super().__init__()
        make = lambda count: torch.zeros(count)
        make = given
        self.mean = make(size)

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
""",
    "a helper gives a number": {
        "makers.py": "from torch import Generator\ndef make(size):\n    return float(size)\n",
        "tracker.py": """
from makers import make
from torch import nn

class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = make(size)

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.item()
""",
    },
}

FOUND: dict[str, Case] = {
    "torch comes with a star": {
        "layer.py": "import torch\nfrom torch import nn\n",
        "base.py": "from layer import *\n",
        "tracker.py": """
from base import *

class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)  # CKP101

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
""",
    },
    "a class in a function, in a branch of its own": TORCH
    + """
def tracker():
    try:
        class Tracker(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.mean = torch.zeros(size)  # CKP101

            def update(self, x):
                self.mean = 0.9 * self.mean + 0.1 * x
    except TypeError:
        raise
    return Tracker
""",
    "a base that is chosen by an import": """
import torch

try:
    from fast_layers import Module as Base
except ImportError:
    Base = torch.nn.Module

class Tracker(Base):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)  # CKP101

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
""",
    "a lambda makes it": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        make = lambda count, *others, **more: torch.zeros(count)
        self.mean = make(size)  # CKP101

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
""",
    "a function in the constructor makes it": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()

        def checked(value, *, kind=None):
            value = torch.as_tensor(value)
            return value, value.ndim

        self.mean, self.dims = checked(value=[size, size], kind="mean")  # CKP101

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
""",
    "self has another name": TORCH
    + """
class Tracker(nn.Module):
    def __init__(this, size: int) -> None:
        super().__init__()
        this.mean = torch.zeros(size); this.name = "ü"  # CKP101

    def update(this, x):
        this.mean = 0.9 * this.mean + 0.1 * x
""",
    "self has another name where it is updated": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)  # CKP101

    async def update(s, x):
        s.mean.mul_(0.9).add_(x)
""",
    "self is renamed where a list of modules is called": TORCH
    + """
class Stack(nn.Module):
    def __init__(me, sizes):
        super().__init__()
        me.layers = [nn.Linear(size, size) for size in sizes]  # CKP105

    def forward(me, x):
        for layer in me.layers:
            x = layer(x)
        return x
""",
    "helper that promises anything": made_by(
        "from typing import Any\nimport torch\ndef make(n) -> Any:\n    return torch.zeros(n)\n"
    ),
    "helper that promises an object": made_by(
        "import torch\ndef make(n) -> object:\n    return torch.zeros(n)\n"
    ),
    "helper that imports torch under another name": made_by(
        "import torch as th\ndef make(n):\n    return th.zeros(n)\n"
    ),
    "helper that imports the function": made_by(
        "from torch import zeros\ndef make(n):\n    return zeros(n)\n"
    ),
    "helper that imports the function under another name": made_by(
        "from torch import zeros as nought\ndef make(n):\n    return nought(n)\n"
    ),
    "helper that hands on what another file makes": {
        **made_by("from deeper import blank\ndef make(n):\n    return blank(n)\n"),
        "deeper.py": "import torch\ndef blank(n):\n    return torch.zeros(n)\n",
    },
    "helper that may give its own argument": {
        "makers.py": """
import math

def either(given, other):
    if given is None:
        return other
    return given
""",
        "tracker.py": """
import torch
from makers import either
from torch import nn

class Tracker(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = either(torch.zeros(size), torch.ones(size))  # CKP101

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
""",
    },
    "a tensor that a helper draws and its annotation does not say so": {
        "makers.py": "import torch\ndef draw(n) -> torch.Tensor:\n    return torch.randperm(n)\n",
        "shuffle.py": """
from makers import draw
from torch import nn

class Shuffle(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.order = draw(size)  # CKP101

    def forward(self, x):
        return x[:, self.order]
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_is_lost(case: Case) -> None:
    check_findings(case)
