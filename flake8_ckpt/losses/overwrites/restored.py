"""What the loads of a function restore, as the code names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.formats import TAKEN
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.function_names import EXACT_PAIRS
from flake8_ckpt.checkpoints.pairing.function_names import verb_and_stem
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import parts_through_locals
from flake8_ckpt.linking.value_names import path_text

# How a local is called that holds where training goes on.
PROGRESS = re.compile(r"(^|_)(start|first|begin|last|done)(_|$)")
# Verbs of methods that are given a payload: what they take from their parameter is restored.
LOADS = frozenset(["load", "restore", "resume", "set", "on_load"])


@dataclass(frozen=True)
class Restored:
    """What a load restores, as the code names it, and the statement that does it."""

    name: str
    owner: Value
    load: LoadEffect


@dataclass(frozen=True)
class Overwrite:
    """A restored thing that is replaced at `location`; `restored` is where it was restored."""

    name: str
    location: Spot
    restored: Spot


class Restorations:
    """Finds the state that a function restores."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.known = contract.hierarchy.symbols.known

    def of(self, unit: FunctionRef) -> Iterator[Restored]:
        """Yield what a function restores, from files and, where it is one of a pair of hooks, from its argument."""
        is_hook = is_load_hook(unit)
        loads = self.contract.groups.payloads.summary(unit).loads
        known = [each for each in loads if is_hook or not isinstance(each.root, Param)]
        for load in (*known, *self._by_hooks(unit)):
            for target in load.into:
                owner = self._owner(target, load)
                name = path_text(owner) if owner is not None else ""
                if owner is not None and name and name != "self":
                    yield Restored(name, owner, load)

    def _by_hooks(self, unit: FunctionRef) -> Iterator[LoadEffect]:
        """Yield what a function restores by a load hook of its own object, whatever it gives to that."""
        for site in unit.function.calls if unit.class_id else ():
            callee = site.call.callee
            if isinstance(callee, Attr) and callee.base == SELF and verb_and_stem(callee.name)[0] in LOADS:
                inner = self.evaluator.callee_of(site.call, CallContext(unit))
                for load in self.contract.groups.payloads.summary(inner).loads if inner is not None else ():
                    if isinstance(load.root, Param) and load.keys:
                        yield replace(load, at=site.position)

    def _owner(self, target: Value, load: LoadEffect) -> Optional[Value]:
        """Return what a load restores by its flow into a target: an object, an attribute, a counter."""
        if isinstance(target, Local):
            counts = self.known.hint("key", "counter").search
            is_progress = counts(target.name) or PROGRESS.search(target.name)
            return target if load.keys and counts(load.keys[-1]) and is_progress else None
        if not isinstance(target, Attr):
            return None
        if target.name == "load_state_dict":
            return target.base if isinstance(target.base, (Attr, Local)) else None
        if load.kind not in TAKEN:
            return None
        class_id = self.evaluator.class_of(target.base, CallContext(load.unit))
        if target.name in self.hierarchy.method_names(class_id):
            return None
        return target if self._is_state(class_id, target.name) else None

    def _is_state(self, class_id: str, attr: str) -> bool:
        """Tell whether an attribute is a normalizer's, or methods change it, or what it holds."""
        if self.contract.kinds.of(class_id) == "normalizer" or self._is_statistic(class_id, attr):
            return True
        return self.contract.evidence.is_changed(class_id, attr, "") or self._has_changing_field(
            class_id, attr
        )

    def _is_statistic(self, class_id: str, attr: str) -> bool:
        """Tell whether an attribute is a mean or a spread of a class that has both."""
        classes = self.hierarchy.symbols.classes
        statistics = classes[class_id].statistics if class_id in classes else ()
        return attr in statistics and len(statistics) > 1

    def _has_changing_field(self, class_id: str, attr: str) -> bool:
        """Tell whether a method sets a field of the object that an attribute holds: `self.progress.step += 1`."""
        held = Attr(SELF, attr)
        return any(
            isinstance(store.target, Attr) and store.target.base == held and not store.loaded
            for _, method in self.hierarchy.related_methods(class_id)
            if method.name not in CONSTRUCTION
            for store in method.stores
        )

    def counts(self, restored: Restored, field: str) -> bool:
        """Tell whether some code counts a field of a restored object, and whether the restore reaches it."""
        targets = [each for each in restored.load.into if isinstance(each, Attr)]
        if any(each.name == "load_state_dict" for each in targets):
            class_id = self.evaluator.class_of(restored.owner, CallContext(restored.load.unit))
            found = self.hierarchy.find_method(class_id, "load_state_dict")
            return found is not None and any(write.attr == field for write in found[1].writes)
        return (last_name(restored.owner), field) in self._counted_fields

    @cached_property
    def _counted_fields(self) -> frozenset[tuple[str, str]]:
        """Return the fields of objects that some code counts, each with the last name of the object."""
        return frozenset(
            (last_name(target.base), target.name)
            for unit in functions_outside_tests(self.hierarchy.symbols)
            for target, parts in _fields_set(unit)
            if target in parts
        )


def is_load_hook(unit: FunctionRef) -> bool:
    """Tell whether a method is given a payload and restores what is in it, by its name."""
    restores = bool(unit.class_id) and verb_and_stem(unit.function.name)[0] in LOADS
    return restores or unit.function.name in EXACT_PAIRS.values()


def _fields_set(unit: FunctionRef) -> Iterator[tuple[Attr, tuple[Value, ...]]]:
    """Yield the fields of objects that a function sets, each with the parts of its new value."""
    for store in unit.function.stores:
        if isinstance(store.target, Attr):
            yield store.target, tuple(parts_through_locals(store.value))
