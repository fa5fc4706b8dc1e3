"""What a class's own pair of hooks forgets: attributes that its methods change and depend on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_names import parts_through_locals
from flake8_ckpt.losses.resumption import Resumption
from flake8_ckpt.losses.state_dicts.carried_attributes import CarriedAttributes
from flake8_ckpt.losses.state_dicts.own_state import OwnState
from flake8_ckpt.losses.state_dicts.own_states import OwnStates
from flake8_ckpt.losses.state_dicts.set_from_outside import SetFromOutside


@dataclass(frozen=True)
class Omitted:
    """An attribute that a hook leaves out, with the method that changes it and the place."""

    attr: str
    method: str
    location: Spot


@dataclass(frozen=True)
class IncompleteState:
    """A hook that leaves out attributes of objects of a class; `elsewhere` are those of classes that inherit it."""

    hook: FunctionRef
    class_id: str
    omitted: tuple[Omitted, ...]
    elsewhere: tuple[Omitted, ...]

    @property
    def heir(self) -> str:
        """Return the name of the class where it only inherits the hook, else ""."""
        name = self.class_id.rpartition(":")[2]
        return name if self.class_id != self.hook.owner else ""


class IncompleteStates:
    """Asks the classes with a pair of hooks that is understood."""

    def __init__(self, contract: Contract, resumption: Resumption) -> None:
        self.hierarchy: Hierarchy = contract.hierarchy
        self.resumption = resumption
        self.evaluator = contract.evaluator
        self.states = OwnStates(contract)
        self.outside = SetFromOutside(contract)

    def all(self) -> Iterator[IncompleteState]:
        """Yield the hooks that forget attributes; of several hooks of a class that forget the same, the first."""
        told: set[Spot] = set()
        found: dict[Spot, list[tuple[OwnState, tuple[Omitted, ...]]]] = {}
        for state in self.states.all():
            if not self.resumption.goes_on_after(state.reader):
                continue
            omitted = tuple(each for each in self._omitted(state) if each.location not in told)
            told |= {each.location for each in omitted}
            if omitted:
                found.setdefault(state.writer.location, []).append((state, omitted))
        for (first, omitted), *others in found.values():
            elsewhere = tuple(each for _, more in others for each in more)
            yield IncompleteState(first.writer, first.class_id, omitted, elsewhere)

    def _omitted(self, state: OwnState) -> Iterator[Omitted]:
        for each in CarriedAttributes(state, self.hierarchy).unsaved():
            is_idle = self.states.idle.is_idle_update(state.class_id, each.method)
            if not is_idle and not self.outside.sets(state.class_id, each.attr):
                yield Omitted(each.attr, each.method, each.location)
        if not state.is_inherited:
            yield from self._counts(state)

    def _counts(self, state: OwnState) -> Iterator[Omitted]:
        """Yield the counts of running statistics of which the mean and the variance are given."""
        hook = state.writer
        taken: dict[str, set[str]] = {}
        values = [value for payload in state.payloads for _, value in all_keys(payload)]
        for each in (part for value in values for part in parts_through_locals(value)):
            if isinstance(each, Attr) and isinstance(each.base, Attr) and each.base.base == SELF:
                taken.setdefault(each.base.name, set()).add(each.name)
        used = {use.attr for use in hook.function.uses for how in use.how if how in ("plain", "own")}
        for attr, names in taken.items():
            count = self._count_of(self.evaluator.attribute_class(hook.class_id, attr))
            if count and {"mean", "var"} <= names and count not in names and attr not in used:
                yield Omitted(f"{attr}.{count}", "update", Spot(hook.path, hook.function.position))

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
