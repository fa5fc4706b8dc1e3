"""What the parent asks of the process that runs the user's code, and what that answers; both travel as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import Literal

Verdict = Literal["proven", "refuted", "not built"]


@dataclass(frozen=True)
class Question:
    """One finding: its code, the attribute of the class that it calls lost, and its lines in the file."""

    code: str
    attribute: str
    line: int = 0
    end_line: int = 0


@dataclass(frozen=True)
class Request:
    """What to prove about one class: where it stands, and the arguments that calls elsewhere give it.

    `text` replaces the content of the file where a fix was applied. `calls` has the arguments of each call of the
    class as source text, positional ones under their number; `heirs` the file and the name of classes that derive
    from it. `state` is a file of an older `state_dict`: where
    `is_fixed`, it is loaded, and otherwise written; then the object is made with `moves` as it was before.
    """

    root: str
    path: str
    class_name: str
    questions: tuple[Question, ...]
    text: str | None = None
    calls: tuple[Mapping[str, str], ...] = ()
    heirs: tuple[tuple[str, str], ...] = ()
    state: str = ""
    is_fixed: bool = False
    moves: bool = False


@dataclass(frozen=True)
class Answer:
    """What became of one question.

    `built` and `ran` are the expressions that made the object and changed it; `lost` says in one line each what
    did not come back; `reason` why a question could not be answered; `older` what loading an older file did.
    `arguments` are those of `built`; `moves` says that `.to()` gave new tensors, as where the device is another.
    """

    verdict: Verdict
    reason: str = ""
    built: str = ""
    ran: str = ""
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    older: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    moves: bool = False


@dataclass(frozen=True)
class Outcome:
    """The answers in the order of the questions, and how the process was walled in."""

    answers: tuple[Answer, ...] = ()
    walls: tuple[str, ...] = field(default=())


def write_request(request: Request, path: Path) -> None:
    """Write a request as JSON."""
    path.write_text(json.dumps(asdict(request)), encoding="utf-8")


def read_request(path: Path) -> Request:
    """Return a request from its JSON."""
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    questions = tuple(Question(**each) for each in fields.pop("questions"))
    heirs = tuple((path, name) for path, name in fields.pop("heirs"))
    return Request(questions=questions, calls=tuple(fields.pop("calls")), heirs=heirs, **fields)


def write_outcome(outcome: Outcome, path: Path) -> None:
    """Write an outcome as JSON, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    part.replace(path)


def read_outcome(path: Path) -> Outcome:
    """Return an outcome from its JSON; raise `ValueError` for what is none."""
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    answers = tuple(
        Answer(**{**each, "lost": tuple(each["lost"]), "notes": tuple(each["notes"])})
        for each in fields["answers"]
    )
    return Outcome(answers, tuple(fields["walls"]))
