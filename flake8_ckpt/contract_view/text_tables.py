"""How the subcommand `contract` prints its tables for a person."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from flake8_ckpt.contract_view.columns import Column
from flake8_ckpt.contract_view.columns import FunctionSpot
from flake8_ckpt.contract_view.columns import Keys
from flake8_ckpt.contract_view.rows import Row
from flake8_ckpt.contract_view.rows import Table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.padding import Padding

NOTHING = "No checkpoint found: no code that saves keys and code that reads them belong together."
# Where nobody watches, lines are as long as they are: their breaks must not depend on a terminal.
UNBROKEN = 10_000
# Spaces between the columns, and dashes below the head: characters that every encoding has.
BOX = "    \n    \n -  \n    \n    \n    \n    \n    \n"
MAX_COLUMNS = 6
MAX_PLACES = 3
MAX_LINES = 8
MAX_LISTED = 12
MAX_UNREAD = 8
SHOWN = {"never": "-", "unknown": "?"}
WHOLE_PAYLOAD = "(whole)"
HOLDS = "holds"
MIN_CONTENT = 16
MISMATCHES = ("never saved", "never restored", "not saved by")


def as_text(tables: Sequence[Table], is_terminal: bool, in_full: bool = True) -> str:
    """Return the tables as text, coloured and fitted to the terminal only where there is one.

    Where they are not shown `in_full`, one without a mismatch is a line.
    """
    console = _console(is_terminal)
    brief = [each for each in tables if not in_full and not each.has_mismatch]
    for each in brief:
        _line(console, _in_one_line(each))
    if brief:
        console.print()
    for each in tables:
        if in_full or each.has_mismatch:
            _show(each, console)
    _line(console, _summary(tables) if tables else NOTHING)
    printed = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    return printed if is_terminal else "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def _show(table: Table, console: Console) -> None:
    """Print a table with its title, its writers and its readers."""
    _line(console, _title(table), "bold")
    for column in (*table.writers, *table.readers):
        if _is_listed(column, table):
            _line(console, f"  {column.name:<3} {_legend(column, any(row.keys for row in table.rows))}")
    for line in _left_out(table):
        _line(console, f"      {line}")
    console.print(_grid(table, console.width))
    console.print()


def _in_one_line(table: Table) -> str:
    count = len(table.rows)
    place = table.writers[0].places[0].location
    return f"{_title(table)}: {count} key{'s' if count > 1 else ''}, no mismatch ({place})"


def _console(is_terminal: bool) -> Console:
    """Return a console that keeps what is printed; rich is imported only here."""
    from rich.console import Console

    options: dict[str, Any] = {} if is_terminal else {"width": UNBROKEN, "color_system": None}
    return Console(
        file=io.StringIO(), force_terminal=is_terminal, force_jupyter=False, highlight=False, **options
    )


def _line(console: Console, text: str, style: str = "") -> None:
    """Print a line as it is: names in it are no markup, and paths are not broken."""
    from rich.text import Text

    console.print(Text(text, style), soft_wrap=True)


def _title(table: Table) -> str:
    writers = _functions(table.writers)
    readers = _functions(table.readers)
    return f"{'File' if table.is_file else 'Methods'}: {writers} / {readers}"


def _functions(columns: Iterable[Column]) -> str:
    return _bounded(dict.fromkeys(place.function for column in columns for place in column.places))


def _bounded(texts: Iterable[str], limit: int = MAX_PLACES) -> str:
    found = list(texts)
    more = len(found) - limit
    return ", ".join(found[:limit]) + (f" and {more} more" if more > 0 else "")


def _is_listed(column: Column, table: Table) -> bool:
    columns = table.writers if column in table.writers else table.readers
    return columns.index(column) < MAX_LISTED


def _left_out(table: Table) -> Iterator[str]:
    for word, columns in (("writers", table.writers), ("readers", table.readers)):
        if len(columns) > MAX_LISTED:
            yield f"and {len(columns) - MAX_LISTED} more {word}: --output-format=json lists them"


def _legend(column: Column, has_keys: bool) -> str:
    """Return where a column's keys are saved or read; places of one function and file stand together."""
    first, *others = _place_texts(column.places, "")
    parts = [first]
    if others:
        parts.append(f"with {_bounded(others)}")
    if column.callers:
        parts.append(f"called from {_bounded(_place_texts(column.callers, column.places[0].location.path))}")
    if column.is_open and has_keys:
        parts.append("other keys are possible")
    return "; ".join(parts)


def _place_texts(places: Iterable[FunctionSpot], here: str) -> Iterator[str]:
    """Yield places as `path:lines function`, without the path where it is `here`."""
    lines: dict[tuple[str, str], list[str]] = {}
    for each in places:
        lines.setdefault((each.location.path, each.function), []).append(str(each.location.position.line))
    for (path, function), numbers in lines.items():
        if path == here and function != path:
            yield f"line{'s' if len(numbers) > 1 else ''} {_bounded(numbers, MAX_LINES)} of {function}"
        else:
            yield f"{path}:{_bounded(numbers, MAX_LINES)}" + (f" {function}" if function != path else "")


def _grid(table: Table, width: int) -> Padding:
    """Return a table of keys and states; where there is no room, cells are folded and never cut."""
    from rich.box import Box
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text

    heads, *rows = cells = _cells(table)
    needed = sum(max(map(len, column)) for head, *column in zip(*cells) if head != HOLDS)
    has_room = needed + 2 * len(heads) + MIN_CONTENT <= width
    grid = Grid(box=Box(BOX, ascii=True), collapse_padding=True, pad_edge=False, show_edge=False)
    for head in heads:
        grid.add_column(Text(head), overflow="fold", no_wrap=has_room and head != HOLDS)
    for row in rows:
        grid.add_row(*(Text(cell, _style(cell)) for cell in row))
    return Padding(grid, (0, 0, 0, 2), expand=False)


def _cells(table: Table) -> list[list[str]]:
    """Return the head of a table and its rows; the last column is there where something does not match."""
    columns = [*_grouped(table.writers), *_grouped(table.readers)]
    rows = [
        [_key_text(row.keys), *(_state(row, each) for each in columns), _content(row), _mismatch_text(row)]
        for row in _collapsed(table.rows)
    ]
    cells = [["key", *map(_heading, columns), HOLDS, "mismatch"], *rows]
    return cells if any(row[-1] for row in rows) else [row[:-1] for row in cells]


def _mismatch_text(row: Row) -> str:
    return row.mismatch.text if row.mismatch is not None else ""


def _grouped(columns: Sequence[Column]) -> list[Sequence[Column]]:
    """Return the columns one by one, or all as one where they are too many for a page."""
    return [columns] if len(columns) > MAX_COLUMNS else [[each] for each in columns]


def _heading(columns: Sequence[Column]) -> str:
    return columns[0].name if len(columns) == 1 else f"{columns[0].name}-{columns[-1].name}"


def _state(row: Row, columns: Sequence[Column]) -> str:
    """Return the state that some columns share, or how many of them have the key."""
    states = Counter(row.states[each.name] for each in columns)
    if len(states) == 1:
        return next(SHOWN.get(state, state) for state in states)
    having = len(columns) - states["never"] - states["unknown"]
    return f"{having}/{len(columns)}" if having else SHOWN["unknown"]


def _style(cell: str) -> str:
    if cell in SHOWN.values():
        return "dim"
    return "red" if cell.startswith(MISMATCHES) else ""


def _content(row: Row) -> str:
    return row.holds or (f"into {row.restores}" if row.restores else "")


def _key_text(keys: Keys) -> str:
    """Return a key with its parents; one that is no plain text is quoted."""
    return ".".join(key if key.isprintable() and key else repr(key) for key in keys) or WHOLE_PAYLOAD


def _collapsed(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows, with one in place of many below the same key that nobody asks for."""
    unread = Counter(row.keys[:-1] for row in rows if _is_unread(row))
    told: set[Keys] = set()
    for row in rows:
        parent = row.keys[:-1]
        if not _is_unread(row) or unread[parent] <= MAX_UNREAD:
            yield row
        elif parent not in told:
            told.add(parent)
            yield Row((*parent, "*"), row.states, f"{unread[parent]} other keys", "", row.mismatch)


def _is_unread(row: Row) -> bool:
    return len(row.keys) > 1 and not row.reads


def _summary(tables: Sequence[Table]) -> str:
    """Return how many families and mismatches there are."""
    rows = [row for table in tables for row in table.rows]
    marks = Counter(row.mismatch.kind for row in rows if row.mismatch is not None)
    groups = f"{len(tables)} {'family' if len(tables) == 1 else 'families'}"
    found = [f"{count} {mark}" for mark, count in sorted(marks.items())]
    return f"{groups}; {', '.join(found) if found else 'no mismatch'}."
