"""What is reached and compared: every kind of value, to the bit, each thing once."""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.verifier import Report
from flake8_ckpt.runtime.verifier import verify_roundtrip

NAN = float("nan")


class Holder(nn.Module):
    """Holds one value that is in no state_dict, beside a buffer that is."""

    seen: torch.Tensor

    def __init__(self, value: object) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))
        self.value = value


def trip(before: Callable[[], Any], after: Callable[[Any], Any], **options: Any) -> Report:
    """Return the report on a value that `after` replaces or changes."""

    def exercise(holder: Holder) -> None:
        holder.seen += 1
        holder.value = after(holder.value)

    return verify_roundtrip(lambda: Holder(before()), exercise=exercise, via="torch", **options)


def in_place(change: Callable[[Any], object]) -> Callable[[Any], Any]:
    def changed(value: Any) -> Any:
        change(value)
        return value

    return changed


class Phase(Enum):
    WARM = 1
    COLD = 2


class Slotted:
    __slots__ = ("count", "unset")

    def __init__(self) -> None:
        self.count = 0


class Child(Slotted):
    __slots__ = "only"

    def __init__(self) -> None:
        super().__init__()
        self.only = 0.0


@dataclass
class Statistic:
    total: list[float] = field(default_factory=lambda: [0.0])

    @cached_property
    def mean(self) -> float:
        return sum(self.total)


def cyclic() -> dict[str, Any]:
    inner: dict[str, Any] = {"count": 0}
    inner["outer"] = [inner]
    return inner


SAME: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "equal tensor": (lambda: torch.ones(2), torch.clone),
    "tensor with NaN": (lambda: torch.tensor([NAN, 1.0]), torch.clone),
    "number NaN": (lambda: NAN, lambda value: float("nan")),
    "list and tuple": (lambda: [1, 2], tuple),
    "cycle": (cyclic, in_place(lambda value: value["outer"].reverse())),
    "cached property": (Statistic, in_place(lambda value: value.mean)),
    "empty tensor": (lambda: torch.zeros(0, 3), torch.clone),
    "sparse tensor": (lambda: torch.eye(2).to_sparse(), lambda value: value.clone()),
    "meta tensor": (lambda: torch.zeros(2, device="meta"), torch.clone),
    "file": (lambda: sys.stdout, lambda value: sys.stderr),
    "class": (lambda: Holder, lambda value: Statistic),
}


@pytest.mark.parametrize("name", SAME)
def test_equal_values_are_kept(name: str) -> None:
    report = trip(*SAME[name])
    assert report.ok, str(report)


LOST: dict[str, tuple[Callable[[], Any], Callable[[Any], Any], str, str]] = {
    "bit of a float": (lambda: torch.zeros(2), lambda value: -value, "value", "was [-0, -0] float32 [2]"),
    "dtype": (lambda: torch.zeros(2), torch.Tensor.double, "value", "was [0, 0] float64 [2]"),
    "shape": (lambda: torch.zeros(2), lambda value: value[None], "value", "was [0, 0] float32 [1, 2]"),
    "bool tensor": (lambda: torch.tensor(True), torch.logical_not, "value", "was False bool []"),
    "bfloat16": (
        lambda: torch.ones(9).bfloat16(),
        lambda value: value * 2,
        "value",
        "[2, 2, 2, 2, ...] bfloat16",
    ),
    "layout": (
        lambda: torch.eye(2),
        torch.Tensor.to_sparse,
        "value",
        "was float32 [2, 2]; came back as [1, 0, 0, 1]",
    ),
    "complex tensor": (
        lambda: torch.zeros(1) + 0j,
        lambda value: value.conj() + 1j,
        "value",
        "complex64 [1]",
    ),
    "sparse tensor": (
        lambda: torch.eye(2).to_sparse(),
        lambda value: value * 2,
        "value",
        "was float32 [2, 2]",
    ),
    "tensor instead of None": (lambda: None, lambda value: torch.ones(1), "value", "came back as None"),
    "enum": (lambda: Phase.WARM, lambda value: Phase.COLD, "value", "came back as <Phase.WARM: 1>"),
    "path": (lambda: Path("a"), lambda value: value / "b", "value", "came back as"),
    "dtype attribute": (lambda: torch.float32, lambda value: torch.float64, "value", "was torch.float64"),
    "text": (lambda: "cold", lambda value: "warm", "value", "was 'warm'; came back as 'cold'"),
    "long text": (lambda: "", lambda value: "x" * 5000, "value", "was 'xxxxx"),
    "slot": (Slotted, in_place(lambda value: setattr(value, "count", 3)), "value.count", "was 3"),
    "slot in one word": (Child, in_place(lambda value: setattr(value, "only", 3)), "value.only", "was 3"),
    "slot set later": (
        Slotted,
        in_place(lambda value: setattr(value, "unset", 3)),
        "value.unset",
        "is absent",
    ),
    "dataclass": (
        Statistic,
        in_place(lambda value: value.total.append(2.0)),
        "value.total",
        "was list(0.0, 2.0)",
    ),
    "deleted": (
        Statistic,
        in_place(lambda value: vars(value).pop("total")),
        "value.total",
        "was absent; came back as",
    ),
    "other class": (Statistic, lambda value: Slotted(), "value", "was a Slotted; came back as a Statistic"),
    "deque": (lambda: deque([1]), in_place(lambda value: value.append(2)), "value", "was deque(1, 2)"),
    "set": (lambda: {1}, in_place(lambda value: value.add(2)), "value", "came back as set(1)"),
    "set of objects": (set, lambda value: {torch.ones(1)}, "value", "was set of 1; came back as set()"),
    "mapping": (
        dict,
        in_place(lambda value: value.update(a=[torch.ones(1)])),
        "value",
        "was mapping of 1: 'a'",
    ),
    "nested mapping": (
        lambda: {("a", 1): {2: [0]}},
        lambda value: {("a", 1): {2: [5]}},
        "value[('a', 1)][2]",
        "(5)",
    ),
    "list of tensors": (
        lambda: [torch.zeros(1)],
        lambda value: [value[0] + 1],
        "value[0]",
        "was [1] float32",
    ),
    "longer list": (lambda: [torch.zeros(1)], lambda value: value * 2, "value", "was list of 2"),
    "key that is an object": (lambda: {}, lambda value: {Slotted(): 1}, "value", "of 1: <Slotted>"),
    "module in a list": (
        lambda: [nn.BatchNorm1d(2)],
        in_place(lambda value: value[0](torch.ones(2, 2))),
        "value[0].running_mean",
        "was [0.1, 0.1] float32",
    ),
    "generator": (
        lambda: torch.Generator().manual_seed(1),
        in_place(torch.Generator.seed),
        "value",
        "random state",
    ),
    "random": (lambda: random.Random(1), in_place(random.Random.random), "value", "was random state"),
}


@pytest.mark.parametrize("name", LOST)
def test_changed_values_are_lost(name: str) -> None:
    before, after, path, words = LOST[name]
    report = trip(before, after)
    assert [problem.kind for problem in report.problems][:1] == ["lost"], str(report)
    assert report.problems[0].path == path and words in str(report.problems[0])
    assert len(str(report.problems[0])) < 200


def arrays() -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any], str, str]]:
    numpy = pytest.importorskip("numpy", reason="compares arrays of numpy")
    return {
        "array": (
            lambda: numpy.zeros(6),
            lambda value: value + 1,
            "value",
            "was [1, 1, 1, 1, ...] float64 [6]",
        ),
        "dtype": (
            lambda: numpy.zeros(2),
            lambda value: value.astype("f4"),
            "value",
            "was [0, 0] float32 [2]",
        ),
        "scalar": (lambda: numpy.float32(0), lambda value: value + 1, "value", "was "),
        "objects": (
            lambda: numpy.array([Slotted()]),
            in_place(lambda a: setattr(a[0], "count", 1)),
            "value[0].count",
            "",
        ),
        "generator": (
            lambda: numpy.random.default_rng(1),
            in_place(lambda rng: rng.random()),
            "value",
            "random state",
        ),
        "old generator": (
            lambda: numpy.random.RandomState(1),
            in_place(lambda rng: rng.rand()),
            "value",
            "was random state",
        ),
    }


@pytest.mark.parametrize("name", ["array", "dtype", "scalar", "objects", "generator", "old generator"])
def test_changed_arrays_are_lost(name: str) -> None:
    before, after, path, words = arrays()[name]
    report = trip(before, after)
    assert [(problem.kind, problem.path) for problem in report.problems] == [("lost", path)]
    assert words in str(report)


def test_second_path_to_an_object_is_reported_once() -> None:
    def share(value: dict[str, Any]) -> None:
        value["a"] = value["b"]
        value["d"], value["c"] = value["c"], value["d"]

    def before() -> dict[str, Any]:
        first, second = Slotted(), Slotted()
        return {"a": None, "b": Slotted(), "c": first, "d": second, "e": [first], "f": {"x": second}}

    report = trip(before, in_place(share))
    assert [(problem.kind, problem.path) for problem in report.problems] == [("lost", "value['a']")]


def test_rounded_tensor_shows_its_distance() -> None:
    class Rounding(Holder):
        value: torch.Tensor

        def get_extra_state(self) -> Any:
            return {"value": self.value.half()}

        def set_extra_state(self, state: Any) -> None:
            self.value = state["value"].float()

    def exercise(holder: Any) -> None:
        holder.value = holder.value + 0.1

    report = verify_roundtrip(lambda: Rounding(torch.zeros(2)), exercise=exercise, via="torch")
    assert [(problem.kind, problem.path) for problem in report.problems] == [("changed", "value")]
    assert "at most 2.44e-05 apart" in str(report)


def test_unseeded_numbers_of_objects_are_no_loss() -> None:
    assert trip(random.random, lambda value: value).ok


def test_tensor_that_differs_by_object_is_lost() -> None:
    report = trip(lambda: torch.rand(3), lambda value: value)
    assert [(problem.kind, problem.path) for problem in report.problems] == [("lost", "value")]


def test_long_walks_say_where_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flake8_ckpt.runtime.verifier.objects.reach.MOST", 20)
    report = trip(lambda: [[object()] for _ in range(50)], lambda value: value)
    assert any(reason.startswith("what comes after the first") for reason in report.skipped)


def test_payload_of_arrays_shares_memory() -> None:
    numpy = pytest.importorskip("numpy", reason="shares memory of numpy's arrays")

    class Views:
        def __init__(self) -> None:
            self.mean = numpy.zeros(4)

        def state_dict(self) -> dict[str, Any]:
            return {"mean": torch.from_numpy(self.mean)}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            self.mean = state["mean"].numpy()[:]

    def update(views: Views) -> None:
        views.mean += 1

    report = verify_roundtrip(Views, exercise=update, continue_with=update, via="torch")
    assert [(problem.kind, problem.path) for problem in report.problems] == [("aliased", "mean")]


def test_many_notes_are_shortened() -> None:
    class Many(Holder):
        def __init__(self) -> None:
            super().__init__(0)
            for index in range(10):
                self.register_module(f"norm{index}", nn.BatchNorm1d(1))

    def exercise(module: Many) -> None:
        module.seen += 1

    report = verify_roundtrip(Many, exercise=exercise, via="torch")
    assert report.ok and len(report.notes) == 50 and "note: 2 more" in str(report)
    assert "note: vacuous   norm0: 5 values (weight, bias, running_mean and 2 more): equal before" in str(
        report
    )
