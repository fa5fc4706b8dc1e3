"""Numbers that a loop counts on from: what they were before it is not what they are in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.source.tree import statements


def forget_counted(node: ast.For | ast.AsyncFor | ast.While, frame: Frame) -> None:
    """Forget the constants that a loop adds to; an inner loop is looked at with the outermost one."""
    if not frame.contract or LOOP in frame.guards:
        return
    numbers = {name for name, held in frame.state.locals.items() if _is_number(held)}
    for name in _counted([node]) if numbers else ():
        if name in numbers:
            frame.state.hold(name, v.NUMBER)


def _is_number(held: v.Value) -> bool:
    return isinstance(held, v.Const) and type(held.value) in (int, float)


def _counted(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements add to, those of functions within them too."""
    stack = [body]
    while stack:
        for node in statements(stack.pop()):
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                yield node.target.id
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                stack.append(node.body)
