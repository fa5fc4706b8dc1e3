"""The baseline: a file of findings that a project has and does not want to see again.

A finding is known by its fingerprint, which is made of code, path, class, function and attribute or key, never of a
line or a message; the other fields are for those who read the file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import msgspec
from msgspec import Struct

from flake8_ckpt.findings import Finding
from flake8_ckpt.fingerprints import fingerprints

VERSION = 1
MAX_BYTES = 64_000_000
ABOUT = (
    "Findings of flake8-ckpt that are known and not reported;"
    " `flake8-ckpt baseline --prune` drops those that are gone."
)


class BrokenBaseline(ValueError):
    """A baseline that cannot be used; the text is one line that names the file."""


class Entry(Struct, frozen=True, order=True, rename={"class_name": "class"}):
    """A finding that is known; `name` is the attribute or key that is lost."""

    path: str
    code: str
    fingerprint: str
    class_name: str = ""
    symbol: str = ""
    name: str = ""


class Baseline(Struct, frozen=True):
    """The file: its version, and what it knows."""

    version: int
    findings: tuple[Entry, ...]
    about: str = ABOUT


def read_entries(path: Path, *, is_named: bool) -> tuple[Entry, ...]:
    """Return what a baseline holds; nothing where there is no such file and nobody has named it.

    Raises BrokenBaseline where the file cannot be used.
    """
    data = _bytes_of(path, is_named)
    if data is None:
        return ()
    try:
        baseline = msgspec.json.decode(data, type=Baseline)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _broken(path, f"is not a baseline ({error})") from error
    if baseline.version != VERSION:
        raise _broken(path, f"has version {baseline.version}, and this flake8-ckpt reads {VERSION}")
    return baseline.findings


def entries_of(findings: Iterable[Finding], shown: Collection[Finding]) -> list[Entry]:
    """Return the entries for those findings of a file that are shown; what is hidden otherwise counts them too."""
    found = fingerprints(findings)
    return sorted(
        Entry(each.path, each.code, known, each.class_name, each.symbol, each.attribute or each.key)
        for each, known in found.items()
        if each in shown
    )


def as_text(entries: Sequence[Entry]) -> str:
    """Return the file: one line for each finding, so that two branches can be merged."""
    head = msgspec.json.encode(Baseline(VERSION, ())).decode()
    lines = ",\n".join(msgspec.json.encode(each).decode() for each in sorted(entries))
    empty = '"findings":[]'
    return f"{head.replace(empty, _listed(lines))}\n"


def write_entries(path: Path, entries: Sequence[Entry]) -> None:
    """Write a baseline, whole or not at all; raise BrokenBaseline where that is not possible."""
    real = Path(os.path.realpath(path))
    temporary = real.with_name(f"{real.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(as_text(entries), encoding="utf-8")
        os.replace(temporary, real)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BrokenBaseline(f"baseline {path}: cannot be written ({error.strerror or error})") from error


def _listed(lines: str) -> str:
    return f'"findings":[\n{lines}\n]' if lines else '"findings":[]'


def _bytes_of(path: Path, is_named: bool) -> Optional[bytes]:
    try:
        seen = os.stat(path)
        if not stat.S_ISREG(seen.st_mode):
            raise _broken(path, "is not a file")
        if seen.st_size > MAX_BYTES:
            raise _broken(path, f"is larger than {MAX_BYTES // 1_000_000} MB")
        return path.read_bytes()
    except FileNotFoundError as error:
        if is_named:
            raise _broken(path, "is not there") from error
        return None
    except OSError as error:
        raise _broken(path, f"cannot be read ({error.strerror or error})") from error


def _broken(path: Path, what: str) -> BrokenBaseline:
    mend = "write it with flake8-ckpt baseline --write"
    return BrokenBaseline(f"baseline {path}: {what}: mend it, or {mend}")
