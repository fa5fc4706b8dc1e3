"""Put the parts of a run together: processes, files, losses and findings, as they stand in the evidence file."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

from flake8_ckpt.evidence.journals import Journal
from flake8_ckpt.evidence.journals import LeafFacts
from flake8_ckpt.evidence.judge import Lost
from flake8_ckpt.evidence.judge import Run
from flake8_ckpt.evidence.judge import judge
from flake8_ckpt.evidence.records import Evidence
from flake8_ckpt.evidence.records import Loss
from flake8_ckpt.evidence.records import LossKind
from flake8_ckpt.evidence.records import Made
from flake8_ckpt.evidence.records import Process
from flake8_ckpt.evidence.records import SavedFile
from flake8_ckpt.evidence.restores import judge_restores

VERSION = 1
DIGITS = 6
MAX_WAYS = 3
# The strongest kind first: the count beside a mean is state, as the mean is.
KINDS: tuple[LossKind, ...] = ("state", "fitted", "object", "replaced", "unrestored", "note")


def collect(journals: Sequence[Journal], command: Sequence[str], exit_code: int, root: Path) -> Evidence:
    """Return what a run showed, before the linter's findings are compared with it."""
    run = Run(journals)
    losses = _grouped([*judge(run), *judge_restores(run)], root)
    return Evidence(
        version=VERSION,
        command=tuple(command),
        exit_code=exit_code,
        steps=max((each.steps for each in journals), default=0),
        complete=bool(journals) and all(each.farewell is not None for each in journals),
        processes=tuple(_process(each) for each in journals),
        files=_files(journals, root),
        losses=tuple(losses),
        findings=(),
        noise=dict(sorted(run.noise.items())),
        seconds={"save": round(sum(each.farewell.seconds for each in journals if each.farewell), 4)},
        made=_made(journals, root),
    )


def _process(journal: Journal) -> Process:
    hello, farewell = journal.hello, journal.farewell
    return Process(
        pid=hello.pid if hello else 0,
        rank=hello.rank if hello else None,
        ended="exit" if farewell else "unknown",
        watched=len(journal.objects),
        faults=max(farewell.faults if farewell else 0, len(journal.faults)),
    )


def _made(journals: Sequence[Journal], root: Path) -> tuple[Made, ...]:
    """Return how objects of the user's classes were made, a few ways for each class."""
    ways: dict[tuple[str, str], set[Made]] = {}
    for each in (found for journal in journals for found in journal.objects.values()):
        if each.made and each.class_.own:
            name, file = each.class_.own[0]
            place = relative(file, root), name
            ways.setdefault(place, set()).add(Made(*place, tuple(each.made.items())))
    return tuple(way for _, found in sorted(ways.items()) for way in sorted(found)[:MAX_WAYS])


def _files(journals: Sequence[Journal], root: Path) -> tuple[SavedFile, ...]:
    found = {}
    for journal in journals:
        for save in journal.saves:
            path = relative(save.path, root)
            file, line = save.place
            place = relative(file, root), line
            found[path, place] = SavedFile(path, save.how, *place, save.step, not save.optimizer)
    return tuple(found.values())


def relative(path: str, root: Path) -> str:
    """Return a path from the root of the project, or as it is where it lies outside."""
    if not path:
        return ""
    try:
        inside = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    except ValueError:
        return path
    return path if inside.startswith("..") else inside.replace(os.sep, "/")


def _grouped(lost: Sequence[Lost], root: Path) -> list[Loss]:
    """Return one loss for each owner and code, with its attributes; objects that lose the same count together."""
    by_owner: dict[tuple[str, ...], dict[str, Lost]] = {}
    for each in lost:
        key = each.code, each.class_name, each.owner
        by_owner.setdefault(key, {}).setdefault(each.attribute, each)
    merged: dict[tuple[object, ...], list[list[Lost]]] = {}
    for parts in by_owner.values():
        first = min(parts.values(), key=lambda part: part.line)
        alike = first.code, first.line, first.class_name, tuple(sorted(parts))
        merged.setdefault(alike, []).append(
            sorted(parts.values(), key=lambda part: (part.line, part.attribute))
        )
    return sorted(
        (_loss(groups, root) for groups in merged.values()),
        key=lambda loss: (loss.file, loss.line, loss.code),
    )


def _loss(groups: list[list[Lost]], root: Path) -> Loss:
    first = groups[0][0]
    return Loss(
        code=first.code,
        kind=min((part.kind for part in groups[0]), key=KINDS.index),
        file=relative(first.line[0], root),
        line=first.line[1],
        class_name=first.class_name,
        owner=first.owner,
        attributes=tuple(part.attribute for part in groups[0] if part.attribute),
        before=_shown(first.leaf, 0),
        after=_shown(first.leaf, 1),
        objects=len(groups),
        restores=tuple(
            sorted({(relative(file, root), line) for part in groups[0] for file, line in part.restores})
        ),
    )


def _shown(leaf: LeafFacts | None, which: int) -> tuple[float, ...]:
    if leaf is None:
        return ()
    values = (leaf.before, leaf.after)[which]
    return tuple(
        float(f"{each:.{DIGITS}g}") for each in values[:3] if each is not None and math.isfinite(each)
    )
