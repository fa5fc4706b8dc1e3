"""The interface of the verifier: what is raised, what is said, what is skipped and what is kept."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.verifier import RoundtripError
from flake8_ckpt.runtime.verifier import assert_roundtrip
from flake8_ckpt.runtime.verifier import verify_roundtrip


class Counter:
    """An object with its own save and load, to a text file."""

    def __init__(self, step: int = 1) -> None:
        self.count, self.step = 0, step
        self.table = (0.5, 1.0)

    def update(self) -> int:
        self.count += self.step
        return self.count

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self)), encoding="utf-8")

    def load(self, path: Path) -> None:
        vars(self).update(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def restore(cls, path: Path) -> Counter:
        counter = cls()
        counter.load(path)
        return counter


class Forgetful(nn.Module):
    seen: torch.Tensor

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(size))
        self.count = 0

    def forward(self) -> torch.Tensor:
        self.count += 1
        self.seen += self.count
        return self.seen.clone()


def test_own_save_and_load_are_used(tmp_path: Path) -> None:
    report = assert_roundtrip(
        Counter,
        exercise=Counter.update,
        continue_with=Counter.update,
        perturb=lambda: Counter(step=5),
        save=Counter.save,
        load=Counter.load,
        folder=tmp_path,
    )
    assert report.trips == ("save and load",) and (tmp_path / "save_and_load.ckpt").exists()


def test_load_may_return_the_object() -> None:
    report = verify_roundtrip(
        Counter, exercise=Counter.update, save=Counter.save, load=lambda fresh, path: Counter.restore(path)
    )
    assert report.ok, str(report)


def test_own_torch_file_is_checked_for_danger() -> None:
    def load(counter: Counter, path: Path) -> None:
        counter.count = torch.load(path, weights_only=False).count

    report = verify_roundtrip(
        Counter, exercise=Counter.update, save=lambda counter, path: torch.save(counter, path), load=load
    )
    assert [problem.kind for problem in report.problems] == ["unsafe"] and "Counter" in str(report)


def test_folder_of_files_is_looked_through() -> None:
    def save(counter: Counter, path: Path) -> None:
        path.mkdir()
        torch.save({"count": counter.count}, path / "count.pt")
        torch.save(counter, path / "all.pt")

    def load(counter: Counter, path: Path) -> None:
        counter.count = torch.load(path / "count.pt")["count"]

    report = verify_roundtrip(Counter, exercise=Counter.update, save=save, load=load)
    assert [problem.kind for problem in report.problems] == ["unsafe"]


def test_memory_of_the_source_is_not_shared() -> None:
    kept: dict[str, torch.Tensor] = {}
    common = torch.zeros(2)

    class InMemory:
        def __init__(self) -> None:
            self.mean, self.table = torch.zeros(2), common

        def update(self) -> torch.Tensor:
            self.mean += 1
            return self.mean.clone()

    def load(fresh: InMemory, path: Path) -> None:
        fresh.mean = kept["mean"]

    report = verify_roundtrip(
        InMemory,
        exercise=InMemory.update,
        continue_with=InMemory.update,
        save=lambda source, path: kept.update(mean=source.mean),
        load=load,
    )
    assert [(problem.kind, problem.path) for problem in report.problems] == [
        ("aliased", "mean"),
        ("diverged", "output"),
    ]
    assert "shares its memory with mean of the saved object" in str(report)


def test_failure_is_raised_with_its_report(device: torch.device) -> None:
    with pytest.raises(
        RoundtripError, match="lost      count: was 1; came back as 0, as in a new object"
    ) as caught:
        assert_roundtrip(Forgetful, exercise=lambda module: module(), device=device)
    report = caught.value.report
    assert isinstance(caught.value, AssertionError) and not report.ok
    with pytest.raises(FrozenInstanceError):
        report.problems = ()  # type: ignore[misc]


def test_report_reads_as_lines() -> None:
    report = verify_roundtrip(
        Forgetful, exercise=lambda m: m(), continue_with=lambda m: m(), via=("torch", "mmap")
    )
    line = inspect.getsourcelines(Forgetful)[1] + 6
    assert str(report).splitlines() == [
        "round trip of Forgetful: 2 problems, 2 values compared through torch, mmap",
        "  lost      count: was 1; came back as 0, as in a new object (torch, mmap), "
        f"{Path(__file__).relative_to(Path.cwd())}:{line}: CKP110 Forgetful.count",
        "  diverged  output: was [3, 3] float32 [2]; the loaded copy gives [2, 2] float32 [2], "
        "at most 1 apart (torch, mmap)",
        "  (a value that is meant not to be kept: ignore=('its.path',), with * as a wildcard)",
    ]


def hidden_counter() -> Callable[[], int]:
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return count

    return step


class HiddenInClosure(nn.Module):
    """Counts in a closure, where no walk can see it."""

    seen: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(2))
        self.step = hidden_counter()

    def forward(self) -> None:
        self.seen += self.step()


def test_hidden_state_shows_in_going_on(device: torch.device) -> None:
    def go_on(module: nn.Module) -> None:
        module()

    report = verify_roundtrip(HiddenInClosure, exercise=go_on, continue_with=go_on, device=device)
    assert [(problem.kind, problem.path) for problem in report.problems] == [("diverged", "seen")]
    assert "the loaded copy gives [2, 2] float32 [2]" in str(report)


def test_same_hyper_parameters_are_vacuous(device: torch.device) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))

    def update(module: nn.Module) -> None:
        module(torch.ones(3, 2, device=device))

    report = verify_roundtrip(make, exercise=update, perturb=make, device=device)
    assert [(problem.kind, problem.path) for problem in report.problems] == [("vacuous", "everything")]
    assert "perturb() gave the hyper-parameters of make()" in str(report)


def test_copy_that_raises_has_diverged() -> None:
    class Fragile(nn.Module):
        seen: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(2))
            self.last: list[float] = []

        def forward(self, first: bool) -> float:
            if first:
                self.seen += 1
                self.last.append(1.0)
            return self.last[-1]

    report = verify_roundtrip(
        Fragile, exercise=lambda m: m(True), continue_with=lambda m: m(False), via="torch"
    )
    assert [problem.kind for problem in report.problems] == ["lost", "diverged"]
    assert "the loaded copy raised IndexError: list index out of range" in str(report)


def test_missing_output_has_diverged() -> None:
    class Lazy(Forgetful):
        def forward(self) -> Any:
            super().forward()
            return {"count": self.count, "mean": self.seen} if self.count > 1 else {"count": self.count}

    report = verify_roundtrip(
        Lazy, exercise=lambda m: m(), continue_with=lambda m: m(), ignore=("count",), via="mmap"
    )
    assert [str(problem) for problem in report.problems] == [
        "diverged  output: was mapping of 2: 'count', 'mean'; "
        "the loaded copy gives mapping of 1: 'count', 3 values differ; no lost value explains it (mmap)"
    ]
    gone = verify_roundtrip(
        Lazy,
        exercise=lambda m: m(),
        continue_with=lambda m: list(m().values())[1:] or None,
        ignore=("count",),
    )
    assert "output: was list of 1; the loaded copy gives None" in str(gone)


NO_SAFETENSORS = {
    "sparse": ({"a": torch.eye(2).to_sparse()}, "safetensors: "),
    "number": ({"a": 1}, "safetensors: 'a' is a int, the format holds plain tensors only"),
    "list": ([torch.zeros(1)], "safetensors: the state is a list, the format holds tensors by name"),
}


@pytest.mark.parametrize("name", NO_SAFETENSORS)
def test_state_beyond_safetensors_is_skipped(name: str) -> None:
    pytest.importorskip("safetensors", reason="asks what the format can hold")
    state, reason = NO_SAFETENSORS[name]

    class Stored(Counter):
        def state_dict(self) -> Any:
            return state

        def load_state_dict(self, state: Any) -> None:
            self.count = 1

    report = verify_roundtrip(Stored, exercise=Counter.update)
    assert report.ok and report.trips == ("torch", "mmap")
    assert report.skipped[0].startswith(reason)


def test_other_shape_is_refused(device: torch.device) -> None:
    report = verify_roundtrip(
        Forgetful, exercise=lambda m: m(), perturb=lambda: Forgetful(3), ignore=("count",), device=device
    )
    assert [problem.kind for problem in report.problems] == ["refused"]
    assert "size mismatch for seen" in str(report) and "(torch into other hyper-parameters)" in str(report)


def test_object_that_cannot_be_saved_is_refused() -> None:
    class Unpicklable(Forgetful):
        def get_extra_state(self) -> Any:
            return lambda: None

        def set_extra_state(self, state: Any) -> None:
            """Nothing gets here."""

    report = verify_roundtrip(Unpicklable, exercise=lambda m: m(), via=("torch", "mmap"))
    assert [(problem.kind, problem.path, problem.via) for problem in report.problems] == [
        ("refused", "save", ("torch", "mmap")),
    ]


def test_skipped_checks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    report = verify_roundtrip(lambda: nn.BatchNorm1d(2), exercise=lambda m: m(torch.ones(2, 2)))
    assert report.ok and report.trips == ("torch", "mmap")
    assert report.skipped == ("safetensors: not installed", "how both go on: continue_with= is not given")
    assert "not checked: safetensors: not installed" in str(report)


def test_numpy_is_not_needed(monkeypatch: pytest.MonkeyPatch, device: torch.device) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)

    def update(module: nn.Module) -> torch.Tensor:
        out: torch.Tensor = module(torch.rand(2, 2, device=device))
        return out

    assert_roundtrip(
        lambda: nn.BatchNorm1d(2), exercise=update, continue_with=update, via="torch", device=device
    )


def test_nothing_checked_is_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    report = verify_roundtrip(
        lambda: nn.BatchNorm1d(2), exercise=lambda m: m(torch.ones(2, 2)), via="safetensors"
    )
    assert [(problem.kind, problem.path) for problem in report.problems] == [("vacuous", "everything")]
    assert "no trip was made" in str(report)


def test_safetensors_is_used_where_installed(device: torch.device) -> None:
    pytest.importorskip("safetensors", reason="writes a safetensors file")
    report = verify_roundtrip(
        lambda: nn.BatchNorm1d(2),
        exercise=lambda m: m(torch.ones(2, 2, device=device)),
        via="safetensors",
        device=device,
    )
    assert report.ok and report.trips == ("safetensors",)


def test_patterns_ignore_what_is_below() -> None:
    class Nested(Forgetful):
        def __init__(self) -> None:
            super().__init__()
            self.stats = {"a": [0, "x", nn.Identity()], "b": 0}

        def forward(self) -> torch.Tensor:
            self.stats["a"] = [1, "y", nn.Identity()]
            self.stats["b"] = 1
            return super().forward()

    def lost(*ignore: str) -> list[str]:
        report = verify_roundtrip(Nested, exercise=lambda m: m(), via="torch", ignore=ignore)
        return [problem.path for problem in report.problems]

    assert lost() == ["count", "stats['b']", "stats['a'][0]", "stats['a'][1]"]
    assert lost("count", "stats['a']") == ["stats['b']"]
    assert lost("c*t", "stats") == []
    assert verify_roundtrip(Forgetful, exercise=lambda m: m(), via="torch", ignore="count").ok


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "unknown trip": (
        {"via": ("torch", "zip")},
        ValueError,
        "unknown trip 'zip' in via=: choose from torch, ",
    ),
    "save without load": ({"save": print}, TypeError, "save= and load= belong together"),
    "same object twice": (
        {"make": lambda made=nn.BatchNorm1d(2): made},
        ValueError,
        "has to return a new one",
    ),
    "no state_dict": ({"make": dict}, TypeError, "dict has no state_dict and load_state_dict: pass save="),
}


@pytest.mark.parametrize("name", WRONG)
def test_arguments_that_cannot_work_are_refused(name: str) -> None:
    options, error, message = WRONG[name]
    with pytest.raises(error, match=message.replace("(", r"\(")):
        verify_roundtrip(**{"make": lambda: nn.BatchNorm1d(2), "exercise": lambda made: None, **options})


def test_errors_of_exercise_pass_through() -> None:
    with pytest.raises(ZeroDivisionError):
        assert_roundtrip(Forgetful, exercise=lambda module: 1 / 0)
