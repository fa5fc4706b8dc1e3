"""Lists and dicts that a method call fills: what they hold after it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.key_text import SPREAD
from flake8_ckpt.facts.member_values import element_of
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.facts.value_bounds import record_of

GROWS = frozenset("append extend insert update setdefault add appendleft".split())


def grown_by(method: str, args: Sequence[v.Value], keywords: Sequence[tuple[str, v.Value]]) -> v.Value:
    """Return what such a method adds to the elements."""
    values = [value for _, value in keywords]
    if not args:
        return v.join(values) if values else v.UNKNOWN
    if method in ("extend", "update"):
        first = args[0]
        if isinstance(first, v.Record):
            return v.join([field.value for field in first.fields])
        return element_of(first)
    return args[-1]


def grow_local(
    target: ast.expr,
    method: str,
    args: Sequence[v.Value],
    keywords: Sequence[tuple[str, v.Value]],
    frame: Frame,
) -> None:
    """Note that a method call adds to what a local holds, or to a dict within it."""
    if method not in GROWS:
        return
    if not isinstance(target, ast.Name):
        _open_inner(target, frame)
        return
    held, before = frame.state.locals.get(target.id), frame.state.taint.get(target.id, frozenset())
    if isinstance(held, v.Container):
        known = [] if held.size == 0 else [held.of]
        grown = v.Container(held.kind, v.join([*known, grown_by(method, args, keywords)]))
        frame.bind(target.id, bounded(grown), frame.depends | before)
    elif isinstance(held, v.Record):
        added = args[0] if args else v.Record(tuple(v.Field(key, value) for key, value in keywords))
        fields = added.fields if isinstance(added, v.Record) else (v.Field(SPREAD, bounded(added), False),)
        opened = held.open or method != "update" or isinstance(added, v.Record) and added.open
        grown_record = record_of((*held.fields, *fields), opened)
        frame.bind(target.id, grown_record, frame.depends | before)
        frame.follow(held, grown_record)


def _open_inner(target: ast.expr, frame: Frame) -> None:
    """Note that a dict within a payload may hold more keys: `state["config"].update(...)`."""
    while isinstance(target, ast.Subscript):
        target = target.value
    held = frame.state.locals.get(target.id) if isinstance(target, ast.Name) else None
    if isinstance(held, v.Record):
        fields = (v.Field(each.key, _opened(each.value), each.always) for each in held.fields)
        frame.follow(held, v.Record(tuple(fields), held.open))


def _opened(value: v.Value) -> v.Value:
    if isinstance(value, v.Record):
        return v.Record(value.fields, True)
    return v.UNKNOWN if isinstance(value, v.Container) else value
