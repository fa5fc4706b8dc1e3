"""Bounds on the size of values: what is nested too deeply, or too large, loses its leaves."""

from __future__ import annotations

from typing import Union

from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join

MAX_DEPTH = 8


def bounded(value: Value) -> Value:
    """Return the value, or Unknown where it is nested too deeply to be worth keeping."""
    return value if _depth(value, 0) <= MAX_DEPTH else UNKNOWN


def trimmed(value: Value, depth: int = 0) -> Value:
    """Return the value with Unknown for what is nested too deeply: in a call's arguments, under a record's keys."""
    if _depth(value, depth) <= MAX_DEPTH:
        return value
    if isinstance(value, Record):
        fields = tuple(Field(each.key, trimmed(each.value, depth + 1), each.always) for each in value.fields)
        return Record(fields, value.open)
    if isinstance(value, Join):
        return join([trimmed(option, depth + 1) for option in value.options])
    if isinstance(value, Call) and depth == 0 and _depth(value.callee, 1) <= MAX_DEPTH:
        keywords = tuple((name, trimmed(each, 1)) for name, each in value.keywords)
        return Call(value.callee, tuple(trimmed(each, 1) for each in value.args), keywords)
    return UNKNOWN


def _depth(value: Value, depth: int) -> int:
    if depth > MAX_DEPTH:
        return depth
    if isinstance(value, (Attr, Item, Element)):
        return _depth(value.base, depth + 1)
    if isinstance(value, Container):
        return _depth(value.of, depth + 1)
    if isinstance(value, (Call, Arith, Join, Record)):
        return max((_depth(part, depth + 1) for part in _parts(value)), default=depth)
    return depth


MAX_SIZE = 48


def brief(value: Value) -> Value:
    """Return what a local may be bound to: the value, or where it is large, only what is called for it."""
    if _size(value, MAX_SIZE) > 0:
        return value
    if isinstance(value, Call):
        callee = value.callee
        named = (
            callee
            if isinstance(callee, Name)
            else Attr(UNKNOWN, callee.name)
            if isinstance(callee, Attr)
            else UNKNOWN
        )
        return Call(named, (), tuple((name, UNKNOWN) for name, _ in value.keywords))
    return UNKNOWN


def _size(value: Value, left: int) -> int:
    """Return how many records are left of a number when those of a value are counted, 0 where it has more."""
    left -= 1
    if isinstance(value, (Attr, Item, Element)):
        return _size(value.base, left) if left > 0 else 0
    if isinstance(value, Container):
        return _size(value.of, left) if left > 0 else 0
    if isinstance(value, Local):
        return _size(value.value, left) if left > 0 else 0
    if isinstance(value, (Call, Arith, Join, Record)):
        for part in _parts(value):
            if left <= 0:
                return 0
            left = _size(part, left)
    return max(left, 0)


def _parts(value: Union[Call, Arith, Join, Record]) -> tuple[Value, ...]:
    if isinstance(value, Call):
        return (value.callee, *value.args, *(each for _, each in value.keywords))
    if isinstance(value, Arith):
        return value.operands
    return value.options if isinstance(value, Join) else tuple(field.value for field in value.fields)
