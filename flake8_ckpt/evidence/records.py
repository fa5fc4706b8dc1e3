"""What a run showed, as it stands in the evidence file; paths are relative to the project, with forward slashes."""

from __future__ import annotations

from typing import Literal
from typing import Optional

from msgspec import Struct

LossKind = Literal["state", "fitted", "object", "note", "replaced", "unrestored"]
Verdict = Literal["confirmed", "refuted", "not seen"]


class Process(Struct, frozen=True):
    """One Python process of the run; one that ended without a word was ended by a signal or ended itself at once."""

    pid: int
    rank: Optional[int]
    ended: Literal["exit", "unknown"]
    watched: int
    faults: int


class SavedFile(Struct, frozen=True):
    """A file that a saving call wrote, with the line that called and the optimizer steps made before."""

    path: str
    how: str
    file: str
    line: int
    step: int
    weights_only: bool


class Loss(Struct, frozen=True):
    """State of one object that changed and is in no file, or that a load did not bring back.

    `file` and `line` are those of the first assignment; the values are the first three; `restores` are the
    lines that would bring it back.
    """

    code: str
    kind: LossKind
    file: str
    line: int
    class_name: str
    owner: str
    attributes: tuple[str, ...]
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()
    objects: int = 1
    written: int = 0
    restores: tuple[tuple[str, int], ...] = ()
    finding: Literal["confirmed", "none"] = "none"


class Made(Struct, frozen=True, order=True):
    """How an object of a class was made: its plain arguments as literals, positional ones under their number."""

    file: str
    class_name: str
    arguments: tuple[tuple[str, str], ...]


class JudgedFinding(Struct, frozen=True):
    """What the run says of one finding of the linter."""

    fingerprint: str
    code: str
    path: str
    line: int
    attribute: str
    verdict: Verdict
    reason: str


class Evidence(Struct, frozen=True):
    """Everything that one run showed."""

    version: int
    command: tuple[str, ...]
    exit_code: int
    steps: int
    complete: bool
    processes: tuple[Process, ...]
    files: tuple[SavedFile, ...]
    losses: tuple[Loss, ...]
    findings: tuple[JudgedFinding, ...]
    noise: dict[str, int]
    seconds: dict[str, float]
    made: tuple[Made, ...] = ()
