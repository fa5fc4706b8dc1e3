"""A new process finds what class attributes and globals kept, and needs functions that it can import."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime import verify_roundtrip
from flake8_ckpt.runtime.verifier import Report

SCALES = {"reward": 1.0}
CALLS: list[int] = []


class Scaled(nn.Module):
    """Rewards are scaled by a global, observations are centered on a class attribute, calls are only counted."""

    mean = torch.zeros(2)
    weight: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(2))

    def forward(self, step: int) -> torch.Tensor:
        CALLS.append(step)
        SCALES["reward"] += 1
        Scaled.mean = Scaled.mean + step
        self.weight += (self.weight - Scaled.mean) / SCALES["reward"]
        return self.weight.clone()


def go_on(module: Scaled) -> list[torch.Tensor]:
    return [module(step) for step in (1, 2, 3)]


class Whole(nn.Module):
    """All is in buffers."""

    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))

    def forward(self) -> torch.Tensor:
        self.mean += torch.rand(2)
        return self.mean.clone()


def paths(report: Report, kind: str) -> set[str]:
    return {each.path.removeprefix(f"{__name__}.") for each in report.problems if each.kind == kind}


def test_function_that_cannot_be_imported_is_refused() -> None:
    with pytest.raises(TypeError, match=r"cannot import test_function.*<lambda>: define it at the top"):
        verify_roundtrip(lambda: Whole(), exercise=Whole.forward, isolated=True)


def test_whole_module_comes_back_in_a_new_process() -> None:
    report = verify_roundtrip(
        Whole, exercise=Whole.forward, continue_with=Whole.forward, via="torch", isolated=True
    )
    assert report.ok, str(report)
    assert report.trips == ("torch", "torch in a new process")


def test_class_attribute_and_global_are_found() -> None:
    report = verify_roundtrip(Scaled, exercise=go_on, continue_with=go_on, via="torch", isolated=True)
    assert paths(report, "lost") == {"Scaled.mean", "SCALES['reward']"}
    first = str(report).splitlines()[1]
    assert "a new process has " in first and f"{Path(__file__).name}:" in first
    assert [note.path for note in report.notes if note.kind == "unread"] == [f"{__name__}.CALLS"]


def ending() -> nn.Module:
    if multiprocessing.parent_process() is not None:
        os._exit(3)
    return Whole()


def test_process_that_ends_early_is_one_line() -> None:
    report = verify_roundtrip(ending, exercise=Whole.forward, via="torch", isolated=True)
    assert [each.kind for each in report.problems] == ["refused"]
    assert "the new process ended with exit code 3 and no answer; a script that verifies has to do so" in str(
        report
    )
