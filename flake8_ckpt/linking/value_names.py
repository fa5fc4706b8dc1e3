"""How the code names the objects in a value: `policy` for `self.agent.policy.state_dict()`."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value


def last_name(value: Value) -> str:
    """Return the last part of how the code names a value."""
    if isinstance(value, (Attr, Local, Param)):
        return value.name.rpartition(".")[2]
    if isinstance(value, Name):
        return value.path.rpartition(":")[2].rpartition(".")[2]
    if isinstance(value, (Item, Element)):
        return last_name(value.base)
    if isinstance(value, Call):
        return last_name(value.callee)
    if isinstance(value, Join):
        return next((name for name in map(last_name, value.options) if name), "")
    return ""


def mentions(value: Value) -> Iterator[str]:
    """Yield the last names of all objects in a value."""
    for each in parts_of(value):
        if isinstance(each, (Attr, Local, Param, Name)):
            yield last_name(each)


def paths_in(value: Value) -> Iterator[str]:
    """Yield how the code names all objects in a value: `self.policy`, `model`."""
    return (path_text(each) for each in parts_of(value))


def parts_of(value: Value) -> Iterator[Value]:
    """Yield a value and all values that it is made of, but for what locals were bound to."""
    yield value
    for each in inner_values(value):
        yield from parts_of(each)


def parts_through_locals(value: Value) -> Iterator[Value]:
    """Yield a value and what it is made of, also what locals were bound to; not what calls are given by name."""
    yield value
    inner = inner_values(value)
    if isinstance(value, Local):
        inner = (value.value,)
    elif isinstance(value, Call):
        inner = (value.callee, *value.args)
    for each in inner:
        yield from parts_through_locals(each)


def inner_values(value: Value) -> tuple[Value, ...]:
    """Return what a value is directly made of."""
    if isinstance(value, (Attr, Item, Element)):
        return (value.base,)
    if isinstance(value, Call):
        return (value.callee, *value.args, *(given for _, given in value.keywords))
    if isinstance(value, Record):
        return tuple(field.value for field in value.fields)
    if isinstance(value, Container):
        return (value.of, *value.items)
    if isinstance(value, Join):
        return value.options
    return value.operands if isinstance(value, Arith) else ()


def path_text(value: Value) -> str:
    """Return how the code names an object: `self.policy.ob_rms`, a global by its last part; "" without a name."""
    if isinstance(value, Self):
        return "self"
    if isinstance(value, (Local, Param)):
        return value.name
    if isinstance(value, Attr):
        base = path_text(value.base)
        return f"{base}.{value.name}" if base else ""
    if isinstance(value, Name):
        return value.path.rpartition(":")[2].rpartition(".")[2]
    return ""


def is_same_object(one: Value, other: Value) -> bool:
    """Tell whether two values of one function name the same object."""
    text = object_text(one)
    return text != "" and text == object_text(other)


def object_text(value: Value) -> str:
    """Return how a function names an object, in full; that of a join where its options agree, "" without a name."""
    if isinstance(value, Join):
        names = {object_text(option) for option in value.options if option != NONE}
        return names.pop() if len(names) == 1 else ""
    if isinstance(value, (Local, Param)):
        return value.name
    if isinstance(value, Name):
        return value.path.lstrip(":")
    if isinstance(value, Self):
        return "self"
    if isinstance(value, Attr):
        base = object_text(value.base)
        return f"{base}.{value.name}" if base else ""
    return ""
