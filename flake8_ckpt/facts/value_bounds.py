"""Bounds on the size of values: what is nested too deeply, or too large, loses its leaves."""

from __future__ import annotations

from typing import Union

from flake8_ckpt.facts import values as v

MAX_DEPTH = 8


def bounded(value: v.Value) -> v.Value:
    """Return the value, or Unknown where it is nested too deeply to be worth keeping."""
    return value if _depth(value, 0) <= MAX_DEPTH else v.UNKNOWN


def trimmed(value: v.Value, depth: int = 0) -> v.Value:
    """Return the value with Unknown for what is nested too deeply: in a call's arguments, under a record's keys."""
    if _depth(value, depth) <= MAX_DEPTH:
        return value
    if isinstance(value, v.Record):
        fields = tuple(
            v.Field(each.key, trimmed(each.value, depth + 1), each.always) for each in value.fields
        )
        return v.Record(fields, value.open)
    if isinstance(value, v.Join):
        return v.join([trimmed(option, depth + 1) for option in value.options])
    if isinstance(value, v.Call) and depth == 0 and _depth(value.callee, 1) <= MAX_DEPTH:
        keywords = tuple((name, trimmed(each, 1)) for name, each in value.keywords)
        return v.Call(value.callee, tuple(trimmed(each, 1) for each in value.args), keywords)
    return v.UNKNOWN


def _depth(value: v.Value, depth: int) -> int:
    if depth > MAX_DEPTH:
        return depth
    if isinstance(value, (v.Attr, v.Item, v.Element)):
        return _depth(value.base, depth + 1)
    if isinstance(value, v.Container):
        return _depth(value.of, depth + 1)
    if isinstance(value, (v.Call, v.Arith, v.Join, v.Record)):
        return max((_depth(part, depth + 1) for part in _parts(value)), default=depth)
    return depth


MAX_SIZE = 48


def brief(value: v.Value) -> v.Value:
    """Return what a local may be bound to: the value, or where it is large, only what is called for it."""
    if _size(value, MAX_SIZE) > 0:
        return value
    if isinstance(value, v.Call):
        callee = value.callee
        named = (
            callee
            if isinstance(callee, v.Name)
            else v.Attr(v.UNKNOWN, callee.name)
            if isinstance(callee, v.Attr)
            else v.UNKNOWN
        )
        return v.Call(named, (), tuple((name, v.UNKNOWN) for name, _ in value.keywords))
    return v.UNKNOWN


def _size(value: v.Value, left: int) -> int:
    """Return how many records are left of a number when those of a value are counted, 0 where it has more."""
    left -= 1
    if isinstance(value, (v.Attr, v.Item, v.Element)):
        return _size(value.base, left) if left > 0 else 0
    if isinstance(value, v.Container):
        return _size(value.of, left) if left > 0 else 0
    if isinstance(value, v.Local):
        return _size(value.value, left) if left > 0 else 0
    if isinstance(value, (v.Call, v.Arith, v.Join, v.Record)):
        for part in _parts(value):
            if left <= 0:
                return 0
            left = _size(part, left)
    return max(left, 0)


def _parts(value: Union[v.Call, v.Arith, v.Join, v.Record]) -> tuple[v.Value, ...]:
    if isinstance(value, v.Call):
        return (value.callee, *value.args, *(each for _, each in value.keywords))
    if isinstance(value, v.Arith):
        return value.operands
    return value.options if isinstance(value, v.Join) else tuple(field.value for field in value.fields)
