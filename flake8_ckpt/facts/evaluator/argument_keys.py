"""Dicts that are handed to functions: those that may put more keys into them open them."""

from __future__ import annotations

import ast
import re

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame

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
