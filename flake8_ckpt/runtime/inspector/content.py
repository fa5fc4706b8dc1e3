"""What the reader of a kind of file hands over: values that are still as the file nests them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.pickles.machine import GlobalUse
from flake8_ckpt.runtime.inspector.pickles.rebuild import Locate
from flake8_ckpt.runtime.inspector.pickles.safety import SAFE
from flake8_ckpt.runtime.inspector.pickles.safety import is_command
from flake8_ckpt.runtime.inspector.pickles.safety import unsafe_of
from flake8_ckpt.runtime.inspector.pickles.walker import PickleError
from flake8_ckpt.runtime.inspector.pickles.walker import Walked
from flake8_ckpt.runtime.inspector.pickles.walker import walk_pickle
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.values import Value
from flake8_ckpt.runtime.inspector.values import text_of


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
    """A file or a part of one."""

    kind: str
    trees: tuple[Tree, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def describe_unsafe(
    uses: tuple[GlobalUse, ...], place: str, allowed: frozenset[str] = SAFE
) -> tuple[Finding, ...]:
    """Return a finding for each global that is not known to be harmless, those that run commands first."""
    unsafe = sorted(unsafe_of(uses, allowed), key=lambda use: (not is_command(use), use.position))
    return tuple(Finding("unsafe", _sentence(use, place), place) for use in unsafe)


def _sentence(use: GlobalUse, place: str) -> str:
    where = f"global {text_of(use.path)} at byte {use.position:,} of {place}"
    return f"{where} can run code when it is loaded" if is_command(use) else f"{where} imports code"


def walk_member(region: Region, place: str, begin: int = 0, budget: Optional[Budget] = None) -> Walked:
    """Walk a pickle; where it is damaged, say what it would have run before that shows."""
    try:
        return walk_pickle(region, begin, budget or Budget())
    except PickleError as error:
        raise PickleError(f"{place}: {error}{warning_of(error.globals)}", error.globals) from error


def warning_of(uses: tuple[GlobalUse, ...], allowed: frozenset[str] = SAFE) -> str:
    """Return the end of a refusal: loading the file would do harm before it fails."""
    unsafe = [text_of(use.path) for use in unsafe_of(uses, allowed)]
    return f"; before that it names {', '.join(unsafe[:3])}, which is unsafe" if unsafe else ""
