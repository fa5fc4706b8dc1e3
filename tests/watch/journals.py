"""Journals as the recorder writes them, of one small class, for tests of the judge."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flake8_ckpt.evidence.collect import collect
from flake8_ckpt.evidence.journals import Journal
from flake8_ckpt.evidence.journals import read_journals
from flake8_ckpt.evidence.records import Evidence

MODULE = "torch.nn.modules.module.Module"
CLASS = """\
class Thing:
    def __init__(self):
        self.value = {first}

    def update(self, x, i):
{update}

    def reset(self):
        {reset}

    def normalize(self, x):
        return x - self.value
"""
SAVE = {"event": "save", "number": 0, "how": "torch.save", "path": "", "place": ["", 0], "step": 20}
HELLO = {"event": "hello", "pid": 1, "parent": 0, "rank": None, "python": "3.11", "folder": "/"}
EXIT = {"event": "exit", "steps": 20, "seconds": 0.0, "faults": 0}


def leaf(kind: str = "tensor", before: str = "", **more: Any) -> dict[str, Any]:
    facts = {"kind": [before or kind, kind], "registration": "", "size": 3, "before": [0.0], "after": [1.0]}
    return {**facts, "changed": True, "prints": 3, "sightings": 4, "file": None, **more}


def thing(folder: Path, bases: Iterable[str] = (), name: str = "Thing", **more: Any) -> dict[str, Any]:
    cls = {"name": name, "module": "m", "own": [[name, str(folder / "m.py")]], "bases": list(bases)}
    facts = {"event": "object", "id": 0, "kind": "project", "class": cls, "leaves": {"value": leaf()}}
    return {**facts, **more}


def library(name: str, **more: Any) -> dict[str, Any]:
    return {"event": "object", "id": 5, "kind": "library", "class": {"name": name, "module": "lib"}, **more}


def journals_of(folder: Path, *processes: list[dict[str, Any]]) -> list[Journal]:
    place = folder / "journals"
    place.mkdir(exist_ok=True)
    for number, events in enumerate(processes):
        lines = [json.dumps(event) for event in (HELLO, *events, EXIT)]
        (place / f"{number}-{number}.jsonl").write_text("\n".join([*lines, '{"event": "obj']))
    return read_journals(place)


def judged(folder: Path, *events: dict[str, Any], optimizer: bool = True) -> Evidence:
    save = {**SAVE, "keys": ["net", "optimizer"], "optimizer": optimizer}
    return collect(journals_of(folder, [save, *events]), ["python", "t.py"], 0, folder)


def write_class(folder: Path, update: str, first: str = "zeros(3)", reset: str = "pass") -> None:
    body = "\n".join(f"        {line}" for line in update.splitlines())
    (folder / "m.py").write_text(CLASS.format(first=first, update=body, reset=reset))
