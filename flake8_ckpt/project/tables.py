"""Tables: for each family, which of its writers gives and which of its readers takes which key.

A writer is a place that saves; the calls that bring about the same payload there count as one. A reader is
a function with all that it reads, through the functions it calls too; functions that read exactly the
same count as one. A key below another one has a row of its own where somebody reads on that level.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Value
from flake8_ckpt.project.contract import TAKEN
from flake8_ckpt.project.contract import Contract
from flake8_ckpt.project.contract import Missing
from flake8_ckpt.project.contract import is_state
from flake8_ckpt.project.families import Family
from flake8_ckpt.project.payloads import ANY_KEY
from flake8_ckpt.project.payloads import Reading
from flake8_ckpt.project.payloads import Spot
from flake8_ckpt.project.payloads import Writing
from flake8_ckpt.project.payloads import contents
from flake8_ckpt.project.wording import held_text
from flake8_ckpt.project.wording import restored_text

Keys = tuple[str, ...]

ALWAYS, MAYBE, NEVER, UNKNOWN = "always", "maybe", "never", "unknown"
REQUIRED, DEFAULT, GUARDED, WHOLE = "required", "default", "guarded", "whole"
NEVER_SAVED, NEVER_RESTORED = "never saved", "never restored"
MAX_LEVELS = 4


@dataclass(frozen=True)
class Place:
    """A function, and where in it something happens."""

    function: str
    spot: Spot


@dataclass(frozen=True)
class Column:
    """A writer or a reader: where it saves or reads, and the functions outside of those that bring it about.

    `is_open` says that a writer may give other keys than those of the table.
    """

    name: str
    places: tuple[Place, ...]
    callers: tuple[Place, ...] = ()
    is_open: bool = False


@dataclass(frozen=True)
class Row:
    """A key: its state at each writer and reader, and where each reader takes it first.

    `holds` is what is saved under it, or where nothing is, `restores` what it would be restored to.
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
        """Return the files that have a part in the family."""
        columns = (*self.writers, *self.readers)
        return {place.spot.path for column in columns for place in (*column.places, *column.callers)}


def tables_of(contract: Contract) -> list[Table]:
    """Return the tables of a project, files before pairs of methods; families without a known key have none."""
    told = _told(contract.missing)
    families = [*contract.families.files, *contract.families.hooks]
    found = [table for family in families if (table := _Draft(family, told).table()) is not None]
    return sorted(found, key=_order)


def _order(table: Table) -> tuple[bool, str, int, int]:
    spot = (*table.writers, *table.readers)[0].places[0].spot
    return (not table.is_file, spot.path, spot.position.line, spot.position.col)


def _told(missing: Iterable[Missing]) -> dict[tuple[Spot, Keys], set[Spot]]:
    """Return the readings of keys that are missing, with the writings that leave them out."""
    found: dict[tuple[Spot, Keys], set[Spot]] = {}
    for each in missing:
        for reading in each.readings:
            for depth in range(len(each.keys), len(reading.keys) + 1):
                spots = found.setdefault((reading.spot, reading.keys[:depth]), set())
                spots.update(writing.origin for writing in each.writings)
    return found


@dataclass(frozen=True)
class _Writer:
    """Writings of one place with the same payload."""

    writings: list[Writing]

    @property
    def payload(self) -> Value:
        return self.writings[0].payload


@dataclass
class _Draft:
    """A table in the making."""

    family: Family
    told: Mapping[tuple[Spot, Keys], set[Spot]]
    writers: list[list[Writing]] = field(default_factory=list)
    readers: list[list[Reading]] = field(default_factory=list)

    def table(self) -> Table | None:
        """Return the table, or None where no key is known."""
        writings = [each for each in self.family.writings if each.payload != NONE]
        self.readers = _merged_readers(_of_payload(self.family))
        keys = self._keys(writings)
        self.writers = _merged_writers(writings, keys)
        rows = [self._row(each) for each in keys] or self._whole(writings)
        if not rows or not writings or not self.readers:
            return None
        names = {f"W{number}": each for number, each in enumerate(self.writers, start=1)}
        return Table(
            self.family.hook is None,
            tuple(map(_writer_column, names.values())),
            tuple(map(_reader_column, self.readers)),
            tuple(rows),
        )
