"""What the objects of one module class hold, method by method: the view that the module-state rules ask.

Methods that construction runs (`__init__`, and what it calls, in the class and its ancestors) are
the *construction*; what all others write are the *runtime writes*.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property

from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import CARRIERS
from flake8_ckpt.frameworks.torch_methods import CASTS
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import MOVERS
from flake8_ckpt.frameworks.torch_methods import SAVERS
from flake8_ckpt.frameworks.torch_methods import STEPS
from flake8_ckpt.frameworks.torch_methods import UNEVENTFUL
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.kind_context import KindContext
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.modules.argument_changes import changed_arguments
from flake8_ckpt.modules.members import AttributeRead
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.members import Method
from flake8_ckpt.modules.method_graph import method_graph
from flake8_ckpt.modules.method_graph import reached_methods

# What makes a name a pattern of names.
WILDCARDS = frozenset("*?[")


class ClassState:
    """One module class: its methods, its writes, its registrations, its uses."""

    def __init__(
        self,
        identity: str,
        hierarchy: Hierarchy,
        kind_evaluator: KindEvaluator,
        pickled_whole: frozenset[str] = frozenset(),
    ) -> None:
        self.identity = identity
        self.path, _, self.name = identity.partition(":")
        self.hierarchy = hierarchy
        self.kind_evaluator = kind_evaluator
        self.pickled_whole = pickled_whole

    @cached_property
    def graph(self) -> dict[str, frozenset[str]]:
        """Return which methods call which on the same object, the nearest definition first."""
        return method_graph(self.identity, self.hierarchy)

    def reach(self, names: frozenset[str]) -> frozenset[str]:
        """Return some methods and all that they call, directly or not."""
        return reached_methods(names, self.graph)

    @cached_property
    def runs_at_construction(self) -> frozenset[str]:
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
                    found.append(Method(owner, method, method.name in self.runs_at_construction))
            hidden |= {name for name in facts.method_names if name not in graph.get(name, ())}
        return tuple(found)

    @cached_property
    def changes(self) -> dict[str, list[AttributeWrite]]:
        """Return the writes to each attribute."""
        return self._changes(self.methods)

    def _changes(self, methods: tuple[Method, ...]) -> dict[str, list[AttributeWrite]]:
        found: dict[str, list[AttributeWrite]] = {}
        for method in methods:
            for write in (*method.facts.writes, *changed_arguments(method, self.identity, self.hierarchy)):
                found.setdefault(write.attr, []).append(
                    AttributeWrite(method, write, self.kind_evaluator, self.context(method))
                )
        return found

    @cached_property
    def subclass_methods(self) -> tuple[Method, ...]:
        """Return what the classes that derive from this one add to it."""
        found = []
        for subclass in self.hierarchy.subclasses(self.identity):
            for method in self.hierarchy.methods(subclass).values():
                found.append(Method(subclass, method, method.name in self.runs_at_construction))
        return tuple(found)

    def subclass_states(self) -> Iterator[ClassState]:
        """Yield the states of the classes that derive from this one."""
        for subclass in self.hierarchy.subclasses(self.identity):
            yield ClassState(subclass, self.hierarchy, self.kind_evaluator, self.pickled_whole)

    @cached_property
    def subclass_changes(self) -> dict[str, list[AttributeWrite]]:
        """Return the writes to each attribute in the classes that derive from this one."""
        return self._changes(self.subclass_methods)

    def context(self, method: Method) -> KindContext:
        """Return the context in which a method's values are resolved."""
        return KindContext(method.owner.partition(":")[0], self.identity, method.owner, method.facts)

    @cached_property
    def registers(self) -> tuple[tuple[Method, Register], ...]:
        """Return the registrations in all methods."""
        return tuple((method, each) for method in self.methods for each in method.facts.registers)

    @cached_property
    def uses(self) -> dict[str, list[AttributeRead]]:
        """Return the uses of each attribute."""
        found: dict[str, list[AttributeRead]] = {}
        for method in self.methods:
            for use in method.facts.uses:
                found.setdefault(use.attr, []).append(AttributeRead(method, use))
        return found

    def owned(self) -> Iterator[tuple[str, list[AttributeWrite]]]:
        """Yield the attributes that this class itself sets first, with all their writes."""
        for attr, changes in self.changes.items():
            if changes and any(change.method.owner == self.identity for change in changes):
                yield attr, changes

    @cached_property
    def has_unknown_base(self) -> bool:
        """Tell whether an ancestor outside the project may declare attributes of its own."""
        known = ("torch.nn.Module", "object", "abc.ABC", "typing.Generic", "typing.Protocol")
        classes = self.hierarchy.symbols.classes
        return any(
            each not in classes and each not in known and not each.endswith("LightningModule")
            for each in self.hierarchy.ancestors(self.identity)
        )

    @cached_property
    def registered_names(self) -> frozenset[str]:
        """Return the names, or patterns of names, that some method registers."""
        found: set[str] = set()
        for method, each in self.registers:
            if each.name.startswith("$"):
                found |= self._given_names(method, each.name[1:])
            elif each.kind not in ("setattr", "wrapped") and (each.kind, each.name) != ("module", "*"):
                found.add(each.name)
        return frozenset(found)

    @cached_property
    def _registered_patterns(self) -> tuple[str, ...]:
        return tuple(each for each in self.registered_names if not WILDCARDS.isdisjoint(each))

    def _given_names(self, method: Method, parameter: str) -> set[str]:
        """Return the names with which the class calls a method that registers what it is told to."""
        names = [each.name for each in method.facts.parameters][1:]
        given: set[str] = set()
        for site in (site for each in self.methods for site in each.facts.calls):
            call = site.call
            if call.callee not in (
                Attr(SELF, method.name),
                Attr(Super(), method.name),
            ):
                continue
            bound = {**dict(zip(names, call.args)), **dict(call.keywords)}.get(parameter)
            if isinstance(bound, Const) and isinstance(bound.value, str):
                given.add(bound.value)
        return given

    @cached_property
    def used_as_tensor(self) -> frozenset[str]:
        """Return the attributes that tensor functions are given, and those that make one up with numbers alone."""
        given = {attr for attr, uses in self.uses.items() if any("tensor" in each.use.how for each in uses)}
        shared = {
            other.name
            for attr in given
            for change in self.changes.get(attr, ())
            if isinstance(change.write.value, Arith)
            for other in _only_attribute(change.write.value)
        }
        return frozenset(given | shared)

    def registered(self, attr: str) -> bool:
        """Tell whether an attribute is a buffer, parameter, module or metric state, or a property."""
        if attr in self.registered_names or any(
            fnmatchcase(attr, each) for each in self._registered_patterns
        ):
            return True
        if any(
            _is_registered_value(each.value)
            for each in self.changes.get(attr, ())
            if each.write.how == "assign"
        ):
            return True
        return self.hierarchy.defines(self.identity, attr)

    @cached_property
    def saves_itself(self) -> bool:
        """Tell whether a method pickles the whole object, or the project saves it in no other way."""
        if self.identity in self.pickled_whole:
            return True
        calls = [site.call for method in self.methods for site in method.facts.calls]
        return any(
            isinstance(call.callee, Name) and call.args[:1] == (SELF,)
            and call.callee.path.rpartition(".")[2] in ("save", "dump", "dumps")
            for call in calls
        )  # fmt: skip

    @cached_property
    def is_filled_by_transformers(self) -> bool:
        """Tell whether `from_pretrained` of transformers may fill the buffers of its objects."""
        paths = self.hierarchy.symbols.imports.get(self.path, {}).values()
        return any(each.partition(".")[0] == "transformers" or "modeling_utils" in each for each in paths)

    @cached_property
    def carriers(self) -> tuple[Method, ...]:
        """Return the methods that save the object in its own way."""
        return tuple(each for each in self.methods if each.name in CARRIERS or SAVERS.search(each.name))

    def constructed(self, attr: str) -> list[AttributeWrite]:
        """Return the assignments to an attribute during construction."""
        return self._constructed.get(attr, [])

    @cached_property
    def _constructed(self) -> dict[str, list[AttributeWrite]]:
        found = {
            attr: [
                each for each in changes if each.method.runs_at_construction and each.write.how == "assign"
            ]
            for attr, changes in self.changes.items()
        }
        return {attr: changes for attr, changes in found.items() if changes}

    def runtime_writes(self, attr: str) -> list[AttributeWrite]:
        """Return the writes outside construction, moves to another device or dtype excepted."""
        return [
            change
            for change in (*self.changes.get(attr, ()), *self.subclass_changes.get(attr, ()))
            if not change.method.runs_at_construction
            and change.write.how not in ("moved", "grad", "weights")
            and not self._is_cast(change)
        ]

    def _is_cast(self, change: AttributeWrite) -> bool:
        value = change.write.value
        if change.method.name in MOVERS:
            return True
        if not isinstance(value, Call) or not isinstance(value.callee, Name):
            return False
        return (
            value.args[:1] == (Attr(SELF, change.write.attr),) and CASTS.search(value.callee.path) is not None
        )

    def reads(self, attr: str) -> list[AttributeRead]:
        """Return the uses outside construction and outside saving and moving."""
        skipped = CARRIERS | MOVERS | UNEVENTFUL
        subclasses = [
            AttributeRead(each, use)
            for each in self.subclass_methods
            for use in each.facts.uses
            if use.attr == attr
        ]
        found = [*self.uses.get(attr, ()), *subclasses]
        return [
            each for each in found if not each.method.runs_at_construction and each.method.name not in skipped
        ]

    def flag(self, attr: str, state: bool) -> bool:
        """Tell whether construction leaves an attribute as the given bool."""
        return any(change.value == Const(state) for change in self.constructed(attr))


def _only_attribute(value: Arith) -> list[Attr]:
    """Return the attribute of `self` that arithmetic combines with numbers, if there is just one."""
    others = [each for each in value.operands if not isinstance(each, (Const, Number))]
    return (
        [each for each in others if isinstance(each, Attr) and each.base == SELF] if len(others) == 1 else []
    )


def _is_registered_value(value: Value) -> bool:
    return any(isinstance(option, (Parameter, Buffer, Module)) for option in options_of(value))
