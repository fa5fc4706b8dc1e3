"""One source file as bytes and tree, and the edits of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard


@dataclass(frozen=True)
class Edit:
    """Bytes of one file that are replaced; the number of lines stays."""

    path: str
    start: int
    end: int
    text: bytes


class SourceFile:
    """A file with byte offsets, parents and imported names."""

    def __init__(self, root: Path, path: Path) -> None:
        self.path = path.relative_to(root).as_posix()
        self.data = path.read_bytes()
        self.tree = ast.parse(self.data)
        self.nodes = list(ast.walk(self.tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.imported = {name for node in self.nodes for name in _imported(node)}
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node begins and ends, in bytes."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[end_line - 1] + end_column

    def source(self, node: ast.expr | ast.stmt) -> bytes:
        """Return the text of a node."""
        return self.data[slice(*self.span(node))]

    def edit(self, start: int, end: int, text: bytes) -> Edit:
        """Return the edit that puts a text in place of some bytes."""
        lost = self.data.count(b"\n", start, end) - text.count(b"\n")
        return Edit(self.path, start, end, text + b"\n" * lost)

    def replace(self, node: ast.expr | ast.stmt, text: bytes) -> Edit:
        """Return the edit that puts a text in place of a node."""
        return self.edit(*self.span(node), text)

    def owner(self, node: ast.AST) -> ast.AST | None:
        """Return the class or function that a node stands in."""
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        while node in self.parents and not isinstance(self.parents[node], kinds):
            node = self.parents[node]
        return self.parents.get(node)

    def statement(self, node: ast.AST) -> ast.stmt:
        """Return the statement that a node is part of."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node


def read_sources(root: Path, paths: Iterable[Path]) -> list[SourceFile]:
    """Return the files that this Python can parse."""
    return [file for path in paths if (file := _read(root, path)) is not None]


def _read(root: Path, path: Path) -> SourceFile | None:
    try:
        return SourceFile(root, path)
    except (SyntaxError, ValueError, RecursionError):
        return None


def applied(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Return the text of a file after its edits."""
    for each in sorted(edits, key=lambda edit: -edit.start):
        data = data[: each.start] + each.text + data[each.end :]
    return data


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        yield (node.module or "").rpartition(".")[2]
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.Import):
        yield from (alias.name.rpartition(".")[2] for alias in node.names)


def dotted(node: ast.AST) -> str:
    """Return the dotted path of a name, with `?` for what is none."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def is_text(node: ast.AST | None) -> TypeGuard[ast.Constant]:
    """Tell whether a node is a literal string."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def text_of(node: ast.AST | None) -> str | None:
    """Return the string that a node is the literal of."""
    return str(node.value) if is_text(node) else None
