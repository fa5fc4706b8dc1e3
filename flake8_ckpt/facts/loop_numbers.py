"""Numbers that a loop counts on from: what they were before it is not what they are in it."""

from __future__ import annotations

import ast

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.model import LOOP


def forget_counted(node: ast.For | ast.AsyncFor | ast.While, frame: Frame) -> None:
    """Forget the constants that a loop adds to; an inner loop is looked at with the outermost one."""
    if not frame.contract or LOOP in frame.guards:
        return
    for each in ast.walk(node):
        name = each.target.id if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name) else ""
        held = frame.state.locals.get(name)
        if isinstance(held, v.Const) and type(held.value) in (int, float):
            frame.state.hold(name, v.NUMBER)
