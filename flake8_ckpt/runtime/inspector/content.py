"""What the reader of a kind of file hands over: values that are still as the file nests them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.pickles.machine import GlobalUse
from flake8_ckpt.runtime.inspector.pickles.rebuild import Locate
from flake8_ckpt.runtime.inspector.pickles.safety import SAFE
from flake8_ckpt.runtime.inspector.pickles.safety import level_of
from flake8_ckpt.runtime.inspector.pickles.safety import unsafe_of
from flake8_ckpt.runtime.inspector.pickles.walker import PickleError
from flake8_ckpt.runtime.inspector.pickles.walker import Walked
from flake8_ckpt.runtime.inspector.pickles.walker import walk_pickle
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.values import Value
from flake8_ckpt.runtime.inspector.values import text_of

DOES = {
    "command": "can run code when it is loaded",
    "unknown": "imports unknown code",
    "library": "imports a known library",
}


def nowhere(key: str) -> Optional[Region]:
    """Locate no storage."""
    return None


@dataclass(frozen=True)
class Tree:
    """The value of one pickle or header, where its storages are, and the first part of its keys."""

    root: Value
    locate: Locate = nowhere
    prefix: tuple[str, ...] = ()
    is_big_endian: bool = False


@dataclass(frozen=True)
class Content:
    """A file or a part of one; of an archive, `covered` has how the names of the members begin that were read."""

    kind: str
    trees: tuple[Tree, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()


def describe_unsafe(
    uses: tuple[GlobalUse, ...], place: str, allowed: frozenset[str] = SAFE
) -> tuple[Finding, ...]:
    """Return a finding for each global that is not known to be harmless, those that run commands first."""
    unsafe = sorted(unsafe_of(uses, allowed), key=lambda use: (level_of(use) != "command", use.position))
    return tuple(_finding(use, place) for use in unsafe)


def _finding(use: GlobalUse, place: str) -> Finding:
    level = level_of(use)
    kind = "imports" if level == "library" else "unsafe"
    where = f"global {text_of(use.path)} at byte {use.position:,} of {place}"
    return Finding(kind, f"{where} {DOES[level]}", place, level)


def walk_member(region: Region, place: str, begin: int = 0, budget: Optional[Budget] = None) -> Walked:
    """Walk a pickle; where it is damaged, say what it would have run before that shows."""
    try:
        return walk_pickle(region, begin, budget or Budget())
    except PickleError as error:
        raise PickleError(f"{place}: {error}{warning_of(error.globals)}", error.globals) from error


def warning_of(uses: tuple[GlobalUse, ...], allowed: frozenset[str] = SAFE) -> str:
    """Return the end of a refusal: loading the file would do harm before it fails."""
    unsafe = [text_of(use.path) for use in unsafe_of(uses, allowed) if level_of(use) != "library"]
    return f"; before that it names {', '.join(unsafe[:3])}, which is unsafe" if unsafe else ""
