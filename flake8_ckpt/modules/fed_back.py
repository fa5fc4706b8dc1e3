"""Attributes that go through a part of the module and come back: the hidden state of one sequence.

self.h = self.cell(x, self.h)                    # begins at zeros with each sequence
self.h, self.c, y = self.run(x, self.h, self.c)  # where run() calls self.lstm with them
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite


def is_fed_back(state: ClassState, carried: list[AttributeWrite]) -> bool:
    """Tell whether what is carried on comes, each time, out of a part that was given it."""
    return bool(carried) and all(_comes_out_of_part(state, change) for change in carried)


def _comes_out_of_part(state: ClassState, change: AttributeWrite) -> bool:
    call = change.write.value
    while isinstance(call, (Item, Element)):
        call = call.base
    given = Attr(SELF, change.attr)
    if not isinstance(call, Call) or given not in _handed(call):
        return False
    return _is_part(state, call.callee) or _hands_to_part(state, call, given)


def _hands_to_part(state: ClassState, call: Call, given: Value) -> bool:
    """Tell whether a method of the same object hands a part what it is given."""
    if not isinstance(call.callee, Attr) or call.callee.base != SELF:
        return False
    found = state.hierarchy.find_method(state.identity, call.callee.name)
    if found is None:
        return False
    names = [each.name for each in found[1].parameters]
    skipped = 0 if "staticmethod" in found[1].decorators else 1
    bound = {**dict(zip(names[skipped:], call.args)), **dict(call.keywords)}
    taken = {Param(name) for name, value in bound.items() if _without_methods(value) == given}
    sites = (site.call for site in found[1].calls)
    return any(_is_part(state, each.callee) and not taken.isdisjoint(_handed(each)) for each in sites)


def _is_part(state: ClassState, callee: Value) -> bool:
    """Tell whether what is called is a module that construction makes, or left out of what was read of it."""
    if not isinstance(callee, Attr) or callee.base != SELF:
        return False
    made = state.constructed(callee.name)
    if not made:
        return not state.hierarchy.defines(state.identity, callee.name)
    return any(isinstance(option, Module) for each in made for option in options_of(each.value))


def _handed(call: Call) -> list[Value]:
    """Return what a call is given, the elements of short tuples included, without their views."""
    return [_without_methods(each) for value in arguments_of(call) for each in _elements(value)]


def _without_methods(value: Value) -> Value:
    """Return what a chain of method calls starts from: `h.transpose(0, 1)` is h in another order."""
    while True:
        if isinstance(value, Call) and isinstance(value.callee, Attr):
            value = value.callee.base
        elif isinstance(value, Local):
            value = value.value
        else:
            return value


def _elements(value: Value) -> Iterator[Value]:
    yield from value.items if isinstance(value, Container) else (value,)
