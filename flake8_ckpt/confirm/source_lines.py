"""The lines of a file, and what stands between two of its nodes: keywords, colons, comments, never a string."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Point(NamedTuple):
    """A place in a file as the standard tree has it: a line from 1, a column from 0 in UTF-8 bytes."""

    line: int
    column: int


FILE_START = Point(1, 0)


def start_of(node: ast.AST) -> Point:
    """Return where a statement, clause or expression begins; a definition begins at its keyword."""
    return Point(node.lineno, node.col_offset)  # type: ignore[attr-defined]


def end_of(node: ast.AST) -> Point:
    """Return where a statement, clause or expression ends."""
    return Point(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class SourceLines:
    """The lines of a file, which are counted from 1; only line feeds end them."""

    lines: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> SourceLines:
        """Split a text as the standard library's parser counts its lines."""
        return cls(tuple(text.split("\n")))

    def text(self, line: int) -> str:
        """Return a line without its line feed."""
        return self.lines[line - 1] if line <= len(self.lines) else ""

    def point(self, line: int, characters: int) -> Point:
        """Return a place whose column is given in characters."""
        text = self.text(line)
        return Point(line, characters if text.isascii() else len(text[:characters].encode()))

    def characters(self, point: Point) -> int:
        """Return the column of a place in characters."""
        text = self.text(point.line)
        return point.column if text.isascii() else len(text.encode()[: point.column].decode(errors="ignore"))

    def between(self, start: Point, end: Point) -> list[str]:
        """Return the pieces of the lines from one place to another."""
        # Before Python 3.12 what stands in an f-string has places that may be nonsense.
        pieces = list(self.lines[start.line - 1 : end.line]) or [""]
        pieces[-1] = pieces[-1][: self.characters(end)]
        pieces[0] = pieces[0][self.characters(start) :]
        return pieces

    def is_joined(self, end: Point, start: Point) -> bool:
        """Tell whether what starts there stands on the logical line of what ends here: `x = 1; \\` goes on."""
        return all(map(goes_on, self.between(end, start)[:-1]))

    def last_line(self, end: Point) -> int:
        """Return the line where the logical line of what ends here ends: a backslash may follow, then nothing."""
        line, piece = end.line, self.text(end.line)[self.characters(end) :]
        while goes_on(piece) and line < len(self.lines):
            line += 1
            piece = self.text(line)
        return line

    def after(self, word: str, start: Point) -> Point:
        """Return the end of the first keyword or colon from a place on, comments left aside."""
        line, column = start.line, self.characters(start)
        while (found := code_of(self.text(line)[column:]).find(word)) < 0 and line < len(self.lines):
            line, column = line + 1, 0
        return self.point(line, column + found + len(word))


def goes_on(piece: str) -> bool:
    """Tell whether a line without strings goes on in the next one."""
    return piece.endswith("\\") and "#" not in piece


def code_of(piece: str) -> str:
    """Return a line without strings without its comment."""
    return piece.partition("#")[0]


def heading_of(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the expressions of a heading, decorators too; the blocks below it are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.arguments, ast.withitem)):
            yield from heading_of(child)
        elif not isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield child
