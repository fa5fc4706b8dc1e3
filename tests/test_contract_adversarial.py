"""Programs made to be hard end in silence: recursion, cycles, a thousand saves, values that grow without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_ckpt.engine import check
from flake8_ckpt.options import Options
from tests.front_end import write

TORCH = "import torch\n\n\n"
MANY_SAVES = TORCH + "def save(model, optimizer):\n" + "".join(
    f"    torch.save({{'model': model.state_dict(), 'key_{number}': optimizer.state_dict()}}, 'file_{number}.pt')\n"
    for number in range(1000)
)  # fmt: skip
MANY_READS = TORCH + "def load(model):\n    state = torch.load('file_1.pt')\n" + "".join(
    f"    model.load_state_dict(state['other_{number}'])\n" for number in range(1000)
)  # fmt: skip
MANY_FUNCTIONS = TORCH + "".join(
    f"def save_{number}(model, path):\n    torch.save({{'model': model.state_dict(), 'key_{number}': 1}}, path)\n\n\n"
    f"def load_{number}(model, path):\n    state = torch.load(path)\n    model.load_state_dict(state['model'])\n"
    f"    return state['key_{number}']\n\n\n"
    for number in range(500)
)  # fmt: skip
RECURSIVE = (
    TORCH
    + """
def build(state, depth):
    if depth:
        return build({**state, "inner": state}, depth - 1)
    return other(state, depth)


def other(state, depth):
    return build(state, depth)


def save(model, path):
    torch.save(build({"model": model.state_dict()}, 5), path)


def load(model, path):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    model.optimizer.load_state_dict(state["optimizer"])
    return load(model, state)
"""
)
SEVEN_CALLS = TORCH + "".join(
    f"def step_{number}(state, path):\n    step_{number + 1}({{**state, 'key_{number}': {number}}}, path)\n\n\n"
    for number in range(7)
) + """
def step_7(state, path):
    torch.save(state, path)


def save(model, path):
    step_0({"model": model.state_dict()}, path)


def load(model, path):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    return state["key_9"]
"""  # fmt: skip
COMPUTED_KEYS = (
    TORCH
    + """
def save(model, optimizers, path):
    state = {"model": model.state_dict()}
    for index, optimizer in enumerate(optimizers):
        state[f"optimizer_{index}"] = optimizer.state_dict()
    torch.save(state, path)


def load(model, optimizers, path):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    optimizers[0].load_state_dict(state["optimizer_0"])
"""
)
GROWING = TORCH + "def save(x, path):\n" + "    x = f(x, x)\n" * 100 + "    torch.save({'x': x}, path)\n"
CLASS_CYCLE = (
    TORCH
    + """
class Saver(Loader):
    def save(self, path):
        torch.save(self.state(), path)

    def state(self):
        return super().state()


class Loader(Saver):
    def load(self, path):
        state = torch.load(path)
        self.step = state["step"]
"""
)
PROGRAMS = {
    "a thousand saves in one function": {"many.py": MANY_SAVES + "\n\n" + MANY_READS},
    "a thousand functions": {"many.py": MANY_FUNCTIONS},
    "helpers that call themselves": {"recursive.py": RECURSIVE},
    "a payload built through seven calls": {"calls.py": SEVEN_CALLS},
    "computed keys": {"keys.py": COMPUTED_KEYS},
    "a value that doubles a hundred times": {"growing.py": GROWING},
    "classes that derive from each other": {"cycle.py": CLASS_CYCLE},
    "star imports in a circle": {
        "one.py": "from two import *\n" + TORCH + "def save(m, p):\n    torch.save(payload(m), p)\n",
        "two.py": "from one import *\n\n\ndef load(m, p):\n    return torch.load(p)['x']\n",
    },
}


@pytest.mark.parametrize("files", PROGRAMS.values(), ids=[name.replace(" ", "-") for name in PROGRAMS])
def test_hard_program_ends_in_silence(files: dict[str, str], tmp_path: Path) -> None:
    assert check(write(tmp_path, files), Options(no_cache=True)) == []
