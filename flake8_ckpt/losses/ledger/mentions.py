"""Where the functions of a project mention objects, and what they do with them there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from typing import Optional

import msgspec

from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.value_names import inner_values
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.ledger.holder import step_to

NAMING = (Self, Local, Param, Name, Attr, Item, Element)
PARAMETERS = frozenset(["parameters", "named_parameters"])
How = Literal["called", "given", "trained", "saved", "restored"]


@dataclass(frozen=True, eq=False)
class Mention:
    """A function does something with an object that it names.

    `how` is "called" (its method `name`), "given" (to a call whose last name is `name`), "trained" (its parameters,
    where it is `of_module`, or itself in a list are given to a call), "saved" (in a payload: whole, or what its
    attribute or method `name` gives) or "restored" (a load puts something into it, or into its `name`).
    """

    how: How
    value: Value
    unit: FunctionRef
    position: Position
    name: str = ""
    site: Optional[Site] = None
    of_module: bool = False

    @property
    def location(self) -> Spot:
        """Return the statement."""
        return Spot(self.unit.path, self.position)


@dataclass(frozen=True, eq=False)
class Binding:
    """A function binds a value to a name: a local, an attribute, an item of a container (after `step`).

    `loaded` is true where the value comes out of a payload.
    """

    into: Value
    step: str
    value: Value
    unit: FunctionRef
    position: Position
    loaded: bool = False

    @property
    def location(self) -> Spot:
        """Return the statement."""
        return Spot(self.unit.path, self.position)


def mentions_in(unit: FunctionRef) -> Iterator[Mention]:
    """Yield what a function does with the objects that it names."""
    for site in unit.function.calls:
        yield from _in_call(site, unit)
    for use in unit.function.uses:
        value = Attr(SELF, use.attr)
        for how in use.how:
            if how.startswith(".") or how == "call":
                name = how[1:] if how.startswith(".") else "__call__"
                yield Mention("called", value, unit, use.position, name)


def bindings_in(unit: FunctionRef) -> Iterator[Binding]:
    """Yield what a function binds to names, each item of a display by itself."""
    for store in unit.function.stores:
        if store.target != Name("return"):
            for step, value in leaves_of(store.value):
                yield Binding(store.target, step, value, unit, store.position, store.loaded)
    for write in unit.function.writes:
        if write.how in ("assign", "grow", "item"):
            for step, value in leaves_of(write.value):
                inner = step if write.how == "assign" else "[]"
                yield Binding(Attr(SELF, write.attr), inner, value, unit, write.position, write.loaded)


def _in_call(site: Site, unit: FunctionRef) -> Iterator[Mention]:
    name = last_name(site.call.callee)
    for callee in options_of(site.call.callee):
        if isinstance(callee, Attr):
            for each in _receivers(callee.base):
                yield Mention("called", each, unit, site.position, callee.name, site)
        if isinstance(callee, NAMING):
            yield Mention("called", callee, unit, site.position, "__call__", site)
    for value in arguments_of(site.call):
        for each in named_in(value):
            yield Mention("given", each, unit, site.position, name, site)
        for each, of_module in trained_in(value):
            yield Mention("trained", each, unit, site.position, name, site, of_module)


def _receivers(base: Value) -> Iterator[Value]:
    """Yield what a method is called on; what is unwrapped for it counts: `unwrap(model).state_dict()`."""
    for option in branches_of(base):
        if isinstance(option, NAMING):
            yield option
        elif isinstance(option, Call):
            yield from (each for arg in option.args for each in named_in(arg))
            if isinstance(option.callee, Attr) and isinstance(option.callee.base, NAMING):
                yield option.callee.base


def branches_of(value: Value) -> Iterator[Value]:
    """Yield the paths that one may be, of an object that is one of several: `a.net` and `b.net` for `(a or b).net`."""
    if isinstance(value, (Attr, Item, Element)):
        for base in branches_of(value.base):
            yield value if base is value.base else msgspec.structs.replace(value, base=base)
    else:
        yield from options_of(value)


def leaves_of(value: Value) -> Iterator[tuple[str, Value]]:
    """Yield the values in a display, each with the step that leads to it, or the value itself with none."""
    for option in branches_of(value):
        if isinstance(option, Record):
            for field in option.fields:
                yield from ((step_to(field.key), each) for _, each in leaves_of(field.value))
        elif isinstance(option, Container):
            for index, item in enumerate(option.items):
                yield from ((step_to(index), each) for _, each in leaves_of(item))
            if not option.items:
                yield from (("[]", each) for _, each in leaves_of(option.of))
        else:
            yield "", option


def named_in(value: Value) -> Iterator[Value]:
    """Yield the objects that a value names, in displays too."""
    named = (each for _, each in leaves_of(value) if isinstance(each, NAMING))
    return (branch for each in named for branch in branches_of(each) if isinstance(branch, NAMING))


def trained_in(value: Value) -> Iterator[tuple[Value, bool]]:
    """Yield what is listed to be trained, alone or in lists, groups and chains, and whether its parameters are.

    That is x for `x.parameters()`, and t, of which the parameters are not asked, for `[t]`.
    """
    for step, each in leaves_of(value):
        if isinstance(each, Element):
            yield from trained_in(each.base)
        elif isinstance(each, NAMING) and step:
            yield each, False
        elif isinstance(each, Arith):
            yield from (found for operand in each.operands for found in trained_in(operand))
        elif isinstance(each, Call):
            yield from _trained_by(each)


def _trained_by(call: Call) -> Iterator[tuple[Value, bool]]:
    callee = call.callee
    if isinstance(callee, Attr) and callee.name in PARAMETERS:
        yield from ((each, True) for each in branches_of(callee.base) if isinstance(each, NAMING))
    elif isinstance(callee, Name):
        yield from (each for arg in call.args for each in trained_in(arg))


def kept_in(payload: Value) -> Iterator[tuple[Value, str]]:
    """Yield the objects in a payload: with "" where it holds the whole, else with the method or attribute it takes."""
    if isinstance(payload, Call) and isinstance(payload.callee, Attr):
        base = payload.callee.base
        if isinstance(base, NAMING):
            for each in branches_of(base):
                yield each, payload.callee.name
                yield from _part_of(each)
        else:
            yield from kept_in(base)
        for arg in arguments_of(payload):
            yield from kept_in(arg)
    elif isinstance(payload, NAMING):
        for each in branches_of(payload):
            yield each, ""
            yield from _part_of(each)
    else:
        for inner in inner_values(payload):
            yield from kept_in(inner)


def _part_of(value: Value) -> Iterator[tuple[Value, str]]:
    if isinstance(value, Attr) and isinstance(value.base, NAMING) and not isinstance(value.base, Self):
        yield value.base, value.name
