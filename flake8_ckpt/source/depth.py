"""Which functions and statements are nested too deeply to hand to libcst.

Its parser recurses once a level; on tens of thousands of levels it ends the process
instead of raising. Generated tables and sums are that deep, written code is not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_ckpt.source.harmless import Function
from flake8_ckpt.source.tree import BLOCKS
from flake8_ckpt.source.tree import stands_alone
from flake8_ckpt.source.tree import statements

MAX_DEPTH = 100
MAX_QUOTES = 400


def is_too_deep(function: Function, lines: list[str]) -> bool:
    """Tell whether a function is too deep even when its deep statements are left out one by one."""
    heading = [function.args, *function.decorator_list, *([function.returns] if function.returns else [])]
    if _is_deep_block(function) or any(_is_deep(each, lines) for each in heading):
        return True
    for node in statements(function.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if any(is_deep_statement(each, lines) for each in ast.walk(node) if isinstance(each, ast.stmt)):
                return True
        elif type(node) in BLOCKS or not stands_alone(node, lines):
            if is_deep_statement(node, lines):
                return True
    return False


def is_deep_statement(node: ast.stmt, lines: list[str]) -> bool:
    """Tell whether an expression of a statement is nested deeper than MAX_DEPTH, as libcst would nest it."""
    return any(_is_deep(expression, lines) for expression in _long_expressions(node, lines))


def _is_deep_block(function: Function) -> bool:
    stack: list[tuple[ast.AST, int]] = [(node, 1) for node in function.body]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            return True
        if type(node) in BLOCKS or isinstance(
            node, (ast.ExceptHandler, ast.match_case, ast.FunctionDef, ast.ClassDef)
        ):
            stack.extend(
                (child, depth + 1) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)
            )
    return False


def _long_expressions(node: ast.stmt, lines: list[str]) -> Iterator[ast.AST]:
    """Yield what may be deep in a statement: a level takes a character, so short ones are not."""
    body = getattr(node, "body", None)
    end = body[0].lineno if isinstance(body, list) and body else (node.end_lineno or node.lineno) + 1
    if sum(map(len, lines[node.lineno - 1 : max(end - 1, node.lineno)])) >= MAX_DEPTH:
        if type(node) in BLOCKS or body is not None:
            yield from (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt))
        else:
            yield node


def _is_deep(node: ast.AST, lines: list[str]) -> bool:
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
