"""Bounds on the size of values: what is nested too deeply, or too large, loses its leaves."""

from __future__ import annotations

from typing import Union

from flake8_ckpt.facts import values as v

MAX_DEPTH = 8
# A payload has some dozens of keys; a generated one may have thousands, each set by a statement of its own.
MAX_FIELDS = 512
WITHOUT_PARTS = frozenset(
    [v.Unknown, v.Const, v.Number, v.Tensor, v.NdArray, v.Parameter, v.Buffer, v.Module, v.Name, v.Instance]
    + [v.Self, v.Super, v.Param, v.Local]
)


def record_of(fields: tuple[v.Field, ...], is_open: bool) -> v.Record:
    """Return a record; one with more keys than anybody writes keeps the first of them, and is open."""
    return v.Record(fields, is_open) if len(fields) <= MAX_FIELDS else v.Record(fields[:MAX_FIELDS], True)


def bounded(value: v.Value, depth: int = 0) -> v.Value:
    """Return the value with Unknown for what is nested too deeply: under a record's keys, in a call's arguments."""
    if _fits(value, MAX_DEPTH - depth):
        return value
    if isinstance(value, v.Record) and depth < MAX_DEPTH:
        fields = tuple(
            v.Field(each.key, bounded(each.value, depth + 1), each.always) for each in value.fields
        )
        return v.Record(fields, value.open)
    if isinstance(value, v.Container) and depth < MAX_DEPTH:
        items = tuple(bounded(each, depth + 1) for each in value.items)
        return v.Container(value.kind, bounded(value.of, depth + 1), value.size, items)
    if isinstance(value, v.Join):
        return v.join([bounded(option, depth + 1) for option in value.options])
    if isinstance(value, v.Call) and depth == 0 and _fits(value.callee, MAX_DEPTH - 1):
        keywords = tuple((name, bounded(each, 1)) for name, each in value.keywords)
        return v.Call(value.callee, tuple(bounded(each, 1) for each in value.args), keywords)
    return v.UNKNOWN


def _fits(value: v.Value, depth: int) -> bool:
    """Tell whether a value is nested at most so deeply."""
    if type(value) in WITHOUT_PARTS:
        return depth >= 0
    while isinstance(value, (v.Attr, v.Item, v.Element)):
        value, depth = value.base, depth - 1
    if depth < 0 or type(value) in WITHOUT_PARTS:
        return depth >= 0
    if isinstance(value, v.Container):
        return _fits(value.of, depth - 1)
    if isinstance(value, (v.Call, v.Arith, v.Join, v.Record)):
        for part in _parts(value):
            if not _fits(part, depth - 1):
                return False
    return True


MAX_SIZE = 48


def brief(value: v.Value) -> v.Value:
    """Return what a local may be bound to: the value, or where it is large, what is called for it on what object."""
    if _size(value, MAX_SIZE) > 0:
        return value
    if isinstance(value, v.Call):
        unknown = tuple(v.UNKNOWN for _ in value.args[:MAX_SIZE])
        return v.Call(
            _brief_callee(value.callee), unknown, tuple((name, v.UNKNOWN) for name, _ in value.keywords)
        )
    return v.UNKNOWN


def _brief_callee(callee: v.Value) -> v.Value:
    if isinstance(callee, v.Name) or _size(callee, MAX_SIZE) > 0:
        return callee
    return v.Attr(v.UNKNOWN, callee.name) if isinstance(callee, v.Attr) else v.UNKNOWN


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
