"""The writers and readers of a group, and what each does with a key.

A writer is a function that saves; its calls that bring about the same keys count as one. A reader is
a function with all that it reads, through the functions it calls too; functions that read exactly the
same count as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.formats import TAKEN
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.key_text import is_unknown
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef

Keys = tuple[str, ...]
SaveState = Literal["always", "maybe", "never", "unknown"]
LoadState = Literal["required", "default", "guarded", "whole", "never"]


@dataclass(frozen=True)
class FunctionSpot:
    """A function, and where in it something happens."""

    function: str
    location: Spot


@dataclass(frozen=True)
class Column:
    """A writer or reader: where it saves or reads, and where that is called from.

    `is_open` says that a writer may give other keys than those that are known.
    """

    name: str
    places: tuple[FunctionSpot, ...]
    callers: tuple[FunctionSpot, ...]
    is_open: bool = False


@dataclass(frozen=True)
class Writer:
    """Saves of one function that give the same keys."""

    name: str
    saves: Sequence[SaveEffect]

    def state(self, keys: Keys) -> SaveState:
        """Return whether a key is given."""
        return written(keys, self.saves[0].payload)[0]

    def values(self, keys: Keys) -> list[Value]:
        """Return what a key holds, as far as it is given."""
        return [value for each in self.saves if (value := written(keys, each.payload)[1]) is not None]

    def column(self) -> Column:
        """Return where this saves, and where that is called from."""
        places = [FunctionSpot(_name(each.source), each.save_call) for each in self.saves]
        callers = [
            FunctionSpot(_name(each.unit), each.location)
            for each in self.saves
            if each.location != each.save_call
        ]
        is_open = any(contents(each.payload).open for each in self.saves)
        return Column(self.name, _distinct(places), _distinct(callers), is_open)


@dataclass(frozen=True)
class Reader:
    """What one function reads, or several that read the same."""

    name: str
    loads: Sequence[LoadEffect]
    units: Sequence[FunctionRef]

    def below(self, keys: Keys) -> list[LoadEffect]:
        """Return the loads of a key and of all that lies below it."""
        return [each for each in self.loads if each.keys[: len(keys)] == keys]

    def state(self, keys: Keys) -> LoadState:
        """Return how a key is taken."""
        below = [each for each in self.below(keys) if each.kind in TAKEN]
        exact = [each for each in below if each.keys == keys]
        if below:
            return _taken(exact or below)
        return "whole" if any(self._covers(each, keys) for each in self.loads) else "never"

    def _covers(self, load: LoadEffect, keys: Keys) -> bool:
        """Tell whether a load of a part of the path takes all that lies below."""
        known = known_part(load.keys)
        if known != keys[: len(known)]:
            return False
        if known != load.keys or load.kind not in TAKEN:
            return True
        deeper = [each for each in self.below(known) if each.keys != known]
        inner = {target for each in deeper for target in each.into}
        kept = [each for each in load.into if isinstance(each, (Attr, Item)) and each not in inner]
        return not deeper or bool(kept)

    def column(self) -> Column:
        """Return where this reads, function by function, and where that is called from."""
        first: dict[str, FunctionSpot] = {}
        for each in sorted(self.loads, key=_load_order):
            first.setdefault(each.source.identity, FunctionSpot(_name(each.source), each.location))
        callers = [
            FunctionSpot(_name(each), self._call(each)) for each in self.units if each.identity not in first
        ]
        return Column(self.name, tuple(first.values()), _distinct(callers))

    def _call(self, unit: FunctionRef) -> Spot:
        """Return where a function calls what reads for it."""
        entered = {re.split(r"[.:]", each.call_chain[0])[-1] for each in self.loads if each.call_chain}
        for site in unit.function.calls:
            target = site.call.callee
            if (isinstance(target, Attr) and target.name or _last(target)) in entered:
                return Spot(unit.path, site.position)
        return Spot(unit.path, unit.function.position)


def _last(target: Value) -> str:
    return re.split(r"[.:]", target.path)[-1] if isinstance(target, Name) else ""


def _name(callee: FunctionRef) -> str:
    name = callee.identity.rpartition(":")[2]
    return callee.path if name == "<module>" else name


def _distinct(places: Iterable[FunctionSpot]) -> tuple[FunctionSpot, ...]:
    return tuple(sorted(dict.fromkeys(places), key=_place_order))


def _place_order(place: FunctionSpot) -> tuple[str, Position, str]:
    return place.location.path, place.location.position, place.function


def _load_order(load: LoadEffect) -> tuple[bool, str, int, int]:
    position = load.location.position
    return (
        load.source.identity != load.unit.identity,
        load.location.path,
        position.line,
        position.col,
    )


def written(keys: Keys, payload: Value) -> tuple[SaveState, Optional[Value]]:
    """Return the state of a key in a payload, and what it holds there."""
    always = True
    for key in keys:
        found = contents(payload)
        if key not in found.slots:
            return ("unknown" if found.open else "never"), None
        always = always and found.slots[key].always
        payload = found.slots[key].value
    return ("always" if always else "maybe"), payload


def _taken(loads: Sequence[LoadEffect]) -> LoadState:
    """Return the strictest way in which a key is read; a load behind a test for a key is guarded."""
    kinds = {"guarded" if _is_guarded(each, loads) else each.kind for each in loads}
    if "required" in kinds:
        return "required"
    return "default" if "defaulted" in kinds else "guarded"


def _is_guarded(load: LoadEffect, others: Sequence[LoadEffect]) -> bool:
    if any(guard.kind in ("key", "nokey") for guard in load.guards):
        return True
    tests = [each for each in others if each.kind == "guarded" and each.keys == load.keys]
    return (load.location.path, load.location.position.line) in {
        (each.location.path, each.location.position.line) for each in tests
    }


def known_part(keys: Keys) -> Keys:
    """Return the part of a path before the first key of which nothing is known."""
    return tuple(takewhile(lambda key: not is_unknown(key), keys))


def readers_of(group: CheckpointGroup) -> list[Reader]:
    """Return the readers of a group in the order of file and line."""
    entered = {name for each in group.loads for name in each.call_chain}
    units: dict[str, list[LoadEffect]] = {}
    for each in _of_payload(group):
        if each.kind != "returned" or each.unit.identity not in entered:
            units.setdefault(each.unit.identity, []).append(each)
    alike: dict[frozenset[tuple[Keys, str, Spot]], list[list[LoadEffect]]] = {}
    for loads in units.values():
        content = frozenset((each.keys, each.kind, each.location) for each in loads)
        alike.setdefault(content, []).append(loads)
    groups = sorted(alike.values(), key=lambda each: min(map(_load_order, each[0])))
    return [
        Reader(f"R{number}", each[0], [loads[0].unit for loads in each])
        for number, each in enumerate(groups, start=1)
    ]


def _of_payload(group: CheckpointGroup) -> list[LoadEffect]:
    """Return the loads of the payload itself: a hook may look into its other parameters too."""
    if group.hook is None:
        return group.loads
    keyed = {each.root for each in group.loads if each.kind in TAKEN}
    return [each for each in group.loads if not keyed or each.root in keyed]


def writers_of(saves: Sequence[SaveEffect], keys: Sequence[Keys]) -> list[Writer]:
    """Return the writers of some keys in the order of file and line."""
    alike: dict[tuple[object, ...], list[SaveEffect]] = {}
    for each in saves:
        states = tuple(written(path, each.payload)[0] for path in keys)
        alike.setdefault((each.source.identity, contents(each.payload).open, states), []).append(each)
    groups = sorted(alike.values(), key=lambda each: min(_save_order(one) for one in each))
    return [Writer(f"W{number}", each) for number, each in enumerate(groups, start=1)]


def _save_order(save: SaveEffect) -> tuple[str, int, int]:
    return (save.save_call.path, save.save_call.position.line, save.save_call.position.col)
