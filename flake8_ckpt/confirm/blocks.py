"""The blocks of the standard tree: which clauses a statement has, and the way down to what begins somewhere."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Optional

from flake8_ckpt.confirm.source_lines import Point
from flake8_ckpt.confirm.source_lines import SourceLines
from flake8_ckpt.confirm.source_lines import end_of
from flake8_ckpt.confirm.source_lines import start_of

Block = Sequence[ast.stmt]
Definition = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def path_to(tree: ast.Module, source: SourceLines, place: Point) -> tuple[ast.AST, ...]:
    """Return the nodes around a place, the last one the statement or clause that begins there, or nothing.

    Of a chain of `elif` only the first `if` and the one that leads there are on the way.
    """
    path: list[ast.AST] = []
    block: Optional[Block] = tree.body
    while block is not None:
        index = bisect_right(block, place, key=start_of) - 1
        if index < 0 or end_of(block[index]) <= place:
            return ()
        node = block[index]
        path.append(node)
        if start_of(node) == place:
            return tuple(path)
        block = None
        for clause, inner in clauses_of(node, source):
            if clause is not None and not isinstance(clause, ast.match_case) and start_of(clause) == place:
                return (*path, clause)
            if inner and start_of(inner[0]) <= place < end_of(inner[-1]):
                path.extend([clause] if clause is not None else [])
                block = inner
    return ()


def clauses_of(node: ast.stmt, source: SourceLines) -> Iterator[tuple[Optional[ast.AST], Block]]:
    """Yield the blocks of a statement, each with the `elif`, `except` or `case` that it belongs to."""
    yield None, getattr(node, "body", ())
    for clause in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield clause, clause.body
    otherwise: Block = getattr(node, "orelse", ())
    while (inner := elif_of(otherwise, source)) is not None:
        yield inner, inner.body
        otherwise = inner.orelse
    yield None, otherwise
    yield None, getattr(node, "finalbody", ())


def elif_of(block: Block, source: SourceLines) -> Optional[ast.If]:
    """Return the `elif` that the tree has as the only statement of an `else`."""
    if len(block) == 1 and isinstance(block[0], ast.If):
        start = start_of(block[0])
        if source.text(start.line)[source.characters(start) :].startswith("elif"):
            return block[0]
    return None


def scope_of(path: Sequence[ast.AST]) -> str:
    """Return the qualified name of the class or function that the last node of a path stands in."""
    return ".".join(node.name for node in path[:-1] if isinstance(node, Definition))


def class_of(path: Sequence[ast.AST]) -> str:
    """Return the qualified name of the innermost class around the last node of a path."""
    names = [
        (node.name, isinstance(node, ast.ClassDef)) for node in path[:-1] if isinstance(node, Definition)
    ]
    while names and not names[-1][1]:
        names.pop()
    return ".".join(name for name, _ in names)
