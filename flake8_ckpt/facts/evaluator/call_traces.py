"""What a call leaves behind: that it was made, what flows into it, and dicts that it may put more keys into."""

from __future__ import annotations

import ast
import re

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.object_identity import is_written
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.frameworks.plain_methods import PLAIN_METHODS

KEEPS_KEYS = re.compile(
    r"(^|[._:])(save|dump|write|load|log|print)"
    r"|(^|[.:])(len|dict|list|copy|deepcopy|append|put|send|isinstance|update)$"
)


def open_arguments(node: ast.Call, value: v.Value, frame: Frame) -> None:
    """Note that a dict which is handed to a function may hold more keys after the call."""
    held = [each for each in map(frame.state.locals.get, _names_given(node)) if isinstance(each, v.Record)]
    if not held or _keeps_keys(node.func):
        return
    if isinstance(value, v.Call) and (
        isinstance(value.callee, v.Name)
        and (value.callee.path in frame.names.known.payload_calls or KEEPS_KEYS.search(value.callee.path))
    ):
        return
    for each in held:
        if not each.open:
            frame.follow(each, v.Record(each.fields, True))


def _names_given(node: ast.Call) -> list[str]:
    names = [each.id for each in node.args if isinstance(each, ast.Name)]
    for each in node.keywords:
        if each.arg is not None and isinstance(each.value, ast.Name):
            names.append(each.value.id)
    return names


def _keeps_keys(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return KEEPS_KEYS.search(function.attr) is not None
    if isinstance(function, ast.Name):
        return KEEPS_KEYS.search(function.id) is not None
    return isinstance(function, (ast.Subscript, ast.NamedExpr))


def note_elements(value: v.Value, how: str, frame: Frame) -> None:
    """Note how an element of something that an object holds is used."""
    base = value.base if isinstance(value, (v.Element, v.Item)) else None
    if isinstance(base, v.Attr) and base.base == v.SELF:
        frame.read(base.name, how)


def note_event(value: v.Call, method: str, frame: Frame) -> v.Value:
    """Note the call of a method that may say something on state, and that what it is given goes into it."""
    known = frame.names.known
    if frame.contract and is_written(value, method, known):
        return note_call(value, frame)
    if not frame.contract or method in PLAIN_METHODS and method not in known.noted_methods:
        return bounded(value)
    return note_call(bounded(value), frame)


def note_call(value: v.Value, frame: Frame) -> v.Value:
    """Note a call, and that what it is given goes into it."""
    if isinstance(value, v.Call):
        frame.flow(value.callee)
        note_site(value, frame)
    return value


def note_site(value: v.Call, frame: Frame) -> None:
    """Note a call alone."""
    frame.calls.append(Site(value, frame.position, True, frame.guards, frame.scope))


def is_last_call(value: v.Value, frame: Frame) -> bool:
    """Tell whether a value is that of the call which was noted last."""
    return bool(frame.calls) and frame.calls[-1].call is value


def throw_away(frame: Frame) -> None:
    """Note that nothing looks at the result of the last call."""
    last = frame.calls.pop()
    frame.calls.append(Site(last.call, last.position, False, last.guards, last.scope))
