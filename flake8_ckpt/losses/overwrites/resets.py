"""Functions that set attributes of their object, or of an argument, to something fresh, whatever these held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.stable_baselines3 import SET_UP
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.losses.overwrites.conditions import Settings
from flake8_ckpt.losses.overwrites.conditions import is_certain
from flake8_ckpt.losses.overwrites.fresh_values import FreshValues

# Set-up methods that call set-up methods.
MAX_DEPTH = 3


@dataclass(frozen=True)
class Reset:
    """A function sets `attr` of its object to something fresh, at `location`, whatever it held.

    A field of an object that an attribute holds is "state.done". `constructs` where construction runs it too.
    """

    attr: str
    location: Spot
    constructs: bool
    is_number: bool


class Resets:
    """Tells what functions set anew."""

    def __init__(self, hierarchy: Hierarchy, evaluator: SymbolicEvaluator) -> None:
        self.hierarchy = hierarchy
        self.evaluator = evaluator
        self.settings = Settings(hierarchy)
        self.values = FreshValues(hierarchy, evaluator)
        self._set_up: dict[str, set[str]] = {}

    def of(self, callee: FunctionRef, depth: int = 0) -> Iterator[Reset]:
        """Yield the attributes that a method sets to something fresh, by itself or through its own methods."""
        yield from self._by_itself(callee)
        for site in callee.function.calls if depth < MAX_DEPTH else ():
            called = site.call.callee
            if isinstance(called, Attr) and isinstance(called.base, Self) and self._runs(site.guards, callee):
                inner = self.evaluator.callee_of(site.call, CallContext(callee))
                if inner is not None and inner.function.name != callee.function.name:
                    yield from self.of(inner, depth + 1)

    def _by_itself(self, callee: FunctionRef) -> Iterator[Reset]:
        for write in callee.function.writes:
            if write.how == "assign" and self._runs(write.guards, callee):
                if self._is_reset(write.value, Attr(SELF, write.attr), callee):
                    location = Spot(callee.path, write.position)
                    constructs = self.serves_construction(callee)
                    yield Reset(write.attr, location, constructs, is_number(write.value))
        for owner, reset in self._of_fields(callee):
            if isinstance(owner, Attr) and isinstance(owner.base, Self):
                yield replace(reset, attr=f"{owner.name}.{reset.attr}")

    def of_arguments(self, callee: FunctionRef) -> Iterator[tuple[str, Reset]]:
        """Yield the parameters of a function of which it sets a field to something fresh, each with that."""
        for owner, reset in self._of_fields(callee):
            if isinstance(owner, Param):
                yield owner.name, reset

    def _of_fields(self, callee: FunctionRef) -> Iterator[tuple[Value, Reset]]:
        """Yield the objects of which a function sets a field to something fresh, each with that."""
        for store in callee.function.stores:
            target = store.target
            if isinstance(target, Attr) and not store.loaded and _is_there(target.base, store.guards):
                if self._is_reset(store.value, target, callee):
                    location = Spot(callee.path, store.position)
                    yield target.base, Reset(target.name, location, False, is_number(store.value))

    def _is_reset(self, value: Value, target: Value, callee: FunctionRef) -> bool:
        is_fresh = self.values.is_fresh(value, target, CallContext(callee))
        return is_fresh and not self.values.is_from_argument(value)

    def _runs(self, guards: Guards, callee: FunctionRef) -> bool:
        """Tell whether a statement runs with its method: always, or in set-up by the settings of the object."""
        if is_certain(guards):
            return True
        return self.serves_construction(callee) and self.settings.decide(guards, callee.class_id)

    def serves_construction(self, callee: FunctionRef) -> bool:
        """Tell whether the constructor of a class calls a method, directly or through others."""
        if callee.class_id not in self._set_up:
            self._set_up[callee.class_id] = self._run_by_construction(callee.class_id)
        return callee.function.name in self._set_up[callee.class_id]

    def _run_by_construction(self, class_id: str) -> set[str]:
        graph: dict[str, set[str]] = {}
        for _, method in self.hierarchy.inherited_methods(class_id):
            for site in method.calls:
                target = site.call.callee
                if isinstance(target, Attr) and isinstance(target.base, Self):
                    graph.setdefault(method.name, set()).add(target.name)
        reached, left = set(SET_UP), ["__init__", *SET_UP]
        while left:
            for name in graph.get(left.pop(), ()):
                if name not in reached:
                    reached.add(name)
                    left.append(name)
        return reached


def is_number(value: Value) -> bool:
    """Tell whether a value is a literal number."""
    return isinstance(value, Const) and type(value.value) in (int, float)


def _is_there(owner: Value, guards: Guards) -> bool:
    """Tell whether a statement runs whenever the object is there that it sets a field of: `if self.state:`."""
    name = owner.name if isinstance(owner, Attr) and isinstance(owner.base, Self) else ""
    return is_certain(tuple(each for each in guards if each != Guard("set", name)))
