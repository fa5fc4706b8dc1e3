"""One line of a report stands for what lies below one object."""

from __future__ import annotations

import pytest

from flake8_ckpt.runtime.verifier.grouping import common
from flake8_ckpt.runtime.verifier.grouping import note_lines
from flake8_ckpt.runtime.verifier.grouping import owner_of
from flake8_ckpt.runtime.verifier.grouping import problem_lines
from flake8_ckpt.runtime.verifier.problem import Origin
from flake8_ckpt.runtime.verifier.problem import Problem

ORIGIN = Origin("Statistics.mean", "agent.py", 7, "CKP101")


def lost(path: str, via: str = "torch", origin: Origin | None = None) -> Problem:
    return Problem("lost", path, "1", "came back as 0", (via,), origin)


def test_values_of_the_object_itself_keep_their_lines() -> None:
    assert [line.split(":")[0] for line in problem_lines([lost("mean"), lost("var")])] == [
        "lost      mean",
        "lost      var",
    ]


def test_other_trips_and_objects_have_lines_of_their_own() -> None:
    problems = [lost("a.mean"), lost("a.mean", "dcp"), lost("b.mean"), lost("a.b.mean")]
    assert len(problem_lines(problems)) == 4


def test_values_of_one_object_are_one_line() -> None:
    problems = [
        lost(f"rms.{name}", origin=ORIGIN if name == "mean" else None) for name in ("mean", "var", "count")
    ]
    assert problem_lines(problems) == [
        "lost      rms.mean, .var, .count: was 1; came back as 0 (torch), agent.py:7: CKP101 Statistics.mean"
    ]


def test_many_names_are_shortened() -> None:
    (line,) = problem_lines([lost(f"rms.v{index}") for index in range(6)])
    assert line.startswith("lost      rms.v0, .v1, .v2, .v3 and 2 more: was 1")


def test_notes_below_one_object_are_one_line() -> None:
    notes = [Problem("renewed", path, "", "x") for path in ("env.venv.a", "env.venv.b[0]", "top")]
    assert note_lines(notes) == [
        "renewed   env.venv: 2 values (a, b[0]): lost, and going on made it anew",
        "renewed   top: x",
    ]


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("mean", ""),
        ("rms.mean", "rms"),
        ("table['a.b']", "table"),
        ("['a']", ""),
        ("a[0].b", "a[0]"),
        ("everything", ""),
    ],
)
def test_owner_of_a_path(path: str, owner: str) -> None:
    assert owner_of(path) == owner


def test_common_path_ends_with_whole_parts() -> None:
    assert common(["a.mean", "a.median"]) == "a" and common(["ab", "ac"]) == ""
    assert common(["a[0].x", "a[1].x"]) == "a"
