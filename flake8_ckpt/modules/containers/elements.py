"""What construction puts into a container, and what later calls add to one that it leaves empty."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite

# Lists of dicts of tuples; what is deeper is Unknown.
MAX_NESTED = 3


def elements_of(state: ClassState, attr: str, made: Sequence[AttributeWrite]) -> Value:
    """Return what a container may hold, those within its elements included; Unknown where nothing is known."""
    found = [each for change in made for each in _made(state, change)]
    found += [
        _unregistered(state, change.write.value, change.value)
        for change in state.changes[attr]
        if change.write.how in ("grow", "item") and _runs_at_construction(state, change)
    ]
    if all(_is_empty(change.value) for change in made):
        found += _modules_added_later(state, attr)
    return join([each for each in found if each != UNKNOWN])


def _made(state: ClassState, change: AttributeWrite) -> Iterator[Value]:
    """Yield what a write puts into a container, down to the leaves where the class itself builds it."""
    element = _element(state, change)
    is_handed_in = any(isinstance(each, Param) for each in options_of(change.write.value))
    yield from (element,) if is_handed_in else _leaves(element, MAX_NESTED)


def _runs_at_construction(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether construction calls the method of a write, not only hands it on to be called later."""
    method = change.method
    if not method.runs_at_construction or method.name in CONSTRUCTION:
        return method.runs_at_construction
    return any(
        name == method.name
        for each in state.methods
        if each.runs_at_construction
        for name, _ in each.own_calls()
    )


def kind_of(value: Value) -> str:
    """Return "list", "dict" and so on for a container, or an empty string."""
    if isinstance(value, Record):
        return "dict"
    return value.kind if isinstance(value, Container) else ""


def _leaves(value: Value, depth: int) -> Iterator[Value]:
    """Yield what containers within a value hold in the end."""
    for option in options_of(value):
        if not kind_of(option):
            yield option
        elif depth == 0:
            yield UNKNOWN
        elif isinstance(option, Container) and option.size != 0:
            yield from _leaves(option.of, depth - 1)
        elif isinstance(option, Record):
            for each in option.fields:
                yield from _leaves(each.value, depth - 1)


def _modules_added_later(state: ClassState, attr: str) -> list[Value]:
    """Return the modules that later methods make and add."""
    later = state.runtime_writes(attr)
    if any(change.write.how in ("assign", "delete") for change in later):
        return []
    added = [change for change in later if change.write.how in ("grow", "item")]
    made = [change.value for change in added if isinstance(change.write.value, (Module, Call))]
    return [value for value in made if isinstance(value, Module)]


def _element(state: ClassState, change: AttributeWrite) -> Value:
    found: list[Value] = []
    raw = change.write.value
    if any(isinstance(each, Param) for each in options_of(raw)) and _may_be_empty(change.value):
        return UNKNOWN
    for option in options_of(change.value):
        if isinstance(option, Container) and option.size != 1 and option.size != 0:
            source = raw.of if isinstance(raw, Container) else UNKNOWN
            found.append(_unregistered(state, source, option.of))
        elif isinstance(option, Record):
            sources = {each.key: each.value for each in raw.fields} if isinstance(raw, Record) else {}
            found += [
                _unregistered(state, sources.get(each.key, UNKNOWN), each.value) for each in option.fields
            ]
    return join(found) if found else UNKNOWN


def _may_be_empty(value: Value) -> bool:
    return any(option == NONE or _is_empty(option) for option in options_of(value))


def _is_empty(value: Value) -> bool:
    return isinstance(value, Container) and value.size == 0


def _unregistered(state: ClassState, raw: Value, value: Value) -> Value:
    """Return an element's value, Unknown where it is an attribute that is registered by itself."""
    for option in options_of(raw):
        if isinstance(option, Attr) and option.base == SELF and state.registered(option.name):
            return UNKNOWN
    return value
