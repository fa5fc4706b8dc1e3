"""Loops that fill a tensor from its first row to its last: `for i in range(n): self.x[i] = ...`."""

from __future__ import annotations

import ast

from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.model import LOOP


def counter_of(node: ast.For | ast.AsyncFor) -> str | None:
    """Return the name of what a loop counts from 0: the i of `range(n)` or of `enumerate(rows)`."""
    if not isinstance(node.iter, ast.Call) or not isinstance(node.iter.func, ast.Name):
        return None
    target: ast.expr | None = None
    if node.iter.func.id == "range" and len(node.iter.args) == 1:
        target = node.target
    elif node.iter.func.id == "enumerate" and len(node.iter.args) == 1 and isinstance(node.target, ast.Tuple):
        target = node.target.elts[0]
    return target.id if isinstance(target, ast.Name) else None


def is_swept(target: ast.Subscript, frame: Frame) -> bool:
    """Tell whether loops set all of a tensor, item by item, whatever it held before."""
    if not frame.sweeps or frame.guards[-1:] != (LOOP,):
        return False
    keys = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
    names = [each.id for each in keys if isinstance(each, ast.Name)]
    others = [each for each in keys if not isinstance(each, ast.Name)]
    return bool(names) and frame.sweeps.issuperset(names) and all(map(_is_all, others))


def _is_all(key: ast.expr) -> bool:
    if isinstance(key, ast.Slice):
        return key.lower is None and key.upper is None
    return isinstance(key, ast.Constant) and key.value is ...
