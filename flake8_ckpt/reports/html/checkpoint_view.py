"""A checkpoint as the page shows it: its picture, and the same in words for those who cannot see one."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from flake8_ckpt.contract_view.columns import Column
from flake8_ckpt.contract_view.rows import Row
from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.findings import Finding
from flake8_ckpt.reports.html.checkpoint_map import NARROW
from flake8_ckpt.reports.html.checkpoint_map import WIDE
from flake8_ckpt.reports.html.checkpoint_map import Picture
from flake8_ckpt.reports.html.checkpoint_map import draw
from flake8_ckpt.reports.html.checkpoint_map import name_of
from flake8_ckpt.reports.html.checkpoint_map import own_place
from flake8_ckpt.reports.plain_text import one_line
from flake8_ckpt.reports.report import Entry

STATES = {
    "always": "",
    "maybe": "at times",
    "unknown": "not known",
    "required": "",
    "default": "else a default",
    "guarded": "if it is there",
    "whole": "taken with all else",
}


@dataclass(frozen=True)
class RowView:
    """A key in words; `anchor` is that of a finding about it."""

    name: str
    holds: str
    saved: str
    restored: str
    mismatch: str
    anchor: str


@dataclass(frozen=True)
class CheckpointView:
    """A checkpoint: `broken` has the keys that do not match, and the objects that no key holds."""

    anchor: str
    title: str
    kind: str
    wide: Picture
    narrow: Picture
    sides: Sequence[tuple[str, str, Sequence[str]]]
    count: int
    rows: Sequence[RowView]
    broken: Sequence[str]


def anchor_of(entry: Entry) -> str:
    """Return the name under which the page has a finding."""
    return f"finding-{entry.fingerprint}"


def view_of(table: Table, number: int, findings: Sequence[Entry]) -> CheckpointView:
    """Return a checkpoint as it is shown; `findings` are those of the report, to which broken keys lead."""
    rows = [_row(each, table, findings) for each in table.rows]
    return CheckpointView(
        f"checkpoint-{number}",
        _title(table),
        "file" if table.is_file else "pair of methods",
        draw(table, WIDE),
        draw(table, NARROW),
        [
            *(_side("saves", each) for each in table.writers),
            *(_side("restores", each) for each in table.readers),
        ],
        sum(each.mismatch is None or each.mismatch.kind != "in no key" for each in table.rows),
        rows,
        [each.name for each in rows if each.mismatch],
    )


def _title(table: Table) -> str:
    writer = own_place(table.writers[0], table.writers)
    reader = own_place(table.readers[0], table.readers)
    return one_line(f"{writer.function} → {reader.function}")


def _side(verb: str, column: Column) -> tuple[str, str, Sequence[str]]:
    places = [one_line(f"{each.function} ({each.location})") for each in column.places]
    callers = [one_line(f"called from {each.function} ({each.location})") for each in column.callers]
    return column.name, verb, [*places, *callers]


def _row(row: Row, table: Table, findings: Sequence[Entry]) -> RowView:
    return RowView(
        name_of(row),
        one_line(row.holds),
        _in_words(row, table.writers),
        _in_words(row, table.readers),
        row.mismatch.text if row.mismatch is not None else "",
        _anchor(row, table, findings) or "",
    )


def _in_words(row: Row, columns: Sequence[Column]) -> str:
    """Return who gives or takes a key, those of one kind together: "W1, W2; at times: W3"."""
    names: dict[str, list[str]] = {}
    for each in columns:
        if row.states[each.name] in STATES:
            names.setdefault(STATES[row.states[each.name]], []).append(each.name)
    words = (
        f"{state}: {', '.join(those)}" if state else ", ".join(those)
        for state, those in sorted(names.items())
    )
    return "; ".join(words) or "nobody"


def _anchor(row: Row, table: Table, findings: Sequence[Entry]) -> Optional[str]:
    """Return the anchor of the finding about a key that does not match."""
    if row.mismatch is None or not row.keys:
        return None
    reads = {(location.path, location.position.line) for _, location in row.reads}
    if row.mismatch.kind == "in no key":
        about = (each for each in findings if _is_about(each.finding, row.keys[-1]))
        return next((anchor_of(each) for each in about if reads & {*_places(each.finding)}), None)
    within = [each for each in findings if each.finding.path in table.paths]
    named = [each for each in within if each.finding.key == row.keys[-1]]
    shown = [each for each in within if reads & {*_places(each.finding)}]
    return next((anchor_of(each) for each in (*named, *shown)), None)


def _is_about(finding: Finding, name: str) -> bool:
    return name in (finding.key, f"self.{finding.attribute}")


def _places(finding: Finding) -> Iterator[tuple[str, int]]:
    yield finding.path, finding.position.line
    yield from ((each.path, each.position.line) for each in finding.related)
