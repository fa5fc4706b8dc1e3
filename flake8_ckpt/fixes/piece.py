"""A piece of a file as libcst reads it: the statement of the module in which a finding stands.

libcst takes 3 us a byte, so it sees one class or function and not the whole file; columns stay those of the file.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
from libcst.metadata import CodeRange
from libcst.metadata import MetadataWrapper
from libcst.metadata import PositionProvider

from flake8_ckpt.confirm.depth import is_too_deep
from flake8_ckpt.confirm.source_lines import SourceLines
from flake8_ckpt.findings import Position

Path = tuple[cst.CSTNode, ...]

# Programs are short; libcst takes a second for so many characters.
MAX_WHOLE = 300_000


class OutOfReach(Exception):
    """What libcst cannot read, or does not give back as it was."""


@dataclass(frozen=True)
class Source:
    """A file: its text with line feeds, its lines, and the standard library's tree of it."""

    text: str
    tree: ast.Module

    @cached_property
    def lines(self) -> SourceLines:
        """Return the lines."""
        return SourceLines.of(self.text)

    def piece_at(self, line: int) -> Piece:
        """Return the statement of the module that holds a line; raise OutOfReach where libcst cannot read it."""
        for node in self.tree.body:
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
            last = node.end_lineno or node.lineno
            if first <= line <= last:
                if is_too_deep([node], 0, self.lines):
                    raise OutOfReach
                return Piece.of(self, first, last)
        raise OutOfReach

    def whole(self) -> Piece:
        """Return the whole file, for what the module itself runs; raise OutOfReach where it is too much for libcst."""
        if len(self.text) > MAX_WHOLE or is_too_deep(self.tree.body, 0, self.lines):
            raise OutOfReach
        return Piece.of(self, 1, len(self.lines.lines))


@dataclass(frozen=True)
class Piece:
    """Some lines of a file as a libcst module, with the positions of its nodes in the file."""

    source: Source
    first: int
    module: cst.Module
    ranges: Mapping[cst.CSTNode, CodeRange]

    @classmethod
    def of(cls, source: Source, first: int, last: int) -> Piece:
        """Read some whole lines."""
        text = "\n".join(source.lines.lines[first - 1 : last]).rstrip("\n") + "\n"
        try:
            module = cst.parse_module(text)
            ranges = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
        except (KeyboardInterrupt, SystemExit):
            raise
        # A panic of libcst's parser is no Exception.
        except BaseException as error:
            raise OutOfReach from error
        if module.code != text:
            raise OutOfReach
        return cls(source, first, module, ranges)

    def span(self, node: cst.CSTNode) -> Position:
        """Return the range of a node in the file, the parentheses around an expression among it."""
        place = self.ranges[node]
        start, end = place.start, place.end
        if isinstance(node, cst.BaseExpression) and node.lpar and node.rpar:
            start, end = self.ranges[node.lpar[0]].start, self.ranges[node.rpar[-1]].end
        before = self.first - 1
        return Position(start.line + before, start.column, end.line + before, end.column)

    def code(self, node: cst.CSTNode) -> str:
        """Return the code of a node."""
        return self.module.code_for_node(node)

    def path_to(self, line: int, column: int) -> Path:
        """Return the nodes from the outermost to the small statement or heading that begins at a place."""
        finder = _Way(self, (line, column))
        self.module.visit(finder)
        if finder.found is None:
            raise OutOfReach
        return finder.found


class _Way(cst.CSTVisitor):
    """Remembers the way down to what begins at a place."""

    def __init__(self, piece: Piece, place: tuple[int, int]) -> None:
        super().__init__()
        self.piece = piece
        self.place = place
        self.stack: list[cst.CSTNode] = []
        self.found: Path | None = None

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Go down to where the place is."""
        self.stack.append(node)
        if isinstance(node, (cst.BaseSmallStatement, cst.BaseCompoundStatement, cst.ExceptHandler)):
            span = self.piece.span(node)
            if (span.line, span.col) == self.place:
                self.found = self.found or tuple(self.stack)
        return self.found is None and not isinstance(node, cst.BaseExpression)

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Come back up."""
        self.stack.pop()


def ways_to(root: cst.CSTNode) -> list[tuple[Path, cst.CSTNode]]:
    """Return all nodes below another, in order, each with the nodes from that one to it."""
    gathering = _Ways()
    root.visit(gathering)
    return gathering.found


class _Ways(cst.CSTVisitor):
    """Gathers nodes with the way to them."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[cst.CSTNode] = []
        self.found: list[tuple[Path, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Take a node, and go on below it."""
        self.stack.append(node)
        self.found.append((tuple(self.stack), node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Come back up."""
        self.stack.pop()
