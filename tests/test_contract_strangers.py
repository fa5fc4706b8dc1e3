"""What does not belong together is not joined: other files, other formats, other classes, and code of tests."""

from __future__ import annotations

import pytest

from tests.contract_cases import answers
from tests.contract_cases import contract_findings
from tests.contract_cases import hooked
from tests.contract_cases import joined
from tests.contract_cases import missing
from tests.rule_cases import Case

HEAD = "import torch\n"
AGENT = """import torch


class Agent:
    def update(self, x):
        self.mean = 0.9 * self.mean + x
        self.steps += 1

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "steps": self.steps}, path)
"""
LOAD = """
    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.steps = state["steps"]
"""
SAVE_KEYS = '    torch.save({"net": model.state_dict(), "optimizer": optimizer.state_dict()}, path)\n'
LOAD_KEYS = """    state = torch.load(path)
    model.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
"""
HOOKS = """
class Gate:
    def step(self):
        self.calls += 1

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state):
        self.calls = state["calls"]
"""


def writer(body: str = SAVE_KEYS) -> str:
    """Return a function that writes a file of two keys."""
    return f"{HEAD}\n\ndef write(model, optimizer, path):\n{body}"


def reader(body: str = LOAD_KEYS) -> str:
    """Return a function that reads a file of two keys."""
    return f"{HEAD}\n\ndef start(model, optimizer, path):\n{body}"


STRANGERS: dict[str, Case] = {
    "the file of a load is given by keyword": writer(SAVE_KEYS.replace("path", '"agent.pt"'))
    + reader('    state = torch.load(f="agent.pt")\n    model.load_state_dict(state["weights"])\n'),
    "files that neither is nor imports the other": {"a.py": writer(), "b.py": reader()},
    "a third file imports both": {
        "a.py": writer(),
        "b.py": reader(),
        "c.py": "from a import write\nfrom b import start\n",
    },
    "one of the files is a test": {"a.py": writer(), "test_b.py": f"from a import write\n{reader()}"},
    "a folder of tests": {"a.py": writer(), "tests/b.py": f"from a import write\n{reader()}"},
    "the class of a test": {
        "a.py": AGENT,
        "tests/b.py": f"from a import Agent\n{HEAD}\n\nclass Small(Agent):{LOAD}",
    },
}


@pytest.mark.parametrize("case", STRANGERS.values(), ids=[key.replace(" ", "-") for key in STRANGERS])
def test_strangers_are_not_joined(case: Case) -> None:
    assert joined(case) == []


def test_both_ends_are_joined_in_one_file() -> None:
    assert joined(writer() + reader()) == ["write -> start"]
    assert joined({"a.py": writer(), "b.py": f"from a import write\n{reader()}"}) == ["write -> start"]


def method(name: str, body: str) -> str:
    """Return a method of a class."""
    return f"    def {name}(self, model, optimizer, path):\n" + "".join(
        f"    {line}\n" for line in body.splitlines()
    )


NEIGHBOURS: dict[str, tuple[Case, list[str]]] = {
    "a function writes what a method reads": (
        f"{writer()}\n\nclass Agent:\n{method('start', LOAD_KEYS)}",
        ["write -> start"],
    ),
    "a method writes what a function reads": (
        f"{reader()}\n\nclass Agent:\n{method('write', SAVE_KEYS)}",
        ["write -> start"],
    ),
    "a base class writes what its heir reads": (
        f"{HEAD}\n\nclass Base:\n{method('write', SAVE_KEYS)}"
        f"\n\nclass Agent(Base):\n{method('start', LOAD_KEYS)}",
        ["write -> start"],
    ),
    "a class writes what another one reads": (
        f"{HEAD}\n\nclass Actor:\n{method('write', SAVE_KEYS)}"
        f"\n\nclass Critic:\n{method('start', LOAD_KEYS)}",
        [],
    ),
    "a function and a method with the names of partners": (
        writer().replace("def write", "def save_agent")
        + f"\n\nclass Agent:\n{method('load_agent', LOAD_KEYS.replace('net', 'weights').replace('optim', 'o'))}",
        [],
    ),
}


@answers(NEIGHBOURS)
def test_functions_and_classes_of_one_file(case: Case, expected: list[str]) -> None:
    assert joined(case) == expected


def test_one_of_several_methods_of_an_heir_is_the_partner() -> None:
    case = {
        "base.py": f"{HEAD}\n\nclass Base:{LOAD}",
        "agent.py": AGENT.replace("import torch\n", "import torch\nfrom base import Base\n").replace(
            "class Agent:", "class Agent(Base):"
        )
        + "\n    def save_weights(self, path):\n        torch.save(self.net.state_dict(), path)\n",
    }
    assert joined(case) == ["save -> load"]


def test_hooks_of_tests_are_no_pair() -> None:
    assert hooked({"gate.py": HOOKS}) == ["gate.py:Gate: state_dict -> load_state_dict"]
    assert hooked({"tests/gate.py": HOOKS}) == []


NO_MISMATCH: dict[str, Case] = {
    "an optional key of another file in the same function": AGENT
    + """
    def load(self, path, extra):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.steps = state["steps"]
        more = torch.load(extra)
        if "mean" in more:
            self.mean = more["mean"]
""",
    "an optional key of a file of the same name in another function": AGENT
    + LOAD
    + """
    def resume(self, path):
        state = torch.load(path)
        if "mean" in state:
            self.mean = state["mean"]
""",
    "all is taken": AGENT + LOAD,
}


@pytest.mark.parametrize("case", NO_MISMATCH.values(), ids=[key.replace(" ", "-") for key in NO_MISMATCH])
def test_nothing_is_lost(case: Case) -> None:
    assert contract_findings(case) == []


MISMATCHES: dict[str, tuple[Case, list[str]]] = {
    "an optional key beside one that is written": (
        AGENT + LOAD + '        if "mean" in state:\n            self.mean = state["mean"]\n',
        ["CKP202 16"],
    ),
}


@answers(MISMATCHES)
def test_loss_is_found_where_it_happens(case: Case, expected: list[str]) -> None:
    assert [f"{each.code} {each.position.line}" for each in contract_findings(case)] == expected


def test_keys_of_a_mismatch() -> None:
    assert missing(AGENT + LOAD.replace('state["steps"]', 'state["step"]')) == ["step"]
