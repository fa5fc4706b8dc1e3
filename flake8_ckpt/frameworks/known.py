"""What a run knows of libraries: the records of the package and those of the user's files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import msgspec

from flake8_ckpt.frameworks.packed import packed_records
from flake8_ckpt.frameworks.records import TABLES
from flake8_ckpt.frameworks.records import Record
from flake8_ckpt.frameworks.records import Records


@dataclass(frozen=True)
class Frameworks:
    """All records; where the user's `own` speak of a name, those of the package do not count for it."""

    own: Records = Records()

    @cached_property
    def records(self) -> Records:
        """Return the records of both, the user's last."""
        packed = packed_records()
        if self.own == Records():
            return packed
        tables = {table: (*_without(self.own, packed, table), *getattr(self.own, table)) for table in TABLES}
        return Records(**tables)

    @cached_property
    def key(self) -> str:
        """Return what tells these records from others in the key of a cache, "" where the user has none."""
        if self.own == Records():
            return ""
        return hashlib.blake2b(msgspec.json.encode(self.own), digest_size=8).hexdigest()

    def __reduce__(self) -> tuple[type[Frameworks], tuple[Records]]:
        """Travel to another process without what that process has, or can make, itself."""
        return Frameworks, (self.own,)


def _without(own: Records, packed: Records, table: str) -> Iterator[object]:
    """Yield the records of the package for a table, less the names that the user's records speak of."""
    named = {name for each in getattr(own, table) if isinstance(each, Record) for name in each.names}
    for record in getattr(packed, table):
        if not isinstance(record, Record) or named.isdisjoint(record.names):
            yield record
            continue
        rest = tuple(name for name in record.names if name not in named)
        if rest:
            yield msgspec.structs.replace(record, names=rest)


DEFAULT = Frameworks()
