"""State that is restored and then replaced: by a later statement, or by a method that is called after the restore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.formats import TAKEN
from flake8_ckpt.checkpoints.function_names import EXACT_PAIRS
from flake8_ckpt.checkpoints.function_names import verb_and_stem
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import path_text
from flake8_ckpt.linking.value_names import paths_in
from flake8_ckpt.losses.resets import MAX_DEPTH
from flake8_ckpt.losses.resets import MEASURES
from flake8_ckpt.losses.resets import RESETS
from flake8_ckpt.losses.resets import Reset
from flake8_ckpt.losses.resets import is_certain
from flake8_ckpt.losses.resets import is_loaded
from flake8_ckpt.losses.sb3_algorithms import Algorithms

ENTRIES = re.compile(r"^(train|fit|learn|run|train_loop|main_loop|start)$")
# How a local is called that holds where training goes on.
PROGRESS = re.compile(r"(^|_)(start|first|begin|last|done)(_|$)")
LOADS = frozenset(["load", "restore", "resume", "set", "on_load"])


@dataclass(frozen=True)
class Restored:
    """What a reading restores, as the code names it, and the statement that does it."""

    name: str
    owner: Value
    reading: LoadEffect


@dataclass(frozen=True)
class Overwrite:
    """A restored thing that is replaced at `spot`; `restored` is where it was restored."""

    name: str
    location: Spot
    restored: Spot


class Overwrites:
    """Finds restored state that is thrown away again."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.families = contract.families
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.known = contract.hierarchy.symbols.known
        self.algorithms = Algorithms(contract)

    def found(self) -> tuple[Overwrite, ...]:
        """Return all restored state of the project that is replaced."""
        first: dict[Spot, Overwrite] = {}
        for unit in self.families.units:
            for each in (*self._in_unit(unit), *self._before_entries(unit), *self._in_hook(unit)):
                first.setdefault(each.location, each)
        return tuple(first.values())

    def _in_hook(self, unit: FunctionRef) -> Iterator[Overwrite]:
        """Yield the components that `set_parameters` of an algorithm makes anew, after the pickle has restored them."""
        if unit.function.name != "set_parameters" or unit.class_id not in self.algorithms.classes:
            return
        for site in unit.function.calls:
            callee = (
                self.evaluator.callee_of(site.call, CallContext(unit)) if is_certain(site.guards) else None
            )
            if (
                callee is not None
                and isinstance(site.call.callee, Attr)
                and isinstance(site.call.callee.base, Self)
            ):
                for reset in self.resets(callee):
                    if self.algorithms.has_state(unit.class_id, reset.attr):
                        location = Spot(unit.path, site.position)
                        yield Overwrite(
                            f"self.{reset.attr}", location, Spot(unit.path, unit.function.position)
                        )

    def _restored(self, unit: FunctionRef) -> Iterator[Restored]:
        is_hook = (
            unit.class_id
            and verb_and_stem(unit.function.name)[0] in LOADS
            or unit.function.name in EXACT_PAIRS.values()
        )
        for reading in self.families.payloads.summary(unit).readings:
            if isinstance(reading.root, Param) and not is_hook:
                continue
            for target in reading.into:
                owner = self._owner(target, reading)
                name = path_text(owner) if owner is not None else ""
                if owner is not None and name and name != "self":
                    yield Restored(name, owner, reading)

    def _owner(self, target: Value, reading: LoadEffect) -> Optional[Value]:
        """Return what a reading restores by its flow into a target: an object, an attribute, a counter."""
        if isinstance(target, Local):
            counts = self.known.hint("key", "counter").search
            is_progress = counts(target.name) or PROGRESS.search(target.name)
            return target if reading.keys and counts(reading.keys[-1]) and is_progress else None
        if not isinstance(target, Attr):
            return None
        if target.name == "load_state_dict":
            return target.base if isinstance(target.base, (Attr, Local)) else None
        if reading.kind not in TAKEN:
            return None
        class_id = self.evaluator.class_of(target.base, CallContext(reading.unit))
        is_state = self.contract.kinds.of(class_id) == "normalizer" or self.contract.evidence.is_changed(
            class_id, target.name, ""
        )
        return target if is_state and target.name not in self.hierarchy.method_names(class_id) else None

    def _in_unit(self, unit: FunctionRef) -> Iterator[Overwrite]:
        """Yield what is restored and replaced in one function, in the order of its statements."""
        restored = list(self._restored(unit))
        if not restored:
            return
        for name, position, location in self._replacements(unit):
            for each in restored:
                if not each.reading.at < position or not self._is_same(name, each, unit):
                    continue
                if not _is_over(each.reading.at, position, unit) and not self._is_restored_after(
                    each, position, unit
                ):
                    yield Overwrite(each.name, location, each.reading.location)
                    break

    def _is_restored_after(self, restored: Restored, position: Position, unit: FunctionRef) -> bool:
        """Tell whether a later statement fills the new object from the checkpoint after all."""
        for site in unit.function.calls:
            callee = site.call.callee
            if site.position > position and isinstance(callee, Attr) and callee.name == "load_state_dict":
                if path_text(self.evaluator.expand(callee.base, CallContext(unit))) == restored.name:
                    return True
        return False

    def _is_same(self, name: str, restored: Restored, unit: FunctionRef) -> bool:
        """Tell whether a name is that of what was restored, of what holds it, or of its statistics."""
        if name == restored.name or restored.name.startswith(f"{name}."):
            return True
        if not name.startswith(f"{restored.name}."):
            return False
        return (
            self.contract.kinds.of(self.evaluator.class_of(restored.owner, CallContext(unit))) == "normalizer"
        )

    def _replacements(self, unit: FunctionRef) -> Iterator[tuple[str, Position, Spot]]:
        """Yield the names that a function sets to something fresh, with the statement, and the place to report."""
        function = unit.function
        for store in function.stores:
            if (
                is_certain(store.guards)
                and not store.loaded
                and self._is_fresh(store.value, store.target, unit)
            ):
                yield (
                    path_text(self.evaluator.expand(store.target, CallContext(unit))),
                    store.position,
                    Spot(unit.path, store.position),
                )
        for write in function.writes:
            target = Attr(SELF, write.attr)
            if write.loaded:
                continue
            if (
                write.how == "assign"
                and is_certain(write.guards)
                and self._is_fresh(write.value, target, unit)
            ):
                yield f"self.{write.attr}", write.position, Spot(unit.path, write.position)
        for site in function.calls:
            if is_certain(site.guards):
                yield from self._reset_by_call(site, unit)

    def _reset_by_call(self, site: Site, unit: FunctionRef) -> Iterator[tuple[str, Position, Spot]]:
        scope = CallContext(unit)
        callee = self.evaluator.callee_of(site.call, scope)
        if (
            callee is None
            or not callee.owner
            or callee.function.name == "__init__"
            or self.known.hint("method", "restores").search(callee.function.name)
        ):
            return
        owner = path_text(self.evaluator.receiver_of(site.call, scope))
        for reset in self.resets(callee):
            place = (
                Spot(unit.path, site.position)
                if reset.constructs or site.call.callee == Attr(SELF, "")
                else reset.location
            )
            is_plain = RESETS.search(callee.function.name) is not None
            yield (
                f"{owner}.{reset.attr}",
                site.position,
                Spot(unit.path, site.position) if is_plain else place,
            )

    def resets(self, callee: FunctionRef, depth: int = 0) -> Iterator[Reset]:
        """Yield the attributes that a method sets to something fresh, by itself or through its own methods."""
        for write in callee.function.writes:
            target = Attr(SELF, write.attr)
            if (
                write.how == "assign"
                and is_certain(write.guards)
                and self._is_fresh(write.value, target, callee)
            ):
                if not self._is_from_argument(write.value):
                    location = Spot(callee.path, write.position)
                    is_number = isinstance(write.value, Const)
                    yield Reset(write.attr, location, self.serves_construction(callee), is_number)
        for site in callee.function.calls if depth < MAX_DEPTH else ():
            called = site.call.callee
            if isinstance(called, Attr) and isinstance(called.base, Self) and is_certain(site.guards):
                inner = self.evaluator.callee_of(site.call, CallContext(callee))
                if inner is not None and inner.function.name != callee.function.name:
                    yield from self.resets(inner, depth + 1)

    def _is_from_argument(self, value: Value) -> bool:
        return any(True for _ in rooted(value, self.known))

    def serves_construction(self, callee: FunctionRef) -> bool:
        """Tell whether the constructor of a class calls a method, directly or through others."""
        classes = self.hierarchy.symbols.classes
        graph: dict[str, set[str]] = {}
        for owner in self.hierarchy.ancestors(callee.class_id):
            for method in classes[owner].methods if owner in classes else ():
                for site in method.calls:
                    target = site.call.callee
                    if isinstance(target, Attr) and isinstance(target.base, Self):
                        graph.setdefault(method.name, set()).add(target.name)
        reached, left = set(), ["__init__"]
        while left:
            for name in graph.get(left.pop(), ()):
                if name not in reached:
                    reached.add(name)
                    left.append(name)
        return callee.function.name in reached

    def _is_fresh(self, value: Value, target: Value, unit: FunctionRef) -> bool:
        """Tell whether a new value has nothing of what was there before or of what was loaded."""
        if isinstance(target, Local) and target.value == UNKNOWN:
            counts = self.known.hint("key", "counter").search(target.name) is not None
            return isinstance(value, Const) and counts or value == Const(0)
        if value in (UNKNOWN, NONE) or isinstance(value, (Module, Number)):
            return False
        if isinstance(value, (Const, Tensor, NdArray)):
            return True
        held = self.evaluator.expand(value, CallContext(unit))
        if not all(self._is_made(each, unit) for each in options_of(held)):
            return False
        named = {*paths_in(value), *paths_in(held)}
        loaded = is_loaded(held) or any(True for _ in rooted(held, self.known))
        return path_text(target) not in named and not loaded

    def _is_made(self, value: Value, unit: FunctionRef) -> bool:
        """Tell whether a value is made where it stands, not one that exists or that a method of its own gives."""
        if isinstance(value, Call):
            callee = value.callee
            known = isinstance(callee, Name) and callee.path.partition(".")[0] in ("torch", "numpy")
            measured = (
                isinstance(callee, Attr) and callee.name in MEASURES and not isinstance(callee.base, Self)
            )
            class_id = self.evaluator.class_of(value, CallContext(unit))
            is_class = class_id in self.hierarchy.symbols.classes or class_id.rpartition(".")[2][:1].isupper()
            return known or measured or is_class
        return not isinstance(value, (Attr, Item, Element, Param, Self))

    def _before_entries(self, unit: FunctionRef) -> Iterator[Overwrite]:
        """Yield what a class restores and its own entry to training sets anew, where no caller of it is known."""
        if not unit.class_id or verb_and_stem(unit.function.name)[0] not in (
            "load",
            "restore",
            "resume",
            "set",
        ):
            return
        names = {
            each.name: each
            for each in self._restored(unit)
            if isinstance(each.owner, Attr) and isinstance(each.owner.base, Self)
        }
        if not names or any(each.identity in self.called for each in self._restorers(unit)):
            return
        for class_id in [unit.class_id, *self.hierarchy.subclasses(unit.class_id)]:
            for name, method in self.hierarchy.methods(class_id).items():
                if ENTRIES.search(name) and not _loads(method):
                    for reset in self.resets(method_ref(class_id, method, class_id), MAX_DEPTH):
                        restored = names.get(f"self.{reset.attr}")
                        if restored is not None and reset.is_number:
                            yield Overwrite(restored.name, reset.location, restored.reading.location)

    def _restorers(self, unit: FunctionRef) -> Iterator[FunctionRef]:
        yield unit
        for class_id in [unit.class_id, *self.hierarchy.subclasses(unit.class_id)]:
            for method in self.hierarchy.methods(class_id).values():
                callee = method_ref(class_id, method, class_id)
                if any(
                    unit.identity in each.call_chain
                    for each in self.families.payloads.summary(callee).readings
                ):
                    yield callee

    @cached_property
    def called(self) -> frozenset[str]:
        """Return the methods that some function calls on an object of another class."""
        return frozenset(self._calls())

    def _calls(self) -> Iterator[str]:
        for unit in self.families.units:
            for site in unit.function.calls:
                target = site.call.callee
                if isinstance(target, Attr) and not isinstance(target.base, Self):
                    callee = self.evaluator.callee_of(site.call, CallContext(unit))
                    if callee is not None:
                        yield callee.identity


def _is_over(restored: Position, replaced: Position, unit: FunctionRef) -> bool:
    """Tell whether the function is over after the branch that restores, so that nothing below it runs."""
    return any(first <= restored.line <= last < replaced.line for first, last in unit.function.leaves)


def _loads(method: FunctionFacts) -> bool:
    """Tell whether a method itself restores the object's state."""
    callees = [site.call.callee for site in method.calls]
    return any(
        isinstance(each, Attr)
        and isinstance(each.base, Self)
        and re.search(r"load|restore|resume", each.name)
        for each in callees
    )
