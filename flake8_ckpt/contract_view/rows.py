"""Tables: for each group, which of its writers gives and which of its readers takes which key.

What lies below a key has rows of its own where somebody reads it key by key.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from typing import Optional
from typing import Union

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.formats import TAKEN
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import MAX_LEVELS
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.contract_view.columns import Column
from flake8_ckpt.contract_view.columns import Keys
from flake8_ckpt.contract_view.columns import LoadState
from flake8_ckpt.contract_view.columns import Reader
from flake8_ckpt.contract_view.columns import SaveState
from flake8_ckpt.contract_view.columns import Writer
from flake8_ckpt.contract_view.columns import known_part
from flake8_ckpt.contract_view.columns import readers_of
from flake8_ckpt.contract_view.columns import writers_of
from flake8_ckpt.contract_view.columns import written
from flake8_ckpt.contract_view.reported import Reported
from flake8_ckpt.contract_view.value_text import held_text
from flake8_ckpt.contract_view.value_text import is_name
from flake8_ckpt.contract_view.value_text import restored_text
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linked_project import Project


@dataclass(frozen=True)
class Mismatch:
    """What does not match at a key: in all writers or readers, or "not saved" by some `writers`.

    "in no key" is an object that should have one.
    """

    kind: Literal["never saved", "never restored", "not saved", "in no key"]
    writers: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return it in words."""
        return f"{self.kind} by {', '.join(self.writers)}" if self.writers else self.kind


@dataclass(frozen=True)
class Row:
    """A key: its state at each writer and reader, and where each reader takes it.

    `holds` says what is saved under it, `restores` where it goes, `mismatch` what does not match.
    """

    keys: Keys
    states: Mapping[str, SaveState | LoadState]
    holds: str
    restores: str
    mismatch: Optional[Mismatch] = None
    reads: tuple[tuple[str, Spot], ...] = ()


@dataclass(frozen=True)
class Table:
    """A group: the columns of its writers, those of its readers, and a row for each key."""

    is_file: bool
    writers: tuple[Column, ...]
    readers: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def has_mismatch(self) -> bool:
        """Tell whether some key does not match."""
        return any(row.mismatch is not None for row in self.rows)

    @property
    def paths(self) -> set[str]:
        """Return the files that take part."""
        columns = (*self.writers, *self.readers)
        return {place.location.path for column in columns for place in (*column.places, *column.callers)}


def tables_of(project: Project) -> list[Table]:
    """Return the tables of a project, those of files first; a group of which nothing is known has none."""
    reported = Reported(project)
    groups = [*project.groups.files, *project.groups.hooks]
    found = [table for group in groups if (table := _table(group, reported)) is not None]
    return sorted(found, key=_order)


def _order(table: Table) -> tuple[bool, str, int, int]:
    location = table.writers[0].places[0].location
    return (not table.is_file, location.path, location.position.line, location.position.col)


def _table(group: CheckpointGroup, reported: Reported) -> Optional[Table]:
    saves = [each for each in group.saves if each.payload != NONE]
    readers = readers_of(group)
    if not saves or not readers:
        return None
    keys = list(_keys(saves, [load for each in readers for load in each.loads]))
    writers = writers_of(saves, keys)
    if group.hook is not None and not any(contents(each.payload).slots for each in saves):
        return None
    rows = [_row(each, writers, readers, group, reported) for each in keys] or _whole(writers, readers)
    if not rows:
        return None
    columns = [each.column() for each in writers], [each.column() for each in readers]
    return Table(group.hook is None, tuple(columns[0]), tuple(columns[1]), tuple(rows))


def _keys(saves: Sequence[SaveEffect], loads: Sequence[LoadEffect]) -> Iterator[Keys]:
    """Yield the keys of a table, nested ones below their parent: first as written, then those only read."""
    read = [_visible(each, saves) for each in loads]
    opened = {keys[:depth] for keys in read for depth in range(len(keys))}
    found: dict[Keys, dict[str, None]] = {}
    for save in saves:
        _add_written((), save.payload, opened, found)
    for keys in read:
        for depth, key in enumerate(keys):
            found.setdefault(keys[:depth], {})[key] = None
    yield from _flat((), found)


def _visible(load: LoadEffect, saves: Sequence[SaveEffect]) -> Keys:
    """Return the part of a load's path that a table shows: not what is inside of an object's state."""
    keys = known_part(load.keys)
    for depth in range(1, len(keys)):
        held = [value for each in saves if (value := written(keys[:depth], each.payload)[1]) is not None]
        if any(is_state(option) for value in held for option in options_of(value)):
            return keys[:depth]
    return keys


def _add_written(keys: Keys, payload: Value, opened: set[Keys], found: dict[Keys, dict[str, None]]) -> None:
    for key, slot in contents(payload).slots.items():
        found.setdefault(keys, {})[key] = None
        if (*keys, key) in opened and len(keys) < MAX_LEVELS:
            _add_written((*keys, key), slot.value, opened, found)


def _flat(keys: Keys, found: Mapping[Keys, Mapping[str, None]]) -> Iterator[Keys]:
    for key in found.get(keys, ()):
        yield (*keys, key)
        yield from _flat((*keys, key), found)


def _row(
    keys: Keys,
    writers: Sequence[Writer],
    readers: Sequence[Reader],
    group: CheckpointGroup,
    reported: Reported,
) -> Row:
    columns: Sequence[Union[Writer, Reader]] = (*writers, *readers)
    below = [(reader, load) for reader in readers for load in reader.below(keys)]
    reads = [(reader, load) for reader, load in below if load.kind in TAKEN]
    inner = {target for _, load in reads if load.keys != keys for target in load.into}
    exact = [(reader, load) for reader, load in reads if load.keys == keys]
    return Row(
        keys,
        {each.name: each.state(keys) for each in columns},
        held_text(value for each in writers for value in each.values(keys)),
        restored_text(target for _, load in exact for target in load.into if target not in inner),
        Mismatch("never restored")
        if reported.is_left(group, keys)
        else _never_saved(keys, writers, readers, reported),
        tuple(dict.fromkeys((reader.name, load.location) for reader, load in exact)),
    )


def _never_saved(
    keys: Keys, writers: Sequence[Writer], readers: Sequence[Reader], reported: Reported
) -> Optional[Mismatch]:
    """Return which writers leave out a key that is read, None where none is known to."""
    save_calls: set[Spot] = set()
    for reader in readers:
        for load in reader.below(keys):
            save_calls |= reported.saves_without(load.location, keys)
    lacking = [each for each in writers if each.state(keys) == "never"]
    if save_calls and len(lacking) == len(writers):
        return Mismatch("never saved")
    names = [each.name for each in lacking if any(save.save_call in save_calls for save in each.saves)]
    return Mismatch("not saved", tuple(names)) if names else None


def _whole(writers: Sequence[Writer], readers: Sequence[Reader]) -> list[Row]:
    """Return a row for a file that holds one object, without known keys: the state of a model, mostly."""
    holds = held_text(value for each in writers for value in each.values(()))
    if not is_name(holds):
        return []
    states: dict[str, SaveState | LoadState] = {each.name: "always" for each in writers}
    states.update({each.name: "whole" for each in readers})
    restores = restored_text(target for reader in readers for each in reader.loads for target in each.into)
    return [Row((), states, holds, restores)]
