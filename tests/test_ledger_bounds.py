"""What is too long to be followed ends where it is bounded, and says nothing."""

from __future__ import annotations

import time

import pytest

from flake8_ckpt.losses.ledger import aliases
from flake8_ckpt.losses.ledger.aliases import MAX_CALLERS
from flake8_ckpt.losses.ledger.aliases import MAX_HOLDERS
from flake8_ckpt.losses.ledger.aliases import MAX_MENTIONS
from tests.rule_cases import lint

PROGRAM = """
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR


def main(path, resume, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    schedule = MAKE
    if resume:
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
    for batch in batches:
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
        schedule.step()
    GIVE
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
"""


def codes(make: str, give: str, functions: str) -> list[str]:
    """Return the codes of a program that leaves its scheduler out."""
    return [each.code for each in lint(PROGRAM.replace("MAKE", make).replace("GIVE", give) + functions)]


def chain(count: int) -> str:
    """Return functions each of which gives a parameter to the next."""
    return "".join(
        f"\n\ndef save_{each}(one, path):\n    save_{each + 1}(one, path)\n" for each in range(count)
    )


@pytest.mark.parametrize(("count", "found"), [(3, ["CKP204"]), (MAX_HOLDERS + 5, [])])
def test_object_with_too_many_names_is_not_understood(count: int, found: list[str]) -> None:
    make = "StepLR(optimizer, 10)"
    end = f"\n\ndef save_{count}(one, path):\n    print(torch.load(path), one)\n"
    assert codes(make, "save_0(schedule, path)", chain(count) + end) == found


def test_factories_that_call_each_other_end() -> None:
    makers = """

def make_one(optimizer):
    # torch.optim.
    return make_other(optimizer)


def make_other(optimizer):
    # torch.optim.
    return make_one(optimizer)
"""
    assert codes("make_one(optimizer)", "pass", makers) == ["CKP204"]


def test_paths_that_grow_by_recursion_end() -> None:
    walk = """

def walk(node, path):
    node.left.parent = node
    node.other = torch.load(path)
    walk(node.left, path)
    walk(node.parent.left, path)
"""
    assert codes("StepLR(optimizer, 10)", "walk(schedule, path)", walk) == ["CKP204"]


def test_many_classes_with_the_same_names_are_asked_in_time() -> None:
    trainer = """

class Trainer{0}:
    def __init__(self, net):
        self.net = net
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        self.schedule = StepLR(self.optimizer, 10)

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.net(batch).mean().backward()
        self.optimizer.step()
        self.schedule.step()

    def save(self, path):
        torch.save({{"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}}, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
"""
    started = time.process_time()
    found = lint(
        "import torch\nfrom torch.optim.lr_scheduler import StepLR\n"
        + "".join(map(trainer.format, range(200)))
    )
    assert len(found) == 200
    assert time.process_time() - started < 30


RUNNER = """
import torch
from torch.optim.lr_scheduler import StepLR


class Runner:
    def __init__(self, net, schedule):
        self.net = net
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        self.schedule = schedule

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.net(batch).mean().backward()
        self.optimizer.step()
        self.schedule.step()

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
"""


@pytest.mark.parametrize(("count", "found"), [(MAX_CALLERS - 1, ["CKP204"]), (MAX_CALLERS, [])])
def test_what_only_late_callers_give_is_not_known(count: int, found: list[str]) -> None:
    make = (
        "\n\ndef make_{}(net, path):\n    runner = Runner(net, {})\n    runner.load(path)\n"
        "    runner.learn(net)\n    runner.save(path)\n"
    )
    others = "".join(make.format(each, "None") for each in range(count))
    assert [each.code for each in lint(RUNNER + others + make.format("last", "StepLR(net, 10)"))] == found


@pytest.mark.parametrize(("bound", "found"), [(MAX_MENTIONS, ["CKP204"]), (5, [])])
def test_mentions_beyond_the_bound_are_not_seen(
    bound: int, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aliases, "MAX_MENTIONS", bound)
    show = "\n\ndef show_{}(schedule, path):\n    # torch.save\n    schedule.step()\n"
    others = "".join(map(show.format, range(9)))
    program = f"{RUNNER}{others}".replace("= schedule", "= StepLR(self.optimizer, 10)")
    assert [each.code for each in lint(program)] == found
