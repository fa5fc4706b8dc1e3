"""Whether a local variable holds state: what a function computes from the variable's own old value."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

Nature = Literal["state", "overwritten", "reset", "logged", "unread"]
Function = ast.FunctionDef | ast.AsyncFunctionDef
LOGGING = frozenset(
    "print log info debug warning append add_scalar add log_metrics write format set_postfix".split()
)


@dataclass
class Uses:
    """What a function does with one name."""

    carried: bool = False
    anew_in_loop: bool = False
    written: bool = False
    used: bool = False
    line: int = 0


def nature_of_variable(body: list[ast.stmt], name: str) -> tuple[Nature, int]:
    """Return what a variable is, and the line that first sets it."""
    uses = Uses()
    _block(body, name, uses, False, False)
    if not uses.written:
        return "unread", 0
    if not uses.carried:
        return "overwritten", uses.line
    if uses.anew_in_loop:
        return "reset", uses.line
    return ("state" if uses.used else "logged"), uses.line


def _block(body: list[ast.stmt], name: str, uses: Uses, in_loop: bool, is_compared: bool) -> None:
    for node in body:
        _statement(node, name, uses, in_loop, is_compared)


def _statement(node: ast.stmt, name: str, uses: Uses, in_loop: bool, is_compared: bool) -> None:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        _assignment(node, name, uses, in_loop, is_compared)
    elif isinstance(node, (ast.For, ast.AsyncFor)) and _names(node.target, name):
        uses.written = uses.anew_in_loop = True
    else:
        _expressions(node, name, uses, in_loop)
    loops = in_loop or isinstance(node, (ast.For, ast.AsyncFor, ast.While))
    compared = is_compared or isinstance(node, ast.If) and _is_guard(node.test, name)
    for part in ("body", "orelse", "finalbody"):
        _block(getattr(node, part, []), name, uses, loops, compared)
    for handler in getattr(node, "handlers", []):
        _block(handler.body, name, uses, loops, compared)


def _assignment(
    node: ast.Assign | ast.AnnAssign | ast.AugAssign, name: str, uses: Uses, in_loop: bool, is_compared: bool
) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = node.value
    if not any(_is_target(target, name) for target in targets):
        if value is not None:
            uses.used |= _is_used(value, name)
        return
    uses.written = True
    uses.line = uses.line or node.lineno
    if isinstance(node, ast.AugAssign) or value is not None and (_names(value, name) or is_compared):
        # What is computed from itself once is no state: `x = normalize(x)`.
        uses.carried |= in_loop
        uses.used |= is_compared
    elif in_loop:
        uses.anew_in_loop = True


def _is_target(target: ast.expr, name: str) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(_is_target(each, name) for each in target.elts)
    if isinstance(target, ast.Subscript):
        return isinstance(target.value, ast.Name) and target.value.id == name
    return isinstance(target, ast.Name) and target.id == name


def _expressions(node: ast.stmt, name: str, uses: Uses, in_loop: bool) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _in_place(child, name, uses, in_loop)
            uses.used |= _is_used(child, name)


def _in_place(node: ast.expr, name: str, uses: Uses, in_loop: bool) -> None:
    """Note `mean.lerp_(...)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    method = node.func.attr
    if isinstance(node.func.value, ast.Name) and node.func.value.id == name and method.endswith("_"):
        uses.written = True
        uses.carried |= in_loop and method not in ("copy_", "fill_", "zero_")


def _is_used(node: ast.AST, name: str) -> bool:
    """Tell whether a value goes into anything but a message."""
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in LOGGING:
            return False
    if isinstance(node, ast.JoinedStr):
        return False
    if isinstance(node, ast.Name):
        return node.id == name and isinstance(node.ctx, ast.Load)
    return any(_is_used(child, name) for child in ast.iter_child_nodes(node))


def _names(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _is_guard(test: ast.expr, name: str) -> bool:
    """Tell whether a condition compares by size with the variable: `if loss < best`."""
    for each in ast.walk(test):
        if isinstance(each, ast.Compare) and any(
            isinstance(op, (ast.Lt, ast.Gt, ast.LtE, ast.GtE)) for op in each.ops
        ):
            return _names(each, name)
    return False
