"""Methods that set attributes of their object to something fresh, whatever these held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.facts.model import Guards
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
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.linking.value_names import mentions
from flake8_ckpt.linking.value_names import path_text
from flake8_ckpt.linking.value_names import paths_in

# Methods of data that give statistics of it.
MEASURES = frozenset(["mean", "std", "var", "sum", "min", "max"])
# Set-up methods that call set-up methods.
MAX_DEPTH = 3


@dataclass(frozen=True)
class Reset:
    """A method sets an attribute to something fresh, at `location`, whatever it held."""

    attr: str
    location: Spot
    constructs: bool
    is_number: bool


class Resets:
    """Tells what is set anew, and what a fresh value is."""

    def __init__(self, hierarchy: Hierarchy, evaluator: SymbolicEvaluator) -> None:
        self.hierarchy = hierarchy
        self.known = hierarchy.symbols.known
        self.evaluator = evaluator
        self.known = hierarchy.symbols.known

    def of(self, callee: FunctionRef, depth: int = 0) -> Iterator[Reset]:
        """Yield the attributes that a method sets to something fresh, by itself or through its own methods."""
        yield from self._of_parts(callee)
        for write in callee.function.writes:
            target = Attr(SELF, write.attr)
            is_set = write.how == "assign" and self._runs(write.guards, write.attr, callee)
            if (
                is_set
                and self.is_fresh(write.value, target, callee)
                and not self._is_from_argument(write.value)
            ):
                location = Spot(callee.path, write.position)
                is_number = isinstance(write.value, Const)
                yield Reset(write.attr, location, self.serves_construction(callee), is_number)
        for site in callee.function.calls if depth < MAX_DEPTH else ():
            called = site.call.callee
            if isinstance(called, Attr) and isinstance(called.base, Self) and is_certain(site.guards):
                inner = self.evaluator.callee_of(site.call, CallContext(callee))
                if inner is not None and inner.function.name != callee.function.name:
                    yield from self.of(inner, depth + 1)

    def _of_parts(self, callee: FunctionRef) -> Iterator[Reset]:
        """Yield the attributes of its objects that a method sets to something fresh: `self.policy.rms = RMS()`."""
        for store in callee.function.stores:
            path = path_text(store.target) if isinstance(store.target, Attr) else ""
            if path.startswith("self.") and is_certain(store.guards) and not store.loaded:
                if self.is_fresh(store.value, store.target, callee):
                    location = Spot(callee.path, store.position)
                    yield Reset(path.partition(".")[2], location, self.serves_construction(callee), False)

    def of_argument(self, callee: FunctionRef, name: str) -> Iterator[str]:
        """Yield the attributes that a function sets to something fresh on the object that a parameter is."""
        for store in callee.function.stores:
            path = path_text(store.target) if isinstance(store.target, Attr) else ""
            if path.startswith(f"{name}.") and is_certain(store.guards) and not store.loaded:
                if self.is_fresh(store.value, store.target, callee):
                    yield path.partition(".")[2]

    def _runs(self, guards: Guards, attr: str, callee: FunctionRef) -> bool:
        """Tell whether a statement runs whenever its method does, or always under a flag that construction sets."""
        return all(
            is_certain((guard,))
            or guard.kind in ("set", "unset")
            and guard.name != attr
            and self._is_option(guard.name, callee)
            for guard in guards
        )

    def _is_option(self, attr: str, callee: FunctionRef) -> bool:
        """Tell whether only the constructor sets an attribute."""
        setters = {
            method.name
            for _, method in self.hierarchy.related_methods(callee.class_id)
            if any(write.attr == attr for write in method.writes)
        }
        return setters == {"__init__"}

    def is_fresh(self, value: Value, target: Value, unit: FunctionRef) -> bool:
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
        return path_text(target) not in named and not self._is_from_argument(held) and not _is_loaded(held)

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

    def _is_from_argument(self, value: Value) -> bool:
        """Tell whether a value comes out of a payload, or out of what the function is given."""
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


def is_certain(guards: Guards) -> bool:
    """Tell whether a statement runs whenever its function does, but for a check of an argument."""
    return all(guard.kind in ("present", "some", "has", "about") for guard in guards)


def _is_loaded(value: Value) -> bool:
    return any("load" in name.lower() or "from_" in name for name in mentions(value))
