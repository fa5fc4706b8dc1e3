"""What changes how a copy goes on is a problem, the rest are notes; values are put back one at a time to see."""

from __future__ import annotations

import copy
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from flake8_ckpt.runtime import verify_roundtrip
from flake8_ckpt.runtime.verifier import Report
from flake8_ckpt.runtime.verifier.objects.transplant import transplant


class Kept:
    """Saves what `keeps` names, and goes on as `act` says."""

    keeps: tuple[str, ...] = ()

    def save(self, path: Path) -> None:
        torch.save({name: getattr(self, name) for name in self.keeps}, path)

    def load(self, path: Path) -> None:
        vars(self).update(torch.load(path, weights_only=False))


def verify(kind: Callable[[], Any]) -> Report:
    return verify_roundtrip(
        kind,
        exercise=lambda subject: [subject.act() for _ in range(3)],
        continue_with=lambda subject: [subject.act() for _ in range(3)],
        save=lambda subject, path: subject.save(path),
        load=lambda subject, path: subject.load(path),
    )


def problems(report: Report) -> list[tuple[str, str]]:
    return [(each.kind, each.path) for each in report.problems]


def notes(report: Report) -> list[tuple[str, str]]:
    return [(each.kind, each.path) for each in report.notes if each.kind != "vacuous"]


class Clocked(Kept):
    """The time of the last step is saved, and is another in each run."""

    keeps = ("total", "last")

    def __init__(self) -> None:
        self.total, self.last, self.calls = 0.0, 0.0, 0

    def act(self) -> float:
        self.calls += 1
        self.total += 1.5
        self.last = time.perf_counter()
        return self.total


def test_time_of_day_is_no_divergence() -> None:
    report = verify(Clocked)
    assert report.ok and notes(report) == [("unread", "calls")]


class Filled(Kept):
    """A buffer that each call fills anew."""

    keeps = ("total",)

    def __init__(self) -> None:
        self.total, self.scratch = 0.0, np.zeros(3)

    def act(self) -> float:
        self.scratch[:] = self.total
        self.total += 1
        return self.total


def test_what_is_made_anew_is_a_note() -> None:
    report = verify(Filled)
    assert report.ok and notes(report) == [("renewed", "scratch")]


class Masked(Kept):
    """A flag guards a mean: either of them put back alone does nothing to the first output."""

    def __init__(self) -> None:
        self.is_ready, self.mean, self.rounds = False, 0.0, 0

    def act(self) -> float:
        self.rounds += 1
        if not self.is_ready:
            self.is_ready, self.mean = True, float(self.rounds)
        return self.mean


def test_values_that_matter_together_are_causes() -> None:
    class Later(Masked):
        keeps = ("rounds",)

    assert problems(verify(Later))[:2] == [("lost", "is_ready"), ("lost", "mean")]


class Doubled(Kept):
    """A number is kept twice, and the larger one counts: either alone is enough."""

    def __init__(self) -> None:
        self.first, self.second = 0, 0

    def act(self) -> int:
        self.first = self.second = max(self.first, self.second) + 1
        return self.first


def test_values_that_stand_for_each_other_are_causes() -> None:
    assert problems(verify(Doubled))[:2] == [("lost", "first"), ("lost", "second")]


class Halves(Kept):
    """Two lists that have to have one length: half of them raises, left out or put in."""

    keeps = ("total",)

    def __init__(self) -> None:
        self.names: list[int] = []
        self.ages: list[int] = []
        self.total, self.scale = 0, 1.0

    def act(self) -> float:
        if len(self.names) != len(self.ages):
            raise RuntimeError("torn")
        self.names, self.ages = [*self.names, 1], [*self.ages, 1]
        self.total, self.scale = self.total + 1, self.scale * 1.1
        return self.total * self.scale


def test_half_an_object_that_raises_is_no_cause() -> None:
    report = verify(Halves)
    assert problems(report) == [("lost", "scale"), ("diverged", "output")]
    assert notes(report) == [("unread", "names"), ("unread", "ages")]


class Opened(Kept):
    """What is lost is needed, and a copy raises without it."""

    def __init__(self) -> None:
        self.file: list[int] = []
        self.calls = 0

    def open(self) -> None:
        self.file = [1]

    def act(self) -> int:
        self.calls += 1
        if self.calls == 1:
            self.open()
        return self.file[0]

    def load(self, path: Path) -> None:
        self.calls = 1


def test_loss_that_makes_a_copy_raise_is_a_cause() -> None:
    report = verify(Opened)
    assert ("lost", "file") in problems(report) and ("diverged", "continue_with") in problems(report)


class Random(Kept):
    """A generator without a seed: two new objects never go on alike, two whole copies do."""

    def __init__(self) -> None:
        self.generator, self.calls = np.random.default_rng(), 0

    def act(self) -> float:
        self.calls += 1
        return float(self.generator.random())


def test_generator_without_a_seed_is_the_cause() -> None:
    report = verify(Random)
    assert problems(report) == [("lost", "generator"), ("diverged", "output")] and report.skipped == ()
    assert notes(report) == [("unread", "calls")]


class Unseeded(Kept):
    """What decides lies where nothing reaches, and differs from object to object."""

    def __init__(self) -> None:
        generator = np.random.default_rng()
        self.draw: Callable[[], float] = lambda: float(generator.random())
        self.calls = 0

    def act(self) -> float:
        self.calls += 1
        return self.draw()


def test_copies_that_never_agree_leave_all_as_problems() -> None:
    report = verify(Unseeded)
    assert ("lost", "calls") in problems(report)
    assert report.skipped == ("save and load: two loaded copies do not go on alike, so no cause can be told",)
    assert "; no lost value explains it" in str(report)


def test_when_time_is_over_the_rest_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    class Both(Masked):
        keeps = ("rounds",)

        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def act(self) -> float:
            self.calls += 1
            return super().act()

    assert ("unread", "calls") in notes(verify(Both))
    monkeypatch.setattr("flake8_ckpt.runtime.verifier.attribution.SECONDS", -1.0)
    report = verify(Both)
    assert ("lost", "calls") in problems(report)
    assert report.skipped == ("save and load: which values matter, to the end: it took over -1 s",)


class Locked(Kept):
    """What is lost holds a lock, so that it cannot be copied."""

    class Guarded:
        def __init__(self) -> None:
            self.lock, self.hidden = threading.Lock(), itertools.count()

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.total = 0

    def act(self) -> int:
        self.total += 1
        self.parts.append(self.Guarded())
        return len(self.parts)


def test_what_cannot_be_put_back_stays_a_problem() -> None:
    report = verify(Locked)
    assert ("lost", "parts") in problems(report)
    assert ("unread", "total") in notes(report)


class Declared(nn.Module):
    """A buffer of the state_dict is dropped by the load, and no output shows it."""

    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))

    def forward(self) -> int:
        self.mean += 1
        return 1

    def _load_from_state_dict(self, state_dict: dict[str, Any], *rest: Any) -> None:
        state_dict["mean"] = torch.zeros(2)
        super()._load_from_state_dict(state_dict, *rest)


def test_what_the_state_dict_declares_has_to_arrive() -> None:
    report = verify_roundtrip(
        Declared, exercise=Declared.forward, continue_with=Declared.forward, via="torch"
    )
    assert problems(report) == [("lost", "mean")]


class Everything:
    """One of each kind of thing that values are in."""

    class Slotted:
        __slots__ = ("number",)

        def __init__(self) -> None:
            self.number = 0

    def __init__(self) -> None:
        self.layer = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.layer.parameters())
        self.same_layer = self.layer
        self.table: dict[Any, Any] = {"a": 0}
        self.pair: tuple[Any, ...] = ([0], {"x": 0})
        self.queue: deque[Any] = deque([0, [0]], maxlen=4)
        self.slotted = self.Slotted()
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
        self.generator = torch.Generator().manual_seed(0)
        self.shared = self.generator
        self.objects = np.array([{"a": 0}, None], dtype=object)
        self.state = np.zeros(2)
        self.nothing: Any = None

    def move(self) -> None:
        self.layer(torch.ones(1, 2)).sum().backward()
        self.optimizer.step()
        self.table |= {"a": 1, ("b", 2): [1]}
        self.pair[0][0], self.pair[1]["x"] = 1, 1
        self.queue[1][0] = 1
        self.slotted.number = 1
        self.scaler.scale(torch.ones(1))
        self.scaler.update(8.0)
        torch.rand(3, generator=self.generator)
        self.objects[0]["a"] = 1
        self.state += 1
        self.nothing = {"made": torch.ones(2, requires_grad=True) * 2}


PATHS = [
    "layer",
    "optimizer.state",
    "table",
    "pair[0]",
    "pair[1]['x']",
    "queue[1]",
    "slotted.number",
    "scaler['scale']",
    "generator",
    "objects[0]['a']",
    "state",
    "nothing",
]


def test_every_kind_of_value_can_be_put_into_another_object() -> None:
    one, other = Everything(), Everything()
    one.move()
    assert transplant(one, other, PATHS) == {}
    assert other.table == one.table and other.pair == one.pair and other.queue == one.queue
    assert other.slotted.number == 1 and other.scaler.get_scale() == 8 and other.state.tolist() == [1, 1]
    assert (
        torch.equal(other.generator.get_state(), one.generator.get_state())
        and other.shared is other.generator
    )
    assert other.objects[0] == {"a": 1} and other.nothing["made"].tolist() == [2, 2]
    assert torch.equal(other.layer.weight, one.layer.weight)


def test_what_is_put_in_is_tied_to_its_new_owner() -> None:
    one, other = Everything(), Everything()
    one.move()
    transplant(one, other, ["layer", "optimizer.state"])
    assert other.same_layer is other.layer is not one.layer
    before = copy.deepcopy(one.layer.state_dict())
    other.layer.weight.grad = torch.ones(1, 2)
    weight = other.layer.weight.clone()
    other.optimizer.step()
    assert not torch.equal(other.layer.weight, weight)
    assert all(torch.equal(value, before[name]) for name, value in one.layer.state_dict().items())


@pytest.mark.parametrize("name", ["extra", "table"])
def test_what_the_source_lacks_is_taken_away(name: str) -> None:
    one, other = Everything(), Everything()
    vars(other)["extra"] = 1
    other.table["c"] = 2
    path = {"extra": "extra", "table": "table['c']"}[name]
    assert transplant(one, other, [path]) == {}
    assert "extra" not in vars(other) if name == "extra" else other.table == {"a": 0}


def test_what_has_no_place_is_said() -> None:
    class Deep:
        def __init__(self, depth: int) -> None:
            self.inner: Any = Deep(depth - 1) if depth else None
            self.number = depth

    failed = transplant(Deep(2), Deep(0), ["inner.inner.number"])
    assert failed == {"inner.inner.number": "Unplaceable: what holds it is not there"}
