"""Statements that only raise, document or log: what they show of a payload is read on purpose."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.source.tree import is_idle


def walk_idle(node: ast.stmt, frame: Frame) -> bool:
    """Tell whether a statement is idle; note the keys that it shows, as ones that load can do without."""
    if not is_idle(node):
        return False
    frame.state.dead = isinstance(node, ast.Raise)
    if isinstance(node, ast.Expr) and frame.contract:
        before, frame.lenient = frame.lenient, True
        for each in _shown_in(node.value):
            frame.evaluate(each)
        frame.lenient = before
    return True


def _shown_in(value: ast.expr) -> Iterator[ast.Subscript]:
    """Yield what is taken of names by keys that are spelled: `saved["epoch"]`."""
    for each in ast.walk(value):
        if isinstance(each, ast.Subscript) and isinstance(each.value, ast.Name):
            if isinstance(each.slice, ast.Constant) and isinstance(each.slice.value, str):
                yield each
