"""Which calls made an object: through locals, attributes, helper functions and the callers of a function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import Any
from typing import Optional

from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import bind
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.functions import script_of
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

# Bounds of the search: levels of a value, callers of one function, sites of one object, steps in all.
MAX_DEPTH = 24
MAX_CALLERS = 8
MAX_SITES = 64
MAX_STEPS = 1000
# Methods that give their object back.
SAME = MODULE_METHODS | {"learn"}


@dataclass(frozen=True, eq=False)
class Place:
    """Where a value stands: in which statement of which function.

    `given` holds the arguments of the call that was followed into the function, `route` all calls that were.
    """

    callee: FunctionRef
    position: Position
    given: Mapping[str, tuple[Value, Place]] = field(default_factory=dict)
    route: tuple[Spot, ...] = ()

    @property
    def location(self) -> Spot:
        """Return the statement."""
        return Spot(self.callee.path, self.position)

    @property
    def context(self) -> CallContext:
        """Return the function as values are resolved in it."""
        return CallContext(self.callee)

    def at(self, position: Position) -> Place:
        """Return another statement of the same function."""
        return Place(self.callee, position, self.given, self.route)


@dataclass(frozen=True, eq=False)
class AllocationSite:
    """A call that made an object, with all its arguments, or the attribute or parameter it was taken from."""

    value: Value
    place: Place

    @property
    def identity(self) -> tuple[Spot, tuple[Spot, ...]]:
        """Return what tells this object from others that the same statement made."""
        return self.place.location, self.place.route


class AllocationSites:
    """Finds the calls that made an object."""

    def __init__(self, evaluator: SymbolicEvaluator) -> None:
        self.hierarchy = evaluator.hierarchy
        self.symbols = evaluator.symbols
        self.evaluator = evaluator
        self._seen: set[tuple[Value, str, Position, tuple[Spot, ...]]] = set()

    @cached_property
    def units(self) -> tuple[FunctionRef, ...]:
        """Return the functions that are followed closely, methods in the class that defines them."""
        return tuple(followed_functions(self.symbols))

    @cached_property
    def callers(self) -> Mapping[str, list[tuple[FunctionRef, Site]]]:
        """Return the calls of each function of the project, a class's as those of its `__init__`."""
        found: dict[str, list[tuple[FunctionRef, Site]]] = defaultdict(list)
        for unit in self.units:
            for site in unit.function.calls:
                inner = self.entered(site.call, Place(unit, site.position))
                if inner is not None:
                    found[inner.identity].append((unit, site))
        return found

    def entered(self, call: Call, place: Place) -> Optional[FunctionRef]:
        """Return the function of the project that a call runs, the `__init__` of a class that it makes."""
        found = self.evaluator.callee_of(call, place.context)
        if found is not None or not isinstance(call.callee, Name):
            return found
        class_id = self.symbols.resolve(call.callee.path, place.callee.path)
        method = (
            self.hierarchy.find_method(class_id, "__init__") if class_id in self.symbols.classes else None
        )
        return method_ref(*method, class_id) if method else None

    def of(self, value: Value, place: Place) -> list[AllocationSite]:
        """Return what may have made an object, each once."""
        found: dict[tuple[object, ...], AllocationSite] = {}
        self._seen = set()
        for each in self._of(value, place, 0):
            found.setdefault((*each.identity, type(each.value)), each)
            if len(found) >= MAX_SITES:
                break
        complete = len(found) < MAX_SITES and len(self._seen) <= MAX_STEPS
        return [*found.values(), *(() if complete else (AllocationSite(UNKNOWN, place),))]

    def _of(self, value: Value, place: Place, depth: int) -> Iterator[AllocationSite]:
        step = (value, place.callee.identity, place.position, place.route)
        if depth > MAX_DEPTH or value == NONE or step in self._seen or len(self._seen) > MAX_STEPS:
            return
        self._seen.add(step)
        follow = FOLLOW.get(type(value))
        if follow is None:
            yield AllocationSite(value, place)
        else:
            yield from follow(self, value, place, depth + 1)

    def _local(self, value: Local, place: Place, depth: int) -> Iterator[AllocationSite]:
        stores = [each for each in place.callee.function.stores if each.target == value]
        for position in dict.fromkeys(each.position for each in stores):
            yield from self._of(value.value, place.at(position), depth)
        if not stores:
            yield from self._of(value.value, place, depth)

    def _join(self, value: Join, place: Place, depth: int) -> Iterator[AllocationSite]:
        for option in value.options:
            yield from self._of(option, place, depth)

    def _param(self, value: Param, place: Place, depth: int) -> Iterator[AllocationSite]:
        if value.name in place.given:
            given, outer = place.given[value.name]
            yield from self._of(given, outer, depth)
            return
        callers = self.callers.get(place.callee.identity, ())[:MAX_CALLERS]
        for unit, site in callers:
            given = self.arguments(site.call, place.callee).get(value.name, UNKNOWN)
            yield from self._of(given, Place(unit, site.position), depth)
        if not callers:
            yield AllocationSite(value, place)

    def arguments(self, call: Call, callee: FunctionRef) -> dict[str, Value]:
        """Return what a call gives to the parameters of a function."""
        return bind(callee, list(call.args), dict(call.keywords))

    def _attr(self, value: Attr, place: Place, depth: int) -> Iterator[AllocationSite]:
        class_id = self.evaluator.class_of(value.base, place.context)
        found = False
        for owner, method in self.hierarchy.inherited_methods(class_id):
            inner = method_ref(owner, method, class_id)
            for write in method.writes:
                if write.attr == value.name and write.how == "assign":
                    found = True
                    yield from self._of(write.value, Place(inner, write.position), depth)
        if not found:
            yield AllocationSite(value, place)

    def _item(self, value: Item, place: Place, depth: int) -> Iterator[AllocationSite]:
        for made in self._of(value.base, place, depth):
            if isinstance(made.value, (Container, Record)):
                yield from self._of(_item_of(made.value, value.key), made.place, depth)
            else:
                yield AllocationSite(Item(made.value, value.key), made.place)

    def _name(self, value: Name, place: Place, depth: int) -> Iterator[AllocationSite]:
        script = script_of(place.callee.path, self.symbols)
        name = value.path.lstrip(":")
        bound = [
            (store.target, Place(script, store.position))
            for store in (script.function.stores if script is not None else ())
            if script is not None and isinstance(store.target, Local) and store.target.name == name
        ]
        for target, at in bound:
            yield from self._of(target, at, depth)
        if not bound:
            yield AllocationSite(value, place)

    def _call(self, value: Call, place: Place, depth: int) -> Iterator[AllocationSite]:
        call = whole_call(value, place)
        if isinstance(call.callee, Attr) and call.callee.name in SAME:
            yield from self._of(call.callee.base, place, depth)
            return
        inner = self.evaluator.callee_of(call, place.context)
        if inner is None:
            yield AllocationSite(call, place)
            return
        given = {name: (each, place) for name, each in self.arguments(call, inner).items()}
        entered = Place(inner, inner.function.position, given, (*place.route, place.location))
        returned = [each for each in inner.function.stores if each.target == Name("return")]
        for store in returned:
            yield from self._of(store.value, entered.at(store.position), depth)
        if not returned:
            yield AllocationSite(inner.function.returns or UNKNOWN, entered)


def _item_of(container: Container | Record, key: Value) -> Value:
    if isinstance(container, Record):
        held = [each.value for each in container.fields if key == Const(each.key)]
        return held[0] if held else UNKNOWN
    index = key.value if isinstance(key, Const) else None
    known = isinstance(index, int) and 0 <= index < len(container.items)
    return container.items[index] if known and isinstance(index, int) else UNKNOWN


def whole_call(call: Call, place: Place) -> Call:
    """Return a call with the arguments that a local's value leaves out where there are many."""
    same = [
        site.call
        for site in place.callee.function.calls
        if site.position == place.position and _is_same_callee(call.callee, site.call.callee)
    ]
    return max(same, key=lambda each: len(each.args) + len(each.keywords), default=call)


def _is_same_callee(brief: Value, full: Value) -> bool:
    if brief == full:
        return True
    return isinstance(brief, Attr) and isinstance(full, Attr) and brief == Attr(UNKNOWN, full.name)


FOLLOW: dict[type, Callable[[AllocationSites, Any, Place, int], Iterator[AllocationSite]]] = {
    Local: AllocationSites._local,
    Join: AllocationSites._join,
    Param: AllocationSites._param,
    Attr: AllocationSites._attr,
    Item: AllocationSites._item,
    Name: AllocationSites._name,
    Call: AllocationSites._call,
}
