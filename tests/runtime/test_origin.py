"""Each loss has its class, the line of its first assignment, and the rule that is about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.verifier.objects.snapshot import snapshot
from flake8_ckpt.runtime.verifier.origin import origin_of

HERE = Path(__file__)


class Statistics:
    count: int = 0  # line of count

    def __init__(self) -> None:
        self.update(0)
        self.mean, self.var = 0.0, 1.0  # line of var

    def update(self, value: float) -> None:
        self.mean = value


class OwnState(Statistics):
    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean}


class Policy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.plain = torch.zeros(2)  # noqa: CKP101
        self.array = np.zeros(2)  # noqa: CKP106
        self.late: torch.Tensor | None = None  # noqa: CKP109
        self.scale = 1.0
        self.table = {"a": torch.zeros(2)}  # noqa: CKP104
        self.register_buffer(  # line of usage
            "usage", torch.zeros(2), persistent=False
        )
        self.statistics = Statistics()
        self.own = OwnState()
        self.best_loss = 9.0
        self.layers = nn.ModuleList([nn.BatchNorm1d(2)])


EXPECTED = {
    "plain": ("self.plain = ", "CKP101", "Policy.plain"),
    "array": ("self.array = ", "CKP106", "Policy.array"),
    "late": ("self.late: ", "CKP109", "Policy.late"),
    "scale": ("self.scale = ", "CKP110", "Policy.scale"),
    "table['a']": ("self.table = ", "CKP104", "Policy.table"),
    "usage": ("line of usage", "CKP107", "Policy.usage"),
    "statistics.mean": ("line of var", "CKP204", "Statistics.mean"),
    "statistics.var": ("line of var", "CKP204", "Statistics.var"),
    "own.mean": ("line of var", "CKP207", "OwnState.mean"),
    "best_loss": ("self.best_loss = ", "CKP218", "Policy.best_loss"),
    "layers.0.momentum": ("self.layers = ", "CKP110", "Policy.layers"),
}


def line_of(text: str) -> int:
    return next(
        number for number, line in enumerate(HERE.read_text(encoding="utf-8").splitlines(), 1) if text in line
    )


@pytest.mark.parametrize("path", EXPECTED)
def test_value_of_a_project_class_is_located(path: str) -> None:
    policy = Policy()
    origin = origin_of(policy, path, Policy, snapshot(policy).get(path))
    text, code, name = EXPECTED[path]
    assert origin is not None and Path(origin.file).name == HERE.name
    assert (origin.line, origin.code, origin.name) == (line_of(text), code, name)


def make_layer() -> nn.Module:
    return nn.BatchNorm1d(2)  # line that builds


@pytest.mark.parametrize("make", [make_layer, partial(make_layer)], ids=["function", "partial"])
def test_value_of_a_library_is_where_it_is_built(make: Callable[[], Any]) -> None:
    origin = origin_of(make(), "running_mean", make, None)
    assert origin is not None and origin.line == line_of("# line that builds")
    assert origin.name == "BatchNorm1d"


def test_object_without_source_has_no_origin() -> None:
    space: dict[str, Any] = {}
    exec("class Made:\n    def __init__(self):\n        self.mean = 0.0\n", space)
    made = space["Made"]
    assert origin_of(made(), "mean", made, None) is None


def test_file_is_shown_from_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE.parent)
    origin = origin_of(Policy(), "scale", Policy, None)
    assert origin is not None and origin.file == HERE.name
    monkeypatch.chdir("/")
    assert inspect.getsourcefile(Policy) == str(HERE)
