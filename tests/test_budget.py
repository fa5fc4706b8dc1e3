"""A value that takes too many steps is lost alone: the function around it is still understood."""

from __future__ import annotations

import pytest

from flake8_ckpt.linking import budget
from flake8_ckpt.linking.budget import Budget
from tests.contract_cases import missing
from tests.contract_cases import unrestored

MANY = ", ".join(f"pick({number})" for number in range(200))
TRAINER = f"""import torch

def pick(number):
    return max(number, number + 1)

def first(*options):
    return options[0]

def choose(path):
    return str([{MANY}][len(path)])

class Trainer:
    def __init__(self, net):
        self.net = net
        self.optimizer = torch.optim.Adam(net.parameters())

    def save(self, path):
        torch.save({{"net": self.net.state_dict(), "more": LARGE, OPTIMIZER}}, path)

    def load(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.epoch = data["epoch"]
        READ
"""
OPTIMIZER = '"epoch": 1, "optimizer": self.optimizer.state_dict()'
RESTORED = 'self.optimizer.load_state_dict(data["optimizer"])'


def trainer(large: str, optimizer: str, read: str) -> str:
    """Return a class that saves a large value beside others."""
    return TRAINER.replace("LARGE", large).replace("OPTIMIZER", optimizer).replace("READ", read)


def test_steps_of_a_value_and_of_a_function() -> None:
    left = Budget(total=budget.MAX_STEPS + 3)
    left.begin()
    assert [left.step() for _ in range(budget.MAX_STEPS + 1)] == [*[True] * budget.MAX_STEPS, False]
    assert left.is_spent
    left.begin()
    assert not left.is_spent
    assert [left.step() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("steps", [30, 10_000])
def test_large_value_hides_no_other_key(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_STEPS", steps)
    assert missing(trainer("choose(path)", '"epoch": 1', RESTORED)) == ["optimizer"]


@pytest.mark.parametrize(("steps", "found"), [(30, []), (10_000, ["optimizer"])])
def test_large_value_that_is_read_may_be_any_key(
    steps: int, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MAX_STEPS", steps)
    assert unrestored(trainer("1", OPTIMIZER, f"self.first = first(max({MANY}))")) == found
