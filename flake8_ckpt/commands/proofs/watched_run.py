"""What a watched run tells the one who proves: what changed, and with which arguments objects were made."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from flake8.exceptions import ExecutionError

from flake8_ckpt.evidence.evidence_file import EvidenceError
from flake8_ckpt.evidence.evidence_file import read_evidence

# Literals of plain arguments are short; a longer text is none of ours.
MAX_LITERAL = 4000
Call = Mapping[str, str]


@dataclass(frozen=True)
class WatchedRun:
    """The values of attributes before and after, by file and attribute, and the calls of each class of a file."""

    changes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    calls: Mapping[tuple[str, str], tuple[Call, ...]] = field(default_factory=dict)

    def calls_of(self, path: str, class_name: str) -> tuple[Call, ...]:
        """Return the arguments with which objects of a class were made."""
        return self.calls.get((path, _last(class_name)), ())


def read_run(name: str) -> WatchedRun:
    """Return what an evidence file says; raise `ExecutionError` for what is none."""
    if not name:
        return WatchedRun()
    try:
        evidence = read_evidence(name)
    except EvidenceError as error:
        raise ExecutionError(f"--evidence: {error}") from error
    changes = {
        (loss.file, attribute): f"{list(loss.before)} -> {list(loss.after)}"
        for loss in evidence.losses
        for attribute in loss.attributes
    }
    calls: dict[tuple[str, str], tuple[Call, ...]] = {}
    for made in evidence.made:
        place = made.file, _last(made.class_name)
        plain = {argument: text for argument, text in made.arguments if _is_literal(text)}
        calls[place] = (*calls.get(place, ()), plain)
    return WatchedRun(changes, calls)


def _last(class_name: str) -> str:
    return class_name.rpartition(".")[2]


def _is_literal(text: str) -> bool:
    """Tell whether a text is a plain value: what an evidence file says is evaluated, and must not run code."""
    try:
        ast.literal_eval(text if len(text) <= MAX_LITERAL else "")
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True
