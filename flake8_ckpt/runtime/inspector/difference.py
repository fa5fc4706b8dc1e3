"""Compare two checkpoints: keys, shapes and dtypes, and which values moved from one to the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import dataclass
from typing import Literal

from flake8_ckpt.runtime.inspector.report import Entry
from flake8_ckpt.runtime.inspector.report import Report
from flake8_ckpt.runtime.inspector.report import Statistics
from flake8_ckpt.runtime.inspector.roles import TOP_LEVEL
from flake8_ckpt.runtime.inspector.table import plural
from flake8_ckpt.runtime.inspector.table import printable

VERSION = 1
MOST_LINES = 200
Kind = Literal["only in the first", "only in the second", "shape", "dtype", "values", "not compared"]


@dataclass(frozen=True)
class Change:
    """One key that differs, with what each file has."""

    key: str
    kind: Kind
    first: str
    second: str


@dataclass(frozen=True)
class Difference:
    """What differs, how many keys are equal, and the normalizers that are equal where other values moved."""

    first: str
    second: str
    changes: tuple[Change, ...]
    equal: int
    still: tuple[str, ...]

    @property
    def has_other_keys(self) -> bool:
        """Tell whether one file would not load where the other does."""
        return any(change.kind not in ("values", "not compared") for change in self.changes)


def compare_reports(first: Report, second: Report) -> Difference:
    """Return how two reports with digests differ, in the order of the first, then what only the second has."""
    ours = {entry.key: entry for entry in first.entries}
    others = {entry.key: entry for entry in second.entries}
    changes = [change for key, entry in ours.items() for change in _changes(entry, others.get(key))]
    changes += [
        Change(key, "only in the second", "", _layout(entry))
        for key, entry in others.items()
        if key not in ours
    ]
    changed = {change.key for change in changes}
    equal = [key for key in ours if key not in changed]
    moved = any(change.kind == "values" for change in changes)
    still = tuple(name for name in first.normalizers if moved and _is_still(name, ours, changed))
    return Difference(first.path, second.path, tuple(changes), len(equal), still)


def _changes(ours: Entry, other: Entry | None) -> Iterator[Change]:
    if other is None:
        yield Change(ours.key, "only in the first", _layout(ours), "")
    elif ours.shape != other.shape:
        yield Change(ours.key, "shape", _layout(ours), _layout(other))
    elif ours.dtype != other.dtype:
        yield Change(ours.key, "dtype", ours.dtype, other.dtype)
    elif not ours.digest or not other.digest:
        yield Change(ours.key, "not compared", _layout(ours), _layout(other))
    elif ours.digest != other.digest:
        yield Change(ours.key, "values", _values(ours), _values(other))


def _is_still(name: str, entries: dict[str, Entry], changed: set[str]) -> bool:
    """Tell whether no statistic of a normalizer changed."""
    prefix = "" if name == TOP_LEVEL else name
    members = [key for key, entry in entries.items() if entry.role and key.startswith(prefix)]
    return bool(members) and changed.isdisjoint(members)


def _layout(entry: Entry) -> str:
    return f"{entry.dtype} {'x'.join(map(str, entry.shape)) or 'scalar'}"


def _values(entry: Entry) -> str:
    known: Statistics | None = entry.statistics
    if entry.storage is None and len(entry.digest) < 60:
        return entry.digest.strip("(,)")
    if known is None or known.minimum is None or known.maximum is None:
        return ""
    same = known.minimum == known.maximum
    return f"{known.minimum:.4g}" if same else f"{known.minimum:.4g} to {known.maximum:.4g}"


def difference_text(found: Difference) -> str:
    """Return the difference as lines; "-" is in the first alone, "+" in the second, "~" in both."""
    lines = [
        f"{found.first} and {found.second}: {plural(len(found.changes), 'key')} differ, {found.equal:,} equal"
    ]
    lines += [_line(change) for change in found.changes[:MOST_LINES]]
    if found.changes[MOST_LINES:]:
        lines.append(f"and {len(found.changes) - MOST_LINES:,} more (--json lists them)")
    if found.still:
        lines.append(f"Normalizers that did not move while other values did: {', '.join(found.still)}")
    return "".join(f"{printable(line)}\n" for line in lines)


def _line(change: Change) -> str:
    if change.kind == "only in the first":
        return f"- {change.key}  {change.first}"
    if change.kind == "only in the second":
        return f"+ {change.key}  {change.second}"
    sides = f": {change.first} -> {change.second}" if change.first and change.second else ""
    return f"~ {change.key}  {change.kind}{sides}"


def difference_json(found: Difference) -> str:
    """Return the difference as one JSON object."""
    return f"{json.dumps({'version': VERSION, **asdict(found)}, indent=2)}\n"
