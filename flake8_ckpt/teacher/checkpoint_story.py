"""What the checkpoints hold that a place of the code takes part in: given, read, left out and unknown."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator

from flake8_ckpt.contract_view.columns import Column
from flake8_ckpt.contract_view.rows import Row
from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Spot

# A checkpoint with more keys is shown in full by `flake8-ckpt contract`.
MAX_KEYS = 12
MAX_READS = 3
Line = tuple[str, int]


def lines_of(finding: Finding) -> set[Line]:
    """Return the lines that a finding is about."""
    places = [(finding.path, finding.position), *((each.path, each.position) for each in finding.related)]
    return {(path, position.line) for path, position in places}


def tables_with(tables: Iterable[Table], lines: Collection[Line]) -> list[Table]:
    """Return the checkpoints that are written, or of which a key is read, in one of some lines."""
    return [each for each in tables if not _lines(each).isdisjoint(lines)]


def tables_in(tables: Iterable[Table], path: str, class_name: str) -> list[Table]:
    """Return the checkpoints that methods of a class write or read."""
    return [
        each
        for each in tables
        for column in (*each.writers, *each.readers)
        if any(
            place.location.path == path and place.function.startswith(f"{class_name}.")
            for place in column.places
        )
    ]


def checkpoint_story(table: Table) -> Iterator[str]:
    """Yield what the writers of a checkpoint give, what its readers look for in vain, and what nobody takes."""
    for writer in table.writers:
        given = [row for row in table.rows if row.states.get(writer.name) in ("always", "maybe")]
        more = ", and perhaps keys that are not known" if writer.is_open else ""
        yield f"**What is saved** at {_place(writer)}: {_keys(given) or 'no key that is known'}{more}."
    missing = [
        row for row in table.rows if row.mismatch is not None and row.mismatch.kind != "never restored"
    ]
    if missing:
        reads = sorted({str(spot) for row in missing for _, spot in row.reads})
        where = f" (read at {', '.join(reads[:MAX_READS])})" if reads else ""
        yield f"**What is not**: {_keys(missing)}{where}."
    left = [row for row in table.rows if row.mismatch is not None and row.mismatch.kind == "never restored"]
    if left:
        yield f"**What no load takes back**: {_keys(left)}."


def _lines(table: Table) -> set[Line]:
    columns = (*table.writers, *table.readers)
    spots = [place.location for column in columns for place in (*column.places, *column.callers)]
    spots += [spot for row in table.rows for _, spot in row.reads]
    return {_line(each) for each in spots}


def _line(spot: Spot) -> Line:
    return spot.path, spot.position.line


def _place(column: Column) -> str:
    first = column.places[0]
    return f"{first.location} (`{first.function}`)"


def _keys(rows: Iterable[Row]) -> str:
    names = [f"`{'.'.join(row.keys)}`" for row in rows if row.keys]
    more = f" and {len(names) - MAX_KEYS} more" if len(names) > MAX_KEYS else ""
    return ", ".join(names[:MAX_KEYS]) + more
