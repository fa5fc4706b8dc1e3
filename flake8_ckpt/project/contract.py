"""The checkpoint contract: which keys load reads that no save writes, and what they would restore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.project.families import Families
from flake8_ckpt.project.families import Family
from flake8_ckpt.project.kinds import Kinds
from flake8_ckpt.project.payloads import ANY_KEY
from flake8_ckpt.project.payloads import Reading
from flake8_ckpt.project.payloads import Writing
from flake8_ckpt.project.payloads import contents
from flake8_ckpt.project.unfold import Callee
from flake8_ckpt.project.unfold import Scope
from flake8_ckpt.project.unfold import Unfolder

NORMALIZER_WORDS = re.compile(
    r"normali[sz]er|normali[sz]ation|running_?mean|running_?var|mean_?std|(^|_)rms(_|$)|vec_?norm|(ob|obs|rew|ret|reward|state)_?"
    r"(norm|rms|stats|mean|var|filter)(_|$)"
)
COUNTERS = re.compile(r"(^|_)(epochs?|steps?|iters?|iterations?|frames?|episodes?|updates?|timesteps?)(_|$)")
RESTORERS = re.compile(r"(^|_)(load|set|restore|resume)(_|$)|^copy_$|^update$|^fill_$")
TAKEN = frozenset(["required", "defaulted", "guarded"])
FOUND, NEVER, MAYBE = "found", "never", "maybe"


@dataclass(frozen=True)
class Missing:
    """A key that load reads and none of the paired saves writes.

    `keys` is the path to the first part of it that is missing; `readings` are all that are lost with it.
    """

    family: Family
    keys: tuple[str, ...]
    readings: tuple[Reading, ...]

    @property
    def first(self) -> Reading:
        """Return the reading to speak of: one that restores something, if there is one."""
        return next((each for each in self.readings if each.into), self.readings[0])


class Contract:
    """Compares what is written with what is read."""

    def __init__(self, families: Families) -> None:
        self.families = families
        self.hierarchy = families.hierarchy
        self.unfolder: Unfolder = families.unfolder
        self.kinds = Kinds(families.hierarchy)

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """Return the keys that are read and never written, family by family."""
        found = []
        for family in [*self.families.files, *self.families.hooks]:
            found += self._missing_in(family)
        return tuple(found)

    def _missing_in(self, family: Family) -> Iterator[Missing]:
        if not family.writings or any(contents(each.payload).open for each in family.writings):
            return
        lost: dict[tuple[str, ...], list[Reading]] = {}
        for reading in family.readings:
            if reading.kind in TAKEN and ANY_KEY not in reading.keys and self._is_same_format(reading, family):
                depth = lost_at(reading.keys, family.writings)
                if depth:
                    lost.setdefault(reading.keys[:depth], []).append(reading)
        for keys, readings in lost.items():
            if not self._has_alternative(readings, family) and not self._chooses_format(keys[-1], family):
                yield Missing(family, keys, tuple(readings))

    def _is_same_format(self, reading: Reading, family: Family) -> bool:
        """Tell whether some other key that is read from the same payload is written."""
        others = [each for each in family.readings if each.root == reading.root and each.unit == reading.unit]
        return any(each.keys and each.kind in TAKEN and not lost_at(each.keys, family.writings) for each in others)

    def _has_alternative(self, readings: list[Reading], family: Family) -> bool:
        """Tell whether what a key would restore is restored from another key, or from the whole payload, too."""
        targets = {target for each in readings for target in each.into if not is_plain_local(target)}
        if not targets:
            return False
        return any(
            each not in readings and targets & set(each.into) and not lost_at(each.keys, family.writings)
            for each in family.readings
        )

    def _chooses_format(self, key: str, family: Family) -> bool:
        """Tell whether load asks for a key to find out which of several formats a file has."""
        return any(f"nokey:{key}" in each.guards for each in family.readings) or not all(
            f"key:{key}" in each.guards or not any(guard.startswith(("key:", "nokey:")) for guard in each.guards)
            for each in family.readings
            if each.keys and each.keys[-1] == key
        )

    def restores_normalizer(self, missing: Missing) -> bool:
        """Tell whether what is missing is the state of a normalizer."""
        return any(self.is_normalizer_reading(each) for each in missing.readings)

    def is_normalizer_reading(self, reading: Reading) -> bool:
        """Tell whether a reading restores a normalizer: by the object's class, else by the name of key and target."""
        if NORMALIZER_WORDS.search(reading.keys[-1]):
            return True
        return any(self.owner_kind(target, reading.unit) == "normalizer" for target in reading.into)

    def owner_kind(self, target: Value, unit: Callee) -> str:
        """Return the kind of the object that a value flows into: that of x for `x.mean` and `x.load_state_dict`."""
        owner = target.base if isinstance(target, Attr) else target
        kind = self.kinds.of(self.unfolder.class_of(owner, Scope(unit)))
        if not kind and isinstance(target, Attr) and isinstance(owner, Self):
            kind = self.kinds.of(self.unfolder.class_of(target, Scope(unit)))
        return kind

    def restores_state(self, reading: Reading) -> bool:
        """Tell whether a key restores something that training changes."""
        return any(self._is_state(target, reading) for target in reading.into)

    def _is_state(self, target: Value, reading: Reading) -> bool:
        if not isinstance(target, Attr):
            return isinstance(target, Local) and COUNTERS.search(reading.keys[-1]) is not None
        if isinstance(target.base, Self):
            if target.name in self.kinds.method_names(reading.unit.klass):
                return RESTORERS.search(target.name) is not None
            return self.is_changed(reading.unit.klass, target.name, reading.source.identity)
        return target.name == "load_state_dict" or self.owner_kind(target, reading.unit) != ""

    def is_changed(self, klass: str, attr: str, loader: str) -> bool:
        """Tell whether a method other than construction and the one that loads changes an attribute."""
        for each in [*self.hierarchy.ancestors(klass), *self.hierarchy.heirs(klass)]:
            for name, method in self.hierarchy.methods(each).items():
                if name != "__init__" and f"{each}.{name}" != loader and not RESTORERS.search(name):
                    if any(write.attr == attr and write.how != "moved" for write in method.writes):
                        return True
        return False


def lost_at(keys: tuple[str, ...], writings: list[Writing]) -> int:
    """Return how many keys of a path lead to the first that no writing has; 0 where some writing may have it."""
    depths = [_lost_in(keys, each.payload) for each in writings]
    return max(depths) if depths and all(depths) else 0


def _lost_in(keys: tuple[str, ...], payload: Value) -> int:
    for depth, key in enumerate(keys, start=1):
        found = contents(payload)
        if key not in found.slots:
            return 0 if found.open else depth
        payload = found.slots[key].value
    return 0


def is_plain_local(value: Value) -> bool:
    """Tell whether a value is only the name of a local."""
    return isinstance(value, Local)


def path_text(value: Value) -> str:
    """Return how the code names an object: `self.policy.ob_rms`; "" where it has no name."""
    if isinstance(value, Self):
        return "self"
    if isinstance(value, (Local, Param)):
        return value.name
    if isinstance(value, Attr):
        base = path_text(value.base)
        return f"{base}.{value.name}" if base else ""
    if isinstance(value, Name):
        return value.path.rpartition(":")[2].rpartition(".")[2]
    return ""
