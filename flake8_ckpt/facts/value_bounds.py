"""Bounds on the size of values: what is nested too deeply, or too large, loses its leaves."""

from __future__ import annotations

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
    if type(value) in WITHOUT_PARTS and depth <= MAX_DEPTH or _fits(value, MAX_DEPTH - depth):
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
    while isinstance(value, (v.Attr, v.Item, v.Element)):
        value, depth = value.base, depth - 1
    if depth < 0 or type(value) in WITHOUT_PARTS:
        return depth >= 0
    if depth == 0:
        return not _parts(value)
    for part in _parts(value):
        if type(part) not in WITHOUT_PARTS and not _fits(part, depth - 1):
            return False
    return True


MAX_SIZE = 48


def brief(value: v.Value) -> v.Value:
    """Return what a local may be bound to: the value, or where it is large, what is called for it on what object."""
    if _is_small(value):
        return value
    if isinstance(value, v.Call):
        unknown = tuple(v.UNKNOWN for _ in value.args[:MAX_SIZE])
        return v.Call(
            _brief_callee(value.callee), unknown, tuple((name, v.UNKNOWN) for name, _ in value.keywords)
        )
    return v.UNKNOWN


def _brief_callee(callee: v.Value) -> v.Value:
    if isinstance(callee, v.Name) or _is_small(callee):
        return callee
    return v.Attr(v.UNKNOWN, callee.name) if isinstance(callee, v.Attr) else v.UNKNOWN


def _is_small(value: v.Value) -> bool:
    """Tell whether a value is made of fewer records than a bound."""
    count = 1
    stack = [value]
    while stack and count < MAX_SIZE:
        each = stack.pop()
        if isinstance(each, v.Local):
            parts: tuple[v.Value, ...] = (each.value,)
        else:
            parts = () if type(each) in WITHOUT_PARTS else _parts(each)
        count += len(parts)
        stack.extend(parts)
    return count < MAX_SIZE


def _parts(value: v.Value) -> tuple[v.Value, ...]:
    """Return what a value is made of."""
    if isinstance(value, v.Call):
        if not value.keywords:
            return (value.callee, *value.args)
        return (value.callee, *value.args, *[each for _, each in value.keywords])
    if isinstance(value, (v.Attr, v.Item, v.Element)):
        return (value.base,)
    if isinstance(value, v.Container):
        return (value.of,)
    if isinstance(value, v.Record):
        return tuple([field.value for field in value.fields])
    if isinstance(value, v.Join):
        return value.options
    return value.operands if isinstance(value, v.Arith) else ()
