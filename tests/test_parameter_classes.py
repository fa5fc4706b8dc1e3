"""What an argument without annotation is: all calls agree, or one class alone has what is used of it."""

from __future__ import annotations

from flake8_ckpt.facts.values import Param
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.parameter_classes import MAX_SITES
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from tests.contract_cases import answers
from tests.contract_cases import link
from tests.contract_cases import written
from tests.rule_cases import Case

CLASSES = """
import torch

class Agent:
    def __init__(self, net, lr=1):
        self.net = net
        self.critic = net
        self.rms = 1

    def keep(self, path, more=None):
        state = {"net": self.net.state_dict()}
        if more:
            state["more"] = more
        torch.save(state, path)


class Other:
    def __init__(self, net):
        self.net = net
"""
SAVE = CLASSES + "\n\ndef save_all(path, agent=None):\n    torch.save(agent.net.state_dict(), path)\n"
UNKNOWN: dict[str, tuple[Case, str]] = {
    "nobody calls": (SAVE, ""),
    "calls with objects of two classes": (SAVE + "\nsave_all('a', Agent(1))\nsave_all('b', Other(1))\n", ""),
    "calls with something unknown": (
        SAVE + "\ndef save_best(best):\n    save_all('a', Agent(1))\n    save_all('b', best)\n", "",
    ),
    "only calls that leave it out": (SAVE + "\nsave_all('a')\n", ""),
    "two attributes that are used": (
        CLASSES + "\n\ndef save_all(path, agent):\n    torch.save([agent.critic, agent.rms, agent.step()], path)\n", "",
    ),
    "three attributes of two classes": (
        CLASSES.replace("self.net = net\n", "self.net = net\n        self.critic = self.rms = net\n")
        + "\n\ndef save_all(path, agent):\n    torch.save([agent.critic, agent.rms, agent.net], path)\n",
        "",
    ),
    "many calls": (SAVE + "".join(f"save_all('{number}', Agent(1))\n" for number in range(MAX_SITES + 1)), ""),
    "calls in a circle": (
        CLASSES + "\n\ndef save_all(path, agent):\n    save_some(agent)\n    torch.save(agent.net, path)\n"
        "\n\ndef save_some(agent):\n    save_all('a', agent)\n",
        "",
    ),
}  # fmt: skip
KNOWN: dict[str, tuple[Case, str]] = {
    "one call": (SAVE + "\nsave_all('a', Agent(1))\n", "train.py:Agent"),
    "a call by keyword": (SAVE + "\nsave_all('a', agent=Agent(1))\n", "train.py:Agent"),
    "calls that agree, and one that leaves it out": (
        SAVE + "\nsave_all('a', Agent(1))\nsave_all('b', Agent(2))\nsave_all('c')\n", "train.py:Agent",
    ),
    "a call through another function": (
        SAVE + "\ndef save_best(best):\n    save_all('a', best)\n\n\nsave_best(Agent(1))\n", "train.py:Agent",
    ),
    "as many calls as are looked at": (
        SAVE + "".join(f"save_all('{number}', Agent(1))\n" for number in range(MAX_SITES)), "train.py:Agent",
    ),
    "a call in another file": (
        {"train.py": SAVE, "main.py": "from train import Agent, save_all\n\nsave_all('a', Agent(1))\n"},
        "train.py:Agent",
    ),
    "calls in a circle with one from outside": (
        CLASSES + "\n\ndef save_all(path, agent):\n    save_some(agent)\n    torch.save(agent.net, path)\n"
        "\n\ndef save_some(agent):\n    save_all('a', agent)\n\n\nsave_some(Agent(1))\n",
        "train.py:Agent",
    ),
    "a method": (
        CLASSES + "\n\nclass Saver:\n    def save_all(self, agent):\n        torch.save(agent.net, 'a')\n"
        "\n    def save_best(self):\n        self.save_all(Agent(1))\n",
        "train.py:Agent",
    ),
    "the constructor": (
        CLASSES + "\n\nclass Saver:\n    def __init__(self, agent):\n        self.agent = agent\n"
        "\n    def save_all(self, path):\n        torch.save(self.agent.net, path)\n"
        "\n\nSaver(Agent(1)).save_all('a')\n",
        "train.py:Agent",
    ),
    "the only class with all that is used": (
        CLASSES + "\n\ndef save_all(path, agent):\n    torch.save([agent.critic, agent.rms, agent.net], path)\n",
        "train.py:Agent",
    ),
    "the base class of those with all that is used": (
        CLASSES + "\n\nclass Better(Agent):\n    pass\n"
        "\n\ndef save_all(path, agent):\n    torch.save([agent.critic, agent.rms, agent.keep('b')], path)\n",
        "train.py:Agent",
    ),
}  # fmt: skip


@answers({**UNKNOWN, **KNOWN})
def test_class_of_an_argument(case: Case, expected: str) -> None:
    project = link(case)
    evaluator = SymbolicEvaluator(project.hierarchy)
    found = [each for each in followed_functions(project.symbols) if any(
        parameter.name == "agent" for parameter in each.function.parameters
    ) and each.name in ("save_all", "__init__")]  # fmt: skip
    assert [evaluator.class_of(Param("agent"), CallContext(each)) for each in found] == [expected]


def test_method_of_an_argument_is_entered() -> None:
    source = (
        CLASSES + "\n\ndef finish(agent):\n    agent.keep('a.pt')\n\n\ndef run():\n    finish(Agent(1))\n"
    )
    assert written(source) == ["run: net"]
