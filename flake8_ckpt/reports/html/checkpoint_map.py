"""Where the parts of a checkpoint's picture stand: its writers on the left, its keys, its readers on the right."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from typing import Optional

from flake8_ckpt.contract_view.columns import Column
from flake8_ckpt.contract_view.columns import FunctionSpot
from flake8_ckpt.contract_view.rows import Mismatch
from flake8_ckpt.contract_view.rows import Row
from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.reports.plain_text import one_line

Side = Literal["writer", "reader"]
ROW, PILL, MARGIN = 32, 24, 12
# So many keys are drawn; the table below the picture has all.
MAX_KEYS = 30
MANY_LINES = 90
# Width of a character of the font for code at its size in the picture.
CHARACTER = 7.3
# Only "not saved by some" says nothing of the other side.
CROSSED: Mapping[str, tuple[Side, ...]] = {
    "never saved": ("writer",),
    "never restored": ("reader",),
    "in no key": ("writer", "reader"),
}


@dataclass(frozen=True)
class Layout:
    """The widths of a picture: of a box at its side, of a key, and of the space for lines between them."""

    box: int
    box_height: int
    key: int
    gap: int

    @property
    def width(self) -> int:
        """Return the width of the whole picture."""
        return 2 * (self.box + self.gap) + self.key

    @property
    def key_left(self) -> int:
        """Return where the keys begin."""
        return self.box + self.gap


WIDE = Layout(box=250, box_height=50, key=260, gap=100)
# For a phone: a box shows its number only, which the list below the picture explains.
NARROW = Layout(box=32, box_height=26, key=170, gap=43)


@dataclass(frozen=True)
class Box:
    """A writer or reader."""

    side: Side
    name: str
    title: str
    place: str
    x: float
    y: float


@dataclass(frozen=True)
class Key:
    """A key; `label` is as much of it as there is room for. `is_absent` says that it is an object without one."""

    label: str
    text: str
    x: float
    y: float
    width: float
    is_broken: bool
    is_absent: bool


@dataclass(frozen=True)
class Line:
    """A curve between a box and a key, its `ends`; a broken one ends in a cross, which stands at `cross`."""

    path: str
    kind: str
    ends: tuple[str, str]
    is_broken: bool = False
    cross: Optional[tuple[float, float]] = None


@dataclass(frozen=True)
class Picture:
    """All that is drawn."""

    layout: Layout
    height: float
    boxes: tuple[Box, ...]
    keys: tuple[Key, ...]
    lines: tuple[Line, ...]

    @property
    def is_dense(self) -> bool:
        """Tell whether the lines would hide each other."""
        return len(self.lines) > MANY_LINES


def draw(table: Table, layout: Layout) -> Picture:
    """Return the picture of a checkpoint."""
    step = layout.box_height + MARGIN
    rows = _drawn(table.rows)
    height = max(len(rows) * ROW, max(len(table.writers), len(table.readers)) * step) + MARGIN
    left = _boxes("writer", table.writers, layout, height, 0)
    right = _boxes("reader", table.readers, layout, height, layout.width - layout.box)
    top = (height - len(rows) * ROW) / 2
    keys = [_key(row, layout, top + number * ROW) for number, row in enumerate(rows)]
    lines = [
        line
        for row, key in zip(rows, keys)
        for line in (*_lines(row, key, (*left, *right), layout), *_crosses(row.mismatch, key, layout))
    ]
    return Picture(
        layout, height, (*left, *right), tuple(keys), tuple(sorted(lines, key=lambda one: one.is_broken))
    )


def _drawn(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the keys that a picture has room for, those that do not match among them."""
    agreeing = [row for row in rows if row.mismatch is None]
    left_out = {row.keys for row in agreeing[max(0, MAX_KEYS - len(rows) + len(agreeing)) :]}
    return [row for row in rows if row.keys not in left_out]


def _boxes(side: Side, columns: Sequence[Column], layout: Layout, height: float, x: float) -> list[Box]:
    step = height / max(len(columns), 1)
    return [
        _box(side, each, columns, x, step * (number + 0.5) - layout.box_height / 2)
        for number, each in enumerate(columns)
    ]


def _box(side: Side, column: Column, columns: Sequence[Column], x: float, y: float) -> Box:
    place = own_place(column, columns)
    others = len({each.function for each in column.places} - {place.function})
    title = one_line(place.function) + (f" +{others}" if others else "")
    return Box(side, column.name, title, one_line(str(place.location)), x, y)


def own_place(column: Column, columns: Sequence[Column]) -> FunctionSpot:
    """Return the place that tells a column from the others: not the helper that all of them call."""
    shared = {spot.function for each in columns if each != column for spot in each.places}
    own = (each for each in (*column.places, *column.callers) if each.function not in shared)
    return next(own, column.places[0])


def _key(row: Row, layout: Layout, y: float) -> Key:
    indent = max(len(row.keys) - 1, 0) * 12
    text = name_of(row)
    width = layout.key - indent
    return Key(
        shortened(one_line(row.keys[-1]) if row.keys else text, width - 16),
        text,
        layout.key_left + indent,
        y + (ROW - PILL) / 2,
        width,
        row.mismatch is not None,
        row.mismatch is not None and row.mismatch.kind == "in no key",
    )


def name_of(row: Row) -> str:
    """Return a key with those above it; a payload that is one object has none."""
    return one_line(" > ".join(row.keys)) if row.keys else "(the whole file)"


def shortened(text: str, width: float) -> str:
    """Return as much of the end of a text as a width in pixels has room for."""
    room = int(width / CHARACTER)
    return text if len(text) <= room else f"…{text[len(text) - room + 1 :]}"


def _lines(row: Row, key: Key, boxes: Sequence[Box], layout: Layout) -> Iterator[Line]:
    """Yield the lines of what is given and taken, and the broken one of a writer that leaves the key out."""
    left_out = row.mismatch.writers if row.mismatch is not None else ()
    is_broken = row.mismatch is not None and not left_out
    for box in boxes:
        state = row.states.get(box.name, "never")
        if state != "never":
            yield Line(_between(box, key, layout), state, (box.name, key.text), is_broken)
        elif box.name in left_out:
            x, y = _middle(box, key, layout)
            yield Line(_between(box, key, layout), "left-out", (box.name, key.text), True, (x, y))


def _crosses(mismatch: Optional[Mismatch], key: Key, layout: Layout) -> Iterator[Line]:
    """Yield the stump of each link that is missing on a whole side."""
    y, length = key.y + PILL / 2, layout.gap * 0.45
    for side in CROSSED.get(mismatch.kind, ()) if mismatch is not None else ():
        start, end = (
            (key.x, key.x - length) if side == "writer" else (key.x + key.width, key.x + key.width + length)
        )
        yield Line(f"M{start:g} {y:g}H{end:g}", "left-out", ("", key.text), True, (end, y))


def _ends(box: Box, key: Key, layout: Layout) -> tuple[float, float, float, float]:
    y = box.y + layout.box_height / 2
    if box.side == "writer":
        return layout.box, y, key.x, key.y + PILL / 2
    return key.x + key.width, key.y + PILL / 2, box.x, y


def _between(box: Box, key: Key, layout: Layout) -> str:
    x, y, end_x, end_y = _ends(box, key, layout)
    bend = (end_x - x) / 2
    return f"M{x:g} {y:g}C{x + bend:g} {y:g} {end_x - bend:g} {end_y:g} {end_x:g} {end_y:g}"


def _middle(box: Box, key: Key, layout: Layout) -> tuple[float, float]:
    x, y, end_x, end_y = _ends(box, key, layout)
    return (x + end_x) / 2, (y + end_y) / 2
