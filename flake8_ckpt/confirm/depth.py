"""How deep libcst would nest what it is shown, measured on the standard tree before libcst sees it.

libcst recurses once or more for each level: its visitors raise RecursionError from 150 lists within one
another, and on thousands of levels its parser ends the process. Generated code is that deep.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from flake8_ckpt.confirm.source_lines import SourceLines
from flake8_ckpt.confirm.source_lines import end_of
from flake8_ckpt.confirm.source_lines import start_of

# Written code stays below 30, blocks included; libcst manages 100 where the stack is empty otherwise.
MAX_DEPTH = 60
# `"a" "b" "c"` is one constant of the standard tree, and three levels of libcst's.
MAX_STRINGS = 60


def is_too_deep(shown: Iterable[ast.AST], blocks: int, source: SourceLines) -> bool:
    """Tell whether something of what is shown, within so many blocks, is too deep for libcst."""
    stack = [(node, blocks) for node in shown]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH or isinstance(node, (ast.Constant, ast.JoinedStr)) and _is_long(node, source):
            return True
        below = depth + _levels(node)
        stack.extend((child, below) for child in ast.iter_child_nodes(node))
    return False


def _levels(node: ast.AST) -> int:
    """Return how many levels of libcst's tree a node of the standard tree takes."""
    if isinstance(node, ast.BoolOp):
        return len(node.values)
    if isinstance(node, ast.alias):
        return node.name.count(".") + 1
    return len(getattr(node, "generators", ())) + 1


def _is_long(node: ast.Constant | ast.JoinedStr, source: SourceLines) -> bool:
    """Tell whether a string may be written as more strings side by side than libcst can nest."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, (str, bytes)):
        return False
    pieces = source.between(start_of(node), end_of(node))
    return sum(piece.count('"') + piece.count("'") for piece in pieces) > 2 * MAX_STRINGS
