"""The records of who writes and who reads one checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.effects import Reading
from flake8_ckpt.checkpoints.effects import Writing
from flake8_ckpt.checkpoints.function_names import EXACT_PAIRS
from flake8_ckpt.checkpoints.function_names import VERBS
from flake8_ckpt.checkpoints.payload import Contents
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import Callee


@dataclass(frozen=True)
class Hook:
    """A pair of methods of one class whose partner is found by name: what one returns the other is given."""

    klass: str
    writer: Callee
    reader: Callee


@dataclass
class Family:
    """Writings and readings of one checkpoint; `hook` where a pair of methods makes it."""

    writings: list[Writing] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    hook: Optional[Hook] = None

    @cached_property
    def payloads(self) -> list[Contents]:
        """Return the keys of each writing."""
        return [contents(each.payload) for each in self.writings]


def is_exact_pair(hook: Hook) -> bool:
    """Tell whether the names of two methods differ in their verbs alone."""
    writer, reader = hook.writer.function.name, hook.reader.function.name
    if EXACT_PAIRS.get(writer) == reader:
        return True
    one, other = VERBS.match(writer), VERBS.match(reader)
    return one is not None and other is not None and writer[one.end() :] == reader[other.end() :]


class Groups:
    """Union-find over writings and readings."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._members: dict[int, Writing | Reading] = {}

    def add(self, effect: Writing | Reading) -> int:
        """Take in a writing or reading, and return its number."""
        number = id(effect)
        if number not in self._parent:
            self._parent[number] = number
            self._members[number] = effect
        return number

    def same(self, one: Writing | Reading, other: Writing | Reading) -> None:
        """Put two into one family."""
        first, second = self._root(self.add(one)), self._root(self.add(other))
        self._parent[second] = first

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def families(self) -> list[Family]:
        """Return the families in the order of their first members."""
        found: dict[int, Family] = {}
        for number, effect in self._members.items():
            family = found.setdefault(self._root(number), Family())
            if isinstance(effect, Writing):
                family.writings.append(effect)
            else:
                family.readings.append(effect)
        return list(found.values())


def by_root(readings: Iterable[Reading]) -> Iterable[list[Reading]]:
    """Put the readings of one loaded value together."""
    roots: dict[tuple[str, str, Value], list[Reading]] = {}
    for each in readings:
        roots.setdefault((each.unit.identity, each.unit.klass, each.root), []).append(each)
    return roots.values()


def unique(writings: list[Writing]) -> list[Writing]:
    """Leave out repeats: the same method seen in several classes gives the same writing."""
    found: dict[tuple[Spot, Spot, str], Writing] = {}
    for each in writings:
        key = (each.spot, each.origin, repr(each.payload))
        found.setdefault(key, each)
    return list(found.values())
