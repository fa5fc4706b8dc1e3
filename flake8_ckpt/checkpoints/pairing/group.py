"""The records of who writes and who reads one checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.function_names import EXACT_PAIRS
from flake8_ckpt.checkpoints.pairing.function_names import VERBS
from flake8_ckpt.checkpoints.payload import Contents
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef


@dataclass(frozen=True)
class Hook:
    """A pair of methods of one class whose partner is found by name: what one returns the other is given."""

    class_id: str
    writer: FunctionRef
    reader: FunctionRef


@dataclass
class LoadedPayload:
    """The loads of one loaded value, with the saves that may have written it.

    `saves` are those that belong to it by their place, their name or their file. `rivals` are other saves with
    the same keys, which belong to no load: they may have written it as well. `by_keys` is true where nothing
    but the keys says that the saves belong to it, `by_helper` where only functions that both call do.
    """

    loads: list[LoadEffect]
    saves: list[SaveEffect]
    rivals: list[SaveEffect] = field(default_factory=list)
    by_keys: bool = False
    by_helper: bool = False


@dataclass
class CheckpointGroup:
    """Saves and loads of one checkpoint; `hook` where a pair of methods makes it.

    `loaded` holds each loaded value with its own saves.
    """

    saves: list[SaveEffect] = field(default_factory=list)
    loads: list[LoadEffect] = field(default_factory=list)
    hook: Optional[Hook] = None
    loaded: list[LoadedPayload] = field(default_factory=list)

    @property
    def effects(self) -> tuple[SaveEffect | LoadEffect, ...]:
        """Return the saves and the loads."""
        return (*self.saves, *self.loads)

    @cached_property
    def payloads(self) -> list[Contents]:
        """Return the keys of each save."""
        return [contents(each.payload) for each in self.saves]


def is_exact_pair(hook: Hook) -> bool:
    """Tell whether the names of two methods differ in their verbs alone."""
    writer, reader = hook.writer.function.name, hook.reader.function.name
    if EXACT_PAIRS.get(writer) == reader:
        return True
    one, other = VERBS.match(writer), VERBS.match(reader)
    return one is not None and other is not None and writer[one.end() :] == reader[other.end() :]


class Groups:
    """Union-find over saves and loads."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._members: dict[int, SaveEffect | LoadEffect] = {}

    def add(self, effect: SaveEffect | LoadEffect) -> int:
        """Take in a save or load, and return its number."""
        number = id(effect)
        if number not in self._parent:
            self._parent[number] = number
            self._members[number] = effect
        return number

    def same(self, one: SaveEffect | LoadEffect, other: SaveEffect | LoadEffect) -> None:
        """Put two into one group."""
        first, second = self._root(self.add(one)), self._root(self.add(other))
        self._parent[second] = first

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def all(self, loaded: Iterable[LoadedPayload]) -> list[CheckpointGroup]:
        """Return the groups in the order of their first members, each with its loaded values."""
        found: dict[int, CheckpointGroup] = {}
        for number, effect in self._members.items():
            group = found.setdefault(self._root(number), CheckpointGroup())
            if isinstance(effect, SaveEffect):
                group.saves.append(effect)
            else:
                group.loads.append(effect)
        for each in loaded:
            found[self._root(self.add(each.loads[0]))].loaded.append(each)
        return list(found.values())


def by_root(loads: Iterable[LoadEffect]) -> Iterable[list[LoadEffect]]:
    """Put the loads of one loaded value together."""
    roots: dict[tuple[str, str, Value], list[LoadEffect]] = {}
    for each in loads:
        roots.setdefault((each.unit.identity, each.unit.class_id, each.root), []).append(each)
    return roots.values()


def unique(saves: list[SaveEffect]) -> list[SaveEffect]:
    """Leave out repeats: the same method seen in several classes gives the same save."""
    found: dict[tuple[Spot, Spot, str, str], SaveEffect] = {}
    for each in saves:
        key = (each.location, each.save_call, repr(each.payload), repr(each.file))
        found.setdefault(key, each)
    return list(found.values())
