"""Which functions are nested too deeply to hand to libcst.

Its parser recurses once a level; on tens of thousands of levels it ends the process
instead of raising. Generated tables and sums are that deep, written code is not.
"""

from __future__ import annotations

import ast

MAX_DEPTH = 100
MAX_QUOTES = 400


def is_too_deep(node: ast.AST, lines: list[str]) -> bool:
    """Tell whether a tree is nested deeper than MAX_DEPTH, as libcst would nest it."""
    stack = [(node, 0)]
    while stack:
        each, depth = stack.pop()
        if isinstance(each, ast.BoolOp):
            depth += len(each.values)
        if depth > MAX_DEPTH or isinstance(each, (ast.Constant, ast.JoinedStr)) and _is_long(each, lines):
            return True
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(each))
    return False


def _is_long(node: ast.expr, lines: list[str]) -> bool:
    if node.end_lineno is None or node.end_lineno - node.lineno < MAX_QUOTES // 8:
        return False
    text = lines[node.lineno - 1 : node.end_lineno]
    return sum(line.count('"') + line.count("'") for line in text) > MAX_QUOTES
