"""Whether a normalizer is used for normalizing, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.normalizers.classes import NormalizerClasses
from flake8_ckpt.losses.normalizers.made import MadeNormalizers
from flake8_ckpt.losses.normalizers.made import Normalizer
from flake8_ckpt.losses.normalizers.made import own_name

# Uses that hand an object on to code which may update it.
ESCAPES = frozenset(["plain", "iter", "item", "tensor", "cat"])


class NormalizerUses:
    """Asks the code that can reach a normalizer."""

    def __init__(
        self, allocations: AllocationSites, classes: NormalizerClasses, made: MadeNormalizers
    ) -> None:
        self.allocations = allocations
        self.hierarchy = allocations.hierarchy
        self.classes = classes
        self.made = made

    def is_used(self, idle: Normalizer) -> bool:
        """Tell whether the project normalizes with an object, and does nothing else with it."""
        if idle.holder in self.hierarchy.symbols.classes:
            return self._is_kept(idle) and self._is_read(idle)
        return any(
            self._is_run(idle, unit) for unit in self.allocations.units if unit.identity == idle.holder
        )

    def _is_kept(self, idle: Normalizer) -> bool:
        """Tell whether an attribute holds this normalizer and nothing else, as far as any code sets it."""
        if idle.name in self._set_from_outside:
            return False
        for owner, method in self.hierarchy.related_methods(idle.holder):
            for write in method.writes:
                if write.attr == idle.name and write.value != NONE:
                    unit = method_ref(owner, method, owner)
                    if self.made.class_of(write.value, unit) != idle.class_id:
                        return False
                    if isinstance(write.value, Local) and _is_shared(write.value.name, unit):
                        return False
        return True

    @cached_property
    def _set_from_outside(self) -> frozenset[str]:
        """Return the attributes that some function sets on another object, or on a part of one."""
        return frozenset(
            each.name
            for unit in self.allocations.units
            for store in unit.function.stores
            for each in (store.target, getattr(store.target, "base", None))
            if isinstance(each, Attr)
        )

    def _is_read(self, idle: Normalizer) -> bool:
        """Tell whether some method normalizes with an attribute, and none hands it on."""
        hows = [
            how
            for _, method in self.hierarchy.related_methods(idle.holder)
            for use in method.uses
            if use.attr == idle.name
            for how in use.how
        ]
        if not ESCAPES.isdisjoint(hows):
            return False
        return any(self.classes.normalizes(how.lstrip("."), idle.class_id) for how in hows)

    def _is_run(self, idle: Normalizer, unit: FunctionRef) -> bool:
        """Tell whether a function normalizes with a local, and does nothing else with it."""
        if any(_is_handed_on(idle.name, value) for value in _given_on(idle.name, unit)):
            return False
        for store in unit.function.stores:
            if isinstance(store.target, Attr) and own_name(store.target.base) == idle.name:
                return False
        return any(
            isinstance(site.call.callee, Attr)
            and isinstance(site.call.callee.base, Local)
            and site.call.callee.base.name == idle.name
            and self.classes.normalizes(site.call.callee.name, idle.class_id)
            for site in unit.function.calls
        )


def _given_on(name: str, unit: FunctionRef) -> Iterator[Value]:
    """Yield what a function gives to calls and binds to other names than that of a local."""
    for site in unit.function.calls:
        yield from arguments_of(site.call)
    for store in unit.function.stores:
        if store.target != Local(name, store.value):
            yield store.value


def _is_shared(name: str, unit: FunctionRef) -> bool:
    """Tell whether a method gives a local to more than one attribute, or to anything else."""
    held = [each for each in unit.function.writes if _is_handed_on(name, each.value)]
    return len(held) > 1 or any(_is_handed_on(name, value) for value in _given_on(name, unit))


def _is_handed_on(name: str, value: Value) -> bool:
    return any(isinstance(part, Local) and part.name == name for part in _bare_parts(value))


def _bare_parts(value: Value) -> Iterator[Value]:
    """Yield the parts of a value that are handed on with it, not what only an attribute is taken of."""
    if isinstance(value, Attr) or isinstance(value, Call) and isinstance(value.callee, Attr):
        parts: tuple[Value, ...] = arguments_of(value) if isinstance(value, Call) else ()
        for part in parts:
            yield from _bare_parts(part)
        return
    for part in parts_of(value):
        if part is value or not isinstance(part, (Attr, Call)):
            yield part
