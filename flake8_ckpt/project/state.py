"""What the objects of one module class hold, method by method: the view that the module-state rules ask.

Methods that construction runs (`__init__`, and what it calls, in the class and its ancestors) are
the *construction*; all others are *later*.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import Use
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.project.hierarchy import Hierarchy
from flake8_ckpt.project.resolve import Place
from flake8_ckpt.project.resolve import Resolver

CARRIERS = frozenset(
    "state_dict get_extra_state _save_to_state_dict on_save_checkpoint load_state_dict set_extra_state"
    " _load_from_state_dict on_load_checkpoint save save_checkpoint state save_state get_state".split()
)
MOVERS = frozenset("_apply to cuda cpu half float double".split())
CONSTRUCTION = frozenset("__init__ __post_init__ __new__ reset_parameters _reset_parameters __attrs_post_init__".split())
STEPS = frozenset(
    "forward __call__ step training_step validation_step test_step predict_step update normalize call compute_loss".split()
)


@dataclass(frozen=True)
class Method:
    """A method of the class or of an ancestor; `early` when construction runs it."""

    owner: str
    facts: FunctionFacts
    early: bool

    @property
    def name(self) -> str:
        """Return the method's name."""
        return self.facts.name


@dataclass(frozen=True)
class Change:
    """A write, the method it stands in, and the value it gives, resolved."""

    method: Method
    write: Write
    value: Value

    @property
    def guards(self) -> tuple[str, ...]:
        """Return the conditions around the write."""
        return self.write.guards


@dataclass(frozen=True)
class Reading:
    """A use and the method it stands in."""

    method: Method
    use: Use


class ClassState:
    """One module class: its methods, its writes, its registrations, its uses."""

    def __init__(self, identity: str, hierarchy: Hierarchy, resolver: Resolver) -> None:
        self.identity = identity
        self.path, _, self.name = identity.partition(":")
        self.hierarchy = hierarchy
        self.resolver = resolver

    @cached_property
    def graph(self) -> dict[str, frozenset[str]]:
        """Return which methods call which on the same object, the nearest definition first."""
        found: dict[str, frozenset[str]] = {}
        for owner in self.hierarchy.ancestors(self.identity):
            facts = self.hierarchy.symbols.classes.get(owner)
            for name, callees in facts.graph if facts else ():
                known = found.get(name)
                if known is None or name in known or name == "__init__":
                    found[name] = (known or frozenset()) | frozenset(callees)
        return found

    def reach(self, names: frozenset[str]) -> frozenset[str]:
        """Return some methods and all that they call, directly or not."""
        reached = set(names)
        stack = list(names)
        while stack:
            for callee in self.graph.get(stack.pop(), ()):
                if callee not in reached:
                    reached.add(callee)
                    stack.append(callee)
        return frozenset(reached)

    @cached_property
    def early(self) -> frozenset[str]:
        """Return the names of the methods that construction runs."""
        return self.reach(CONSTRUCTION) - STEPS

    @cached_property
    def stepping(self) -> frozenset[str]:
        """Return the names of the methods that a forward pass or an update runs."""
        return self.reach(STEPS)

    @cached_property
    def methods(self) -> tuple[Method, ...]:
        """Return the methods that objects of the class can run, ancestors' constructors included."""
        found: list[Method] = []
        hidden: set[str] = set()
        for owner in self.hierarchy.ancestors(self.identity):
            facts = self.hierarchy.symbols.classes.get(owner)
            if facts is None:
                continue
            graph = dict(facts.graph)
            for method in facts.methods:
                if method.name not in hidden or method.name == "__init__":
                    found.append(Method(owner, method, method.name in self.early))
            hidden |= {name for name in facts.method_names if name not in graph.get(name, ())}
        return tuple(found)

    @cached_property
    def changes(self) -> dict[str, list[Change]]:
        """Return the writes to each attribute, with their values resolved."""
        found: dict[str, list[Change]] = {}
        for method in self.methods:
            place = self.place(method)
            for write in method.facts.writes:
                value = self.resolver.resolve(write.value, place)
                found.setdefault(write.attr, []).append(Change(method, write, value))
        return found

    def place(self, method: Method) -> Place:
        """Return the place in which a method's values are resolved."""
        return Place(method.owner.partition(":")[0], self.identity, method.owner, method.facts)

    @cached_property
    def registers(self) -> tuple[tuple[Method, Register], ...]:
        """Return the registrations in all methods."""
        return tuple((method, each) for method in self.methods for each in method.facts.registers)

    @cached_property
    def uses(self) -> dict[str, list[Reading]]:
        """Return the uses of each attribute."""
        found: dict[str, list[Reading]] = {}
        for method in self.methods:
            for use in method.facts.uses:
                found.setdefault(use.attr, []).append(Reading(method, use))
        return found

    def owned(self) -> Iterator[tuple[str, list[Change]]]:
        """Yield the attributes that this class itself sets first, with all their writes."""
        for attr, changes in self.changes.items():
            if changes and any(change.method.owner == self.identity for change in changes):
                yield attr, changes

    def registered(self, attr: str) -> bool:
        """Tell whether an attribute is a buffer, parameter, module or metric state, or a property."""
        for _, each in self.registers:
            if each.kind != "setattr" and fnmatchcase(attr, each.name):
                return True
        if any(_is_registered_value(change.value) for change in self.changes.get(attr, ())):
            return True
        return self.hierarchy.defines(self.identity, attr)

    def carried_by_hooks(self, attr: str) -> bool:
        """Tell whether the class's own saving mentions an attribute, or all of them."""
        return self._mentioned(attr, CARRIERS)

    def moved_by_hooks(self, attr: str) -> bool:
        """Tell whether the class moves an attribute itself in `_apply` or `to`."""
        return self._mentioned(attr, MOVERS)

    def _mentioned(self, attr: str, names: frozenset[str]) -> bool:
        for method in self.methods:
            if method.name in names or "state_dict" in method.name:
                if any(use.attr in (attr, "__dict__") for use in method.facts.uses):
                    return True
                if any(write.attr == attr for write in method.facts.writes) and method.name in names:
                    return True
        return False

    def constructed(self, attr: str) -> list[Change]:
        """Return the assignments to an attribute during construction."""
        return [
            change
            for change in self.changes.get(attr, ())
            if change.method.early and change.write.how == "assign" and change.method.name not in STEPS
        ]

    def value(self, attr: str) -> Value:
        """Return what an attribute may be after construction."""
        return join([change.value for change in self.constructed(attr)]) if self.constructed(attr) else UNKNOWN

    def later(self, attr: str) -> list[Change]:
        """Return the writes outside construction, moves to another device or dtype excepted."""
        return [
            change
            for change in self.changes.get(attr, ())
            if not change.method.early and change.write.how not in ("moved", "grad") and not self._is_cast(change)
        ]

    def _is_cast(self, change: Change) -> bool:
        return change.method.name in MOVERS

    def carries(self, change: Change) -> bool:
        """Tell whether a write builds on what the attribute held before the method was entered."""
        if change.write.carried:
            return True
        called = _self_calls(change.write.value)
        return any(
            reading.use.first and "plain" in reading.use.how
            for reading in self.uses.get(change.write.attr, ())
            if reading.method.name in called
        )

    def readings(self, attr: str) -> list[Reading]:
        """Return the uses outside construction and outside saving and moving."""
        skipped = CARRIERS | MOVERS | {"__repr__", "extra_repr", "__str__", "__getstate__", "__setstate__", "__deepcopy__"}
        return [each for each in self.uses.get(attr, ()) if not each.method.early and each.method.name not in skipped]

    def flag(self, attr: str, state: bool) -> bool:
        """Tell whether construction leaves an attribute as the given bool."""
        return any(change.value == Const(state) for change in self.constructed(attr))


def _is_registered_value(value: Value) -> bool:
    return any(isinstance(option, (Parameter, Buffer, Module)) for option in options_of(value))


def _self_calls(value: Value) -> set[str]:
    found: set[str] = set()
    stack: list[object] = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, Call):
            if isinstance(each.callee, Attr) and each.callee.base == SELF:
                found.add(each.callee.name)
            stack.extend((each.callee, *each.args, *(part for _, part in each.keywords)))
        elif isinstance(each, Attr):
            stack.append(each.base)
        elif hasattr(each, "operands"):
            stack.extend(each.operands)
        elif hasattr(each, "options"):
            stack.extend(each.options)
        elif hasattr(each, "base"):
            stack.append(each.base)
    return found
