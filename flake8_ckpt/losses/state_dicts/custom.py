"""What a class's own `state_dict` forgets: attributes that its methods carry on and depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.hooks.values import hands_over_self
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import SPREAD
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import parts_through_locals
from flake8_ckpt.losses.state_dicts.carried_attributes import CarriedAttributes

# `AverageMeter`, `TBLogger`, `EpochTimer`: what they count is of interest for the run, not for the result.
OBSERVERS = re.compile(
    r"Monitor|Meter|Logg|Timer|Progress|Profil|Printer|Writer|Visuali|Throughput|Speed|Metric|Statistics"
)


@dataclass(frozen=True)
class Omitted:
    """An attribute that a `state_dict` leaves out, with the method that changes it and the place."""

    hook: FunctionRef
    attr: str
    method: str
    location: Spot


@dataclass(frozen=True)
class IncompleteStateDict:
    """A `state_dict` with all that it leaves out."""

    hook: FunctionRef
    omitted: tuple[Omitted, ...]


def incomplete_state_dicts(contract: Contract) -> Iterator[IncompleteStateDict]:
    """Yield the custom `state_dict` methods that forget attributes."""
    lost: dict[Spot, list[Omitted]] = {}
    for each in OwnStates(contract).omitted():
        lost.setdefault(each.hook.location, []).append(each)
    for omitted in lost.values():
        yield IncompleteStateDict(omitted[0].hook, tuple(omitted))


class OwnStates:
    """Asks the classes with a pair of `state_dict` and `load_state_dict` of their own."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.hierarchy: Hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator

    def omitted(self) -> Iterator[Omitted]:
        """Yield the attributes that are left out."""
        for hook in self._own_hooks():
            if self._is_understood(hook):
                for each in CarriedAttributes(hook.class_id, self.hierarchy).unsaved():
                    yield Omitted(hook, each.attr, each.method, each.location)
                yield from self._counts(hook)

    def _own_hooks(self) -> Iterator[FunctionRef]:
        """Yield each `state_dict` in the class that defines it, but for meters and loggers."""
        for group in self.contract.groups.hooks:
            hook = group.hook
            if (
                hook is None
                or hook.writer.function.name != "state_dict"
                or hook.class_id != hook.writer.owner
            ):
                continue
            if not OBSERVERS.search(hook.class_id.rpartition(":")[2]) and not is_test(hook.writer.path):
                yield hook.writer

    def _counts(self, hook: FunctionRef) -> Iterator[Omitted]:
        """Yield the counts of running statistics of which the mean and the variance are given."""
        taken: dict[str, set[str]] = {}
        for store in hook.function.stores:
            for each in parts_through_locals(store.value):
                if isinstance(each, Attr) and isinstance(each.base, Attr) and each.base.base == SELF:
                    taken.setdefault(each.base.name, set()).add(each.name)
        used = {use.attr for use in hook.function.uses for how in use.how if how in ("plain", "own")}
        for attr, names in taken.items():
            count = self._count_of(self.evaluator.attribute_class(hook.class_id, attr))
            if count and {"mean", "var"} <= names and count not in names and attr not in used:
                yield Omitted(hook, f"{attr}.{count}", "update", Spot(hook.path, hook.function.position))

    def _count_of(self, class_id: str) -> str:
        """Return the attribute of a class of running statistics that says how many samples there were."""
        if class_id not in self.hierarchy.symbols.classes:
            return "count" if class_id.endswith("RunningMeanStd") else ""
        found = [
            name
            for each in self.hierarchy.ancestors(class_id)
            if each in self.hierarchy.symbols.classes
            for name in self.hierarchy.symbols.classes[each].statistics
        ]
        return "count" if {"mean", "var", "count"} <= {*found} else ""

    def _is_understood(self, hook: FunctionRef) -> bool:
        """Tell whether all keys that a `state_dict` gives are known, those of its base class included."""
        if any(use.attr == "__dict__" for use in hook.function.uses):
            return False
        if any(hands_over_self(site.call) for site in hook.function.calls):
            return False
        given = [store.value for store in hook.function.stores if store.target == Name("return")]
        return bool(given) and all(self._is_known(each, hook) for each in given)

    def _is_known(self, value: Value, hook: FunctionRef) -> bool:
        base = _base_state(value)
        if base is not None:
            found = self.hierarchy.find_method(hook.class_id, "state_dict", hook.owner)
            filled = self.evaluator.added_to(hook.function, value) if isinstance(value, Local) else []
            return (
                found is not None
                and all(each.key for each in filled)
                and self._is_understood(method_ref(*found, hook.class_id))
            )
        if isinstance(value, Attr) and value.base == SELF:
            return True
        payload = contents(self.evaluator.expand(value, CallContext(hook)))
        return bool(payload.slots) and not payload.open


def _base_state(value: Value) -> Value | None:
    """Return the call of the base class's `state_dict` that a value is, or holds beside keys of its own."""
    while isinstance(value, Local):
        value = value.value
    held = options_of(value.of) if isinstance(value, Container) and value.kind == "dict" else (value,)
    if isinstance(value, Record) and not value.open:
        held = tuple(each.value for each in value.fields if each.key in (ANY, SPREAD))
    if UNKNOWN in held:
        return None
    for each in held:
        if isinstance(each, Call) and isinstance(each.callee, Attr) and isinstance(each.callee.base, Super):
            return each
    return None
