"""Scopes: which simple flags hold where a statement runs, so that `if evaluate:` and `if not evaluate:` exclude."""

from __future__ import annotations

import ast
from collections.abc import Collection

from flake8_ckpt.source.tree import dotted

# "args.evaluate" where a flag is true, "!args.evaluate" where it is not, "mode=train" where it is that text.
Scope = tuple[str, ...]
NOT = "!"
IS = "="
# A test of more parts says nothing that is worth keeping.
MAX_PARTS = 6
ENDS = frozenset(["sys.exit", "exit", "quit", "os._exit"])


def scopes(node: ast.expr) -> tuple[Scope, Scope]:
    """Return what holds of flags where a test is true, and where it is false."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        then, otherwise = scopes(node.operand) if not isinstance(node.operand, ast.UnaryOp) else ((), ())
        return otherwise, then
    if isinstance(node, ast.BoolOp) and len(node.values) <= MAX_PARTS:
        parts = [scopes(each) for each in node.values if not isinstance(each, ast.BoolOp)]
        if isinstance(node.op, ast.And):
            return tuple(each for then, _ in parts for each in then), ()
        return (), tuple(each for _, otherwise in parts for each in otherwise)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node.left, node.ops[0], node.comparators[0])
    flag = _flag(node)
    return ((flag,), (f"{NOT}{flag}",)) if flag else ((), ())


def _compared(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> tuple[Scope, Scope]:
    flag, values = _flag(left), _texts(right)
    is_equal = isinstance(operator, (ast.Eq, ast.Is, ast.In))
    if (
        not flag
        or values is None
        or not is_equal
        and not isinstance(operator, (ast.NotEq, ast.IsNot, ast.NotIn))
    ):
        return (), ()
    value = "|".join(values)
    atom = flag if value == "True" else f"{NOT}{flag}" if value in ("False", "None") else f"{flag}{IS}{value}"
    return ((atom,), (negated(atom),)) if is_equal else ((negated(atom),), (atom,))


def negated(atom: str) -> str:
    """Return what holds where something of a scope does not."""
    return atom[1:] if atom.startswith(NOT) else f"{NOT}{atom}"


def _texts(node: ast.expr) -> list[str] | None:
    """Return the texts, flags or None that something is compared with, None for anything else."""
    each = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    found = [part.value for part in each if isinstance(part, ast.Constant)]
    if len(found) != len(each) or not all(
        isinstance(part, str) or part is None or part in (True, False) for part in found
    ):
        return None
    return sorted(str(part) for part in found)


def _flag(node: ast.expr) -> str:
    """Return the text of a flag: `evaluate`, `args.evaluate`, `config["evaluate"]`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        base, key = dotted(node.value), node.slice.value
        return f"{base}.{key}" if base and isinstance(key, str) else ""
    return dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def root_of(atom: str) -> str:
    """Return the name of the object that a flag belongs to, or of the flag itself."""
    return atom.lstrip(NOT).partition(IS)[0].partition(".")[0]


def exclude(one: Collection[str], other: Collection[str]) -> bool:
    """Tell whether no run can meet two scopes at once."""
    return any(_contradicts(first, second) for first in one for second in other)


def _contradicts(one: str, other: str) -> bool:
    if negated(one) == other:
        return True
    flag, is_text, values = one.partition(IS)
    second, is_other, others = other.partition(IS)
    if not is_text or not is_other or flag.lstrip(NOT) != second.lstrip(NOT):
        return False
    first, last = set(values.split("|")), set(others.split("|"))
    if flag.startswith(NOT) or second.startswith(NOT):
        inner, outer = (last, first) if flag.startswith(NOT) else (first, last)
        return flag.startswith(NOT) != second.startswith(NOT) and inner <= outer
    return first.isdisjoint(last)


def is_end(node: ast.expr) -> bool:
    """Tell whether a call ends the program: `sys.exit(0)`."""
    return isinstance(node, ast.Call) and dotted(node.func) in ENDS


def stable(scope: Scope, changed: Collection[str], written: Collection[str]) -> Scope:
    """Return a scope without the flags that a function binds again, or sets on its own object."""
    if not scope or not changed and not written:
        return scope
    return tuple(
        each
        for each in scope
        if root_of(each) not in changed and each.lstrip(NOT).partition(IS)[0] not in written
    )
