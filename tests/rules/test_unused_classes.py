"""CKP1: a module class that no program of the project names is left alone, but for state that its methods change."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

LAYER = (
    TORCH
    + """
class Layer(nn.Module):
    def __init__(self):
        super(Layer, self).__init__()
        self.parts = [nn.Linear(3, 3) for _ in range(2)]MARK

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x
"""
)
STATE = (
    TORCH
    + """
class Layer(nn.Module):
    def __init__(self):
        super(Layer, self).__init__()
        self.total = torch.zeros(3)  # CKP101

    def forward(self, x):
        self.total = self.total + x.sum(0)
        return x / self.total
"""
)
IDLE = LAYER.replace("MARK", "")
BAD = LAYER.replace("MARK", "  # CKP105")
MAIN = """
import torch

if __name__ == "__main__":
    print(torch.ones(2))
"""


def program(line: str) -> str:
    """Return a script with one more line before its work."""
    return f"{line}\n{MAIN}"


SILENT: dict[str, Case] = {
    "nothing names it": {"layers.py": IDLE, "main.py": MAIN},
    "another file imports something else": {
        "layers.py": IDLE + "\ndef double(x):\n    return 2 * x\n",
        "main.py": program("from layers import double"),
    },
    "only classes that nothing names use it": {
        "layers.py": IDLE + "\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layer = Layer()\n",
        "main.py": MAIN,
    },
    "programs of another folder import their own files": {
        "nets/layers.py": IDLE,
        "nets/unet.py": "class Net:\n    pass\n",
        "scripts/main.py": program("from nets.unet import Net"),
    },
}
FOUND: dict[str, Case] = {
    "methods change its state": {"layers.py": STATE, "main.py": MAIN},
    "a library has no programs": BAD,
    "a program imports it": {"layers.py": BAD, "main.py": program("from layers import Layer")},
    "a function imports it": {
        "layers.py": BAD,
        "main.py": program(
            "def make():\n    from layers import (\n        Layer,  # the one\n    )\n    return Layer()"
        ),
    },
    "a program imports its file": {"layers.py": BAD, "main.py": program("import layers")},
    "a program imports its file by all its names": {
        "nets/layers.py": BAD,
        "main.py": program("import nets.layers"),
    },
    "a program imports all names": {"layers.py": BAD, "main.py": program("from layers import *")},
    "a package exports it": {
        "nets/layers.py": BAD,
        "nets/__init__.py": "from .layers import Layer\n",
        "main.py": MAIN,
    },
    "the program itself names it": {"main.py": BAD + "\nif __name__ == '__main__':\n    print(Layer())\n"},
    "a class that derives from it is imported": {
        "layers.py": BAD + "\nclass Wide(Layer):\n    pass\n",
        "main.py": program("from layers import Wide"),
    },
    "a registry takes it": {
        "layers.py": BAD.replace("class Layer", "@LAYERS.register\nclass Layer"),
        "main.py": program("from registry import LAYERS"),
        "registry.py": "LAYERS = {}\n",
        "nets.py": "import layers\n",
    },
    "files of settings name classes": {"layers.py": BAD, "main.py": program("import hydra")},
    "programs of another folder have nothing to do with it": {
        "nets/layers.py": BAD,
        "other/main.py": MAIN,
    },
    "only tests run": {"layers.py": BAD, "tests/test_it.py": MAIN},
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_state_of_classes_that_may_be_used(case: Case) -> None:
    check_findings(case)
