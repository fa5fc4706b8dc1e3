"""Tables: for each family, which of its writers gives and which of its readers takes which key.

A writer is a function that saves; its calls that bring about the same keys count as one. A reader is
a function with all that it reads, through the functions it calls too; functions that read exactly the
same count as one. What lies below a key has rows of its own where somebody reads it key by key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional
from typing import Union

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.project.contract import TAKEN
from flake8_ckpt.project.contract import Contract
from flake8_ckpt.project.contract import is_state
from flake8_ckpt.project.families import Family
from flake8_ckpt.project.payloads import ANY_KEY
from flake8_ckpt.project.payloads import MAX_LEVELS
from flake8_ckpt.project.payloads import Reading
from flake8_ckpt.project.payloads import Spot
from flake8_ckpt.project.payloads import Writing
from flake8_ckpt.project.payloads import contents
from flake8_ckpt.project.unfold import Callee
from flake8_ckpt.project.wording import held_text
from flake8_ckpt.project.wording import is_name
from flake8_ckpt.project.wording import restored_text

Keys = tuple[str, ...]
# The readings of keys that are missing, each with the places of the writers that leave the key out.
Told = Mapping[tuple[Spot, Keys], set[Spot]]

ALWAYS, MAYBE, NEVER, OPEN = "always", "maybe", "never", "unknown"
REQUIRED, DEFAULT, GUARDED, WHOLE = "required", "default", "guarded", "whole"
NEVER_SAVED, NEVER_RESTORED, NOT_SAVED = "never saved", "never restored", "not saved by"


@dataclass(frozen=True)
class Place:
    """A function, and where in it something happens."""

    function: str
    spot: Spot


@dataclass(frozen=True)
class Column:
    """A writer or reader: where it saves or reads, and where that is called from.

    `is_open` says that a writer may give other keys than those that are known.
    """

    name: str
    places: tuple[Place, ...]
    callers: tuple[Place, ...]
    is_open: bool = False


@dataclass(frozen=True)
class Row:
    """A key: its state at each writer and reader, and where each reader takes it.

    `holds` says what is saved under it, `restores` where it goes, `mark` what does not match.
    """

    keys: Keys
    states: Mapping[str, str]
    holds: str
    restores: str
    mark: str
    reads: tuple[tuple[str, Spot], ...] = ()


@dataclass(frozen=True)
class Table:
    """A family: the columns of its writers, those of its readers, and a row for each key."""

    is_file: bool
    writers: tuple[Column, ...]
    readers: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def paths(self) -> set[str]:
        """Return the files that take part."""
        columns = (*self.writers, *self.readers)
        return {place.spot.path for column in columns for place in (*column.places, *column.callers)}


def tables_of(contract: Contract) -> list[Table]:
    """Return the tables of a project, those of files first; a family of which nothing is known has none."""
    told = _told(contract)
    families = [*contract.families.files, *contract.families.hooks]
    found = [table for family in families if (table := _table(family, told)) is not None]
    return sorted(found, key=_order)


def _order(table: Table) -> tuple[bool, str, int, int]:
    spot = table.writers[0].places[0].spot
    return (not table.is_file, spot.path, spot.position.line, spot.position.col)


def _told(contract: Contract) -> Told:
    found: dict[tuple[Spot, Keys], set[Spot]] = {}
    for missing in contract.missing:
        for reading in missing.readings:
            for depth in range(len(missing.keys), len(reading.keys) + 1):
                origins = found.setdefault((reading.spot, reading.keys[:depth]), set())
                origins.update(writing.origin for writing in missing.writings)
    return found


def _table(family: Family, told: Told) -> Optional[Table]:
    writings = [each for each in family.writings if each.payload != NONE]
    readers = _readers(family)
    if not writings or not readers:
        return None
    keys = list(_keys(writings, [reading for each in readers for reading in each.readings]))
    writers = _writers(writings, keys)
    if family.hook is not None and not any(contents(each.payload).slots for each in writings):
        return None
    rows = [_row(each, writers, readers, told) for each in keys] or _whole(writers, readers)
    if not rows:
        return None
    columns = [each.column() for each in writers], [each.column() for each in readers]
    return Table(family.hook is None, tuple(columns[0]), tuple(columns[1]), tuple(rows))


@dataclass(frozen=True)
class _Writer:
    """Writings of one function that give the same keys."""

    name: str
    writings: Sequence[Writing]

    def state(self, keys: Keys) -> str:
        return _written(keys, self.writings[0].payload)[0]

    def values(self, keys: Keys) -> list[Value]:
        return [value for each in self.writings if (value := _written(keys, each.payload)[1]) is not None]

    def column(self) -> Column:
        places = [Place(_name(each.source), each.origin) for each in self.writings]
        callers = [Place(_name(each.unit), each.spot) for each in self.writings if each.spot != each.origin]
        is_open = any(contents(each.payload).open for each in self.writings)
        return Column(self.name, _distinct(places), _distinct(callers), is_open)


@dataclass(frozen=True)
class _Reader:
    """What one function reads, or several that read the same."""

    name: str
    readings: Sequence[Reading]
    units: Sequence[Callee]

    def below(self, keys: Keys) -> list[Reading]:
        return [each for each in self.readings if each.keys[: len(keys)] == keys]

    def state(self, keys: Keys) -> str:
        below = [each for each in self.below(keys) if each.kind in TAKEN]
        exact = [each for each in below if each.keys == keys]
        if below:
            return _taken(exact or below)
        return WHOLE if any(self._covers(each, keys) for each in self.readings) else NEVER

    def _covers(self, reading: Reading, keys: Keys) -> bool:
        """Tell whether a reading of a part of the path takes all that lies below."""
        known = _known_part(reading.keys)
        if known != keys[: len(known)]:
            return False
        if known != reading.keys or reading.kind not in TAKEN:
            return True
        deeper = [each for each in self.below(known) if each.keys != known]
        inner = {target for each in deeper for target in each.into}
        kept = [each for each in reading.into if isinstance(each, (Attr, Item)) and each not in inner]
        return not deeper or bool(kept)

    def column(self) -> Column:
        first: dict[str, Place] = {}
        for each in sorted(self.readings, key=_reading_order):
            first.setdefault(each.source.identity, Place(_name(each.source), each.spot))
        callers = [Place(_name(each), self._call(each)) for each in self.units if each.identity not in first]
        return Column(self.name, tuple(first.values()), _distinct(callers))

    def _call(self, unit: Callee) -> Spot:
        """Return where a function calls what reads for it."""
        entered = {re.split(r"[.:]", each.via[0])[-1] for each in self.readings if each.via}
        for site in unit.function.calls:
            target = site.call.callee
            if (isinstance(target, Attr) and target.name or _last(target)) in entered:
                return Spot(unit.path, site.position)
        return Spot(unit.path, unit.function.position)


def _last(target: Value) -> str:
    return re.split(r"[.:]", target.path)[-1] if isinstance(target, Name) else ""


def _name(callee: Callee) -> str:
    name = callee.identity.rpartition(":")[2]
    return callee.path if name == "<module>" else name


def _distinct(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(sorted(dict.fromkeys(places), key=_place_order))


def _place_order(place: Place) -> tuple[str, Position, str]:
    return place.spot.path, place.spot.position, place.function


def _reading_order(reading: Reading) -> tuple[bool, str, int, int]:
    position = reading.spot.position
    return (reading.source.identity != reading.unit.identity, reading.spot.path, position.line, position.col)


def _written(keys: Keys, payload: Value) -> tuple[str, Optional[Value]]:
    """Return the state of a key in a payload, and what it holds there."""
    always = True
    for key in keys:
        found = contents(payload)
        if key not in found.slots:
            return (OPEN if found.open else NEVER), None
        always = always and found.slots[key].always
        payload = found.slots[key].value
    return (ALWAYS if always else MAYBE), payload


def _taken(readings: Sequence[Reading]) -> str:
    """Return the strictest way in which a key is read; a reading behind a test for a key is guarded."""
    kinds = {"guarded" if _is_guarded(each, readings) else each.kind for each in readings}
    if "required" in kinds:
        return REQUIRED
    return DEFAULT if "defaulted" in kinds else GUARDED


def _is_guarded(reading: Reading, others: Sequence[Reading]) -> bool:
    if any(guard.startswith(("key:", "nokey:")) for guard in reading.guards):
        return True
    tests = [each for each in others if each.kind == "guarded" and each.keys == reading.keys]
    return (reading.spot.path, reading.spot.position.line) in {
        (each.spot.path, each.spot.position.line) for each in tests
    }


def _known_part(keys: Keys) -> Keys:
    return keys[: keys.index(ANY_KEY)] if ANY_KEY in keys else keys


def _readers(family: Family) -> list[_Reader]:
    entered = {name for each in family.readings for name in each.via}
    units: dict[str, list[Reading]] = {}
    for each in _of_payload(family):
        if each.kind != "returned" or each.unit.identity not in entered:
            units.setdefault(each.unit.identity, []).append(each)
    alike: dict[frozenset[tuple[Keys, str, Spot]], list[list[Reading]]] = {}
    for readings in units.values():
        content = frozenset((each.keys, each.kind, each.spot) for each in readings)
        alike.setdefault(content, []).append(readings)
    groups = sorted(alike.values(), key=lambda each: min(map(_reading_order, each[0])))
    return [
        _Reader(f"R{number}", each[0], [readings[0].unit for readings in each])
        for number, each in enumerate(groups, start=1)
    ]


def _of_payload(family: Family) -> list[Reading]:
    """Return the readings of the payload itself: a hook may look into its other parameters too."""
    if family.hook is None:
        return family.readings
    keyed = {each.root for each in family.readings if each.kind in TAKEN}
    return [each for each in family.readings if not keyed or each.root in keyed]


def _writers(writings: Sequence[Writing], keys: Sequence[Keys]) -> list[_Writer]:
    alike: dict[tuple[object, ...], list[Writing]] = {}
    for each in writings:
        states = tuple(_written(path, each.payload)[0] for path in keys)
        alike.setdefault((each.source.identity, contents(each.payload).open, states), []).append(each)
    groups = sorted(alike.values(), key=lambda each: min(_writing_order(one) for one in each))
    return [_Writer(f"W{number}", each) for number, each in enumerate(groups, start=1)]


def _writing_order(writing: Writing) -> tuple[str, int, int]:
    return (writing.origin.path, writing.origin.position.line, writing.origin.position.col)


def _keys(writings: Sequence[Writing], readings: Sequence[Reading]) -> Iterator[Keys]:
    """Yield the keys of a table, nested ones below their parent: as they are written, then those only read."""
    read = [_visible(each, writings) for each in readings]
    opened = {keys[:depth] for keys in read for depth in range(len(keys))}
    found: dict[Keys, dict[str, None]] = {}
    for writing in writings:
        _add_written((), writing.payload, opened, found)
    for keys in read:
        for depth, key in enumerate(keys):
            found.setdefault(keys[:depth], {})[key] = None
    yield from _flat((), found)


def _visible(reading: Reading, writings: Sequence[Writing]) -> Keys:
    """Return the part of a reading's path that a table shows: not what is inside of an object's state."""
    keys = _known_part(reading.keys)
    for depth in range(1, len(keys)):
        held = [value for each in writings if (value := _written(keys[:depth], each.payload)[1]) is not None]
        if any(is_state(option) for value in held for option in options_of(value)):
            return keys[:depth]
    return keys


def _add_written(
    keys: Keys, payload: Value, opened: set[Keys], found: dict[Keys, dict[str, None]]
) -> None:
    for key, slot in contents(payload).slots.items():
        found.setdefault(keys, {})[key] = None
        if (*keys, key) in opened and len(keys) < MAX_LEVELS:
            _add_written((*keys, key), slot.value, opened, found)


def _flat(keys: Keys, found: Mapping[Keys, Mapping[str, None]]) -> Iterator[Keys]:
    for key in found.get(keys, ()):
        yield (*keys, key)
        yield from _flat((*keys, key), found)


def _row(keys: Keys, writers: Sequence[_Writer], readers: Sequence[_Reader], told: Told) -> Row:
    columns: Sequence[Union[_Writer, _Reader]] = (*writers, *readers)
    below = [(reader, reading) for reader in readers for reading in reader.below(keys)]
    reads = [(reader, reading) for reader, reading in below if reading.kind in TAKEN]
    inner = {target for _, reading in reads if reading.keys != keys for target in reading.into}
    exact = [(reader, reading) for reader, reading in reads if reading.keys == keys]
    return Row(
        keys,
        {each.name: each.state(keys) for each in columns},
        held_text(value for each in writers for value in each.values(keys)),
        restored_text(target for _, reading in exact for target in reading.into if target not in inner),
        _mark(keys, writers, readers, told),
        tuple(dict.fromkeys((reader.name, reading.spot) for reader, reading in exact)),
    )


def _mark(keys: Keys, writers: Sequence[_Writer], readers: Sequence[_Reader], told: Told) -> str:
    """Return what does not match, "" where nothing is certain."""
    written = {each.state(keys) for each in writers}
    if written & {ALWAYS, MAYBE} and all(each.state(keys) == NEVER for each in readers):
        return NEVER_RESTORED
    origins: set[Spot] = set()
    for reader in readers:
        for reading in reader.below(keys):
            origins |= told.get((reading.spot, keys), set())
    lacking = [each for each in writers if each.state(keys) == NEVER]
    if origins and len(lacking) == len(writers):
        return NEVER_SAVED
    names = [each.name for each in lacking if any(writing.origin in origins for writing in each.writings)]
    return f"{NOT_SAVED} {', '.join(names)}" if names else ""


def _whole(writers: Sequence[_Writer], readers: Sequence[_Reader]) -> list[Row]:
    """Return a row for a file that holds one object, without known keys: the state of a model, mostly."""
    holds = held_text(value for each in writers for value in each.values(()))
    if not is_name(holds):
        return []
    states = {each.name: ALWAYS for each in writers} | {each.name: WHOLE for each in readers}
    restores = restored_text(target for reader in readers for each in reader.readings for target in each.into)
    return [Row((), states, holds, restores, "")]
