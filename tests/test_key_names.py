"""Keys that are named, put together or computed: what of them is known, and what a file alone cannot know."""

from __future__ import annotations

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.constants import MAX_CONSTANTS
from flake8_ckpt.facts.key_text import are_one_key
from flake8_ckpt.facts.key_text import is_unknown
from tests.contract_cases import answers
from tests.contract_cases import contract_findings
from tests.contract_cases import read
from tests.contract_cases import unrestored
from tests.contract_cases import written
from tests.rule_cases import Case

HEAD = "import torch\n"
SAVE = "\n\ndef save(net, path):\n    torch.save({{{key}: net.state_dict(), 'step': 1}}, path)\n"
LOAD = "\n\ndef load(net, path):\n    net.load_state_dict(torch.load(path)[{key}])\n"
CONSTANTS = "NET = 'net'\n\n\nclass Keys:\n    NET = 'net'\n"


def saving(key: str, before: str = "", inside: str = "") -> str:
    """Return a file that saves a state under a key; some lines stand before the function, some in it."""
    body = SAVE.format(key=key).replace("    torch", f"{inside}    torch")
    return f"{HEAD}{before}{body}"


def loading(key: str, before: str = "") -> str:
    """Return a file that loads a state from under a key."""
    return HEAD + before + LOAD.format(key=key)


WRITTEN: dict[str, tuple[Case, str]] = {
    "a name that is bound twice": (saving("NET", "NET = 'net'\nNET = 'model'\n"), "step ..."),
    "a name of another package": (saving("NET", "from elsewhere import NET\n"), "step ..."),
    "an attribute that objects are given": (
        HEAD + "class Saver:\n    NET = 'net'\n\n    def name(self, key):\n        self.NET = key\n\n"
        "    def save(self, net, path):\n        torch.save({self.NET: net.state_dict(), 'step': 1}, path)\n",
        "step ...",
    ),
    "an argument": (saving("key").replace("net, path)", "net, path, key)", 1), "step ..."),
    "a long text": (saving("NET", f"NET = {'n' * 100!r}\n"), "step ..."),
    "a number": (saving("NET", "NET = 3\n"), "step ..."),
    "a name of a module": (saving("NET", "NET = 'net'\n"), "net step"),
    "a name with an annotation": (saving("NET", "NET: str = 'net'\n"), "net step"),
    "a name under a condition": (saving("NET", "if torch:\n    NET = 'net'\n"), "net step"),
    "a sum of names": (saving("NET + '_state'", "NET = 'net'\n"), "net_state step"),
    "a name of a sum": (saving("STATE", "NET = 'net'\nSTATE = NET + '_state'\n"), "net_state step"),
    "a name of a formatted text": (saving("STATE", "NET = 'net'\nSTATE = f'{NET}_state'\n"), "net_state step"),
    "a formatted text without fields": (saving("f'net'"), "net step"),
    "a formatted name": (saving("f'{NET}_state'", "NET = 'net'\n"), "net_state step"),
    "an attribute of a class": (saving("Keys.NET", "class Keys:\n    NET = 'net'\n"), "net step"),
    "a member of an Enum": (
        saving("Keys.NET", "from enum import Enum\n\nclass Keys(str, Enum):\n    NET = 'net'\n"), "net step",
    ),
    "the value of a member of an Enum": (
        saving("Keys.NET.value", "import enum\n\nclass Keys(enum.Enum):\n    NET = 'net'\n"), "net step",
    ),
    "a field of a dataclass": (
        saving("KEYS.net", "@dataclass(frozen=True)\nclass Keys:\n    net: str = 'net'\n\nKEYS = Keys()\n"), "net step",
    ),
    "a name in a namespace": (saving("KEYS.net", "KEYS = SimpleNamespace(net='net', more=3)\n"), "net step"),
    "a name in a dict": (saving("KEYS['net']", "KEYS = {'net': 'net', 3: 'x'}\n"), "net step"),
    "a name in a call of dict": (saving("KEYS['net']", "KEYS = dict(net='net')\n"), "net step"),
    "a local": (saving("key", inside="    key = 'net'\n"), "net step"),
    "one of two locals": (saving("f'{key}_state'", inside="    key = 'net' if path else 'ema'\n"), "step ..."),
    "a part that is computed": (saving("f'net_{path}'"), "net_${=path}? step"),
    "a part that a format computes": (saving("'net_{}'.format(len(path))"), "net_*? step"),
    "a part that a percent sign computes": (saving("'net_%d' % len(path)"), "net_*? step"),
    "a part that a sum computes": (saving("'net_' + str(path)"), "net_*? step"),
    "a part of a loop": (
        HEAD + "\ndef save(nets, path):\n    state = {'step': 1}\n    for i, net in enumerate(nets):\n"
        "        state[f'net_{i}'] = net.state_dict()\n    torch.save(state, path)\n",
        "step net_*?",
    ),
    "a spread of a helper's keys": (
        HEAD + "\ndef more(net):\n    return {'net': net.state_dict()}\n\n"
        "def save(net, path):\n    torch.save({**more(net), 'step': 1}, path)\n",
        "net step",
    ),
    "a spread of a default": (
        HEAD + "\ndef save(net, path, extra=None):\n    torch.save({'step': 1, **(extra or {})}, path)\n\n"
        "def run(net):\n    save(net, 'a.pt')\n",
        "step",
    ),
    "an update with a helper's keys": (
        HEAD + "\ndef more(net):\n    return {'net': net.state_dict()}\n\n"
        "def save(net, path):\n    state = {'step': 1}\n    state.update(more(net))\n    torch.save(state, path)\n",
        "step net",
    ),
}  # fmt: skip
ELSEWHERE: dict[str, tuple[Case, str]] = {
    "an imported name": ({"keys.py": CONSTANTS, "a.py": saving("NET", "from keys import NET\n")}, "net step"),
    "another name of it": ({"keys.py": CONSTANTS, "a.py": saving("N", "from keys import NET as N\n")}, "net step"),
    "a name of a module": ({"keys.py": CONSTANTS, "a.py": saving("keys.NET", "import keys\n")}, "net step"),
    "all names": ({"keys.py": CONSTANTS, "a.py": saving("NET", "from keys import *\n")}, "net step"),
    "an imported class": ({"keys.py": CONSTANTS, "a.py": saving("Keys.NET", "from keys import Keys\n")}, "net step"),
    "a class that inherits it": (
        {"keys.py": CONSTANTS, "a.py": saving("Mine.NET", "import keys\n\nclass Mine(keys.Keys):\n    pass\n")},
        "net step",
    ),
    "a part of a formatted text": (
        {"keys.py": CONSTANTS, "a.py": saving("f'{NET}_state'", "from keys import NET\n")}, "net_state step",
    ),
    "an attribute that a class inherits": (
        {
            "keys.py": CONSTANTS,
            "a.py": HEAD + "from keys import Keys\n\nclass Saver(Keys):\n    def save(self, net, path):\n"
            "        torch.save({self.NET: net.state_dict(), 'step': 1}, path)\n",
        },
        "net step",
    ),
}  # fmt: skip
READ: dict[str, tuple[Case, list[str]]] = {
    "a name of another package": (loading("NET", "from elsewhere import NET\n"), ["- wholesale"]),
    "an imported name": (
        {"keys.py": CONSTANTS, "a.py": loading("NET", "from keys import NET\n")}, ["net required"],
    ),
    "a computed part": (loading("f'net_{len(path)}'"), ["net_* required"]),
    "an argument of a helper": (
        HEAD + "\ndef restore(net, data, key):\n    if key in data:\n        net.load_state_dict(data[key])\n\n"
        "def load(net, ema, path):\n    data = torch.load(path)\n"
        "    restore(net, data, 'net')\n    restore(ema, data, 'ema')\n",
        ["ema guarded", "net guarded"],
    ),
    "a default of a helper": (
        HEAD + "\ndef restore(net, data, key='net'):\n    net.load_state_dict(data.get(key, {}))\n\n"
        "def load(net, path):\n    restore(net, torch.load(path))\n",
        ["net defaulted"],
    ),
    "an argument that nobody knows": (
        HEAD + "\ndef restore(net, data, key):\n    net.load_state_dict(data[key])\n\n"
        "def load(net, path, key):\n    restore(net, torch.load(path), key())\n",
        ["* required"],
    ),
}  # fmt: skip


@answers({**WRITTEN, **ELSEWHERE})
def test_payload_has_its_named_keys(case: Case, expected: str) -> None:
    assert expected in [each.partition(": ")[2] for each in written(case)]


@answers(READ)
def test_reads_the_named_keys(case: Case, expected: list[str]) -> None:
    assert [each for each in read(case) if not each.endswith(" handed")] == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("net", "net", True), ("net", "nets", False), ("net_*", "net_1", True), ("net_1", "net_*", True),
        ("net_*", "opt_1", False), ("net_*", "net_*_state", True), ("${=key}", "net", True), ("n.t", "net", False),
        ("${=key}_state", "net_state", True), ("${=key}_state", "net", False),
    ],
)  # fmt: skip
def test_computed_key_may_be_another(one: str, other: str, same: bool) -> None:
    assert are_one_key(one, other) is same


@pytest.mark.parametrize(
    ("text", "unknown"), [("*", True), ("${=key}", True), ("${=a}_${=b}", False), ("net", False)]
)
def test_key_of_which_nothing_is_known(text: str, unknown: bool) -> None:
    assert is_unknown(text) is unknown


PAIR = """import torch

class Trainer:
    def __init__(self, nets):
        self.nets = nets
        self.opt = torch.optim.Adam(nets[0].parameters())
        self.step = 0

    def train(self):
        self.opt.step()
        self.step += 1

    def save(self, path):
        state = {"step": self.step, MORE}
        for i, net in enumerate(self.nets):
            state[f"net_{i}"] = net.state_dict()
        torch.save(state, path)

    def load(self, path):
        state = torch.load(path)
        self.step = state["step"]
        for i, net in enumerate(self.nets):
            net.load_state_dict(state[f"net_{i}"])
"""


def test_computed_key_opens_only_what_fits() -> None:
    reading = PAIR.replace(" MORE", "") + '        self.opt.load_state_dict(state["opt"])\n'
    assert [each.code for each in contract_findings(reading)] == ["CKP202"]
    assert contract_findings(reading.replace('state["opt"]', 'state["net_opt"]')) == []
    assert contract_findings(reading.replace('state[f"net_{i}"] =', "state[str(i)] =")) == []


def test_computed_key_takes_only_what_fits() -> None:
    assert unrestored(PAIR.replace("MORE", '"opt": self.opt.state_dict()')) == ["opt"]
    assert unrestored(PAIR.replace("MORE", '"net_opt": self.opt.state_dict()')) == []


def test_keeps_so_many_constants_of_a_file() -> None:
    lines = "".join(f"KEY_{number} = 'key_{number}'\n" for number in range(MAX_CONSTANTS + 5))
    assert len(collect_file(f"{lines}\nclass A:\n    KEY = 'a'\n".encode()).constants) == MAX_CONSTANTS


def test_sum_of_strings_may_be_deep() -> None:
    deep = " + ".join(["'a'"] * 500)
    assert collect_file(f"KEY = {deep}\nOTHER = 'a' + 'b'\n".encode()).constants == (("OTHER", "ab"),)


TWO = """import torch

def run(agent, path):
    status = agent.recall(path)
    status["old"] = 1
    agent.show(status)
    status = agent.collect()
    status["new"] = 2
    torch.save(status, path)
"""


def test_local_is_what_was_bound_to_it() -> None:
    assert written(TWO) == ["run: new ..."]
    assert written(TWO.replace("    status = agent.collect()\n", "")) == ["run: old new ..."]


def test_mapping_that_is_filled_from_itself_ends() -> None:
    source = """import torch

def run(agent, path):
    state = agent.collect()
    for name in agent.names:
        state[f"net_{name}"] = state.pop(f"old_{name}")
        state[f"opt_{name}"] = state.get(f"net_{name}")
    torch.save(state, path)
"""
    assert written(source) == ["run: net_*? opt_*? ..."]
