"""The lines of a report: one for what lies below one object, so that the objects can be seen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence

from flake8_ckpt.runtime.verifier.problem import KINDS
from flake8_ckpt.runtime.verifier.problem import Problem

SHOWN = 3


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """Return a line for each object that does not hold something: its first value in full, others by name."""
    groups: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        owner = owner_of(problem.path) or problem.path
        groups.setdefault((problem.kind, owner, *problem.via), []).append(problem)
    return [line_of(group) for group in groups.values()]


def line_of(group: Sequence[Problem]) -> str:
    """Return the line of the values that one object does not hold."""
    first = group[0]
    others = [problem.path.removeprefix(owner_of(first.path)) for problem in group[1:]]
    names = f", {listed(others)}" if others else ""
    return f"{first.kind:<8}  {first.path}{names}: {first.values}{first.ending}"


def note_lines(notes: Iterable[Problem]) -> list[str]:
    """Return a line for each part of the whole: with its values where it is one, else with some names."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for note in notes:
        groups.setdefault((note.kind, parts(note.path)[0]), []).append(note)
    return [str(group[0]) if len(group) == 1 else many(group) for group in groups.values()]


def many(group: Sequence[Problem]) -> str:
    """Return one line for the notes of one kind below one object."""
    owner = common(problem.path for problem in group)
    names = [problem.path.removeprefix(owner).removeprefix(".") or owner for problem in group]
    kind = group[0].kind
    return f"{kind:<8}  {owner}: {len(group)} values ({listed(names)}): {KINDS[kind]}"


def listed(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def parts(path: str) -> list[str]:
    """Return the parts of a path: a name with its dot, or a key with its brackets."""
    return re.findall(r"\.?[^.\[]+|\[[^\]]*\]?", path) or [path]


def owner_of(path: str) -> str:
    """Return the path of what holds a value; "" for the object itself."""
    return "".join(parts(path)[:-1])


def common(paths: Iterable[str]) -> str:
    """Return the longest path that all of some others lie below, or are."""
    first, *others = [parts(path) for path in paths]
    size = 0
    while all(size < len(each) and each[size] == first[size] for each in (first, *others)):
        size += 1
    return "".join(first[:size])
