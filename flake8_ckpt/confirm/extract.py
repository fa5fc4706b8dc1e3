"""The extract of a file: some of its statements with the headings around them, and nothing else.

    class Net(nn.Module):                                 class Net(nn.Module):
        scale = 1.0                                           def __init__(self, size):
                                                                  if size:
        def __init__(self, size):                                     pass
            super().__init__()            becomes                 else:
            if size:                                                  self.mean = torch.zeros(3)
                self.net = make(size)
            else:
                self.mean = torch.zeros(3)

libcst reads 3 us a byte, and makes a node of each blank line. Columns stay those of the file.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from flake8_ckpt.confirm.blocks import Block
from flake8_ckpt.confirm.blocks import Definition
from flake8_ckpt.confirm.blocks import elif_of
from flake8_ckpt.confirm.source_lines import FILE_START
from flake8_ckpt.confirm.source_lines import Point
from flake8_ckpt.confirm.source_lines import SourceLines
from flake8_ckpt.confirm.source_lines import end_of
from flake8_ckpt.confirm.source_lines import heading_of
from flake8_ckpt.confirm.source_lines import start_of


@dataclass(frozen=True)
class Extract:
    """A part of a file that parses: its text, and which line of the file each of its lines was.

    `shown` are the nodes of the standard tree that the text holds, to measure their depth. `left_out` are the
    characters that some lines of the file have in front: a form feed, which libcst would drop.
    """

    text: str
    lines: tuple[int, ...]
    shown: tuple[ast.AST, ...] = ()
    left_out: Mapping[int, int] = field(default_factory=dict)

    def place(self, line: int, column: int) -> tuple[int, int]:
        """Return where a place of the extract is in the file."""
        line = self.lines[line - 1]
        return line, column + self.left_out.get(line, 0)


def extract_of(tree: ast.Module, source: SourceLines, wanted: Iterable[ast.AST]) -> Extract:
    """Return the extract that shows the wanted nodes, among them each statement and clause around the others."""
    cut = _Cut(source, frozenset(map(id, wanted)))
    cut.block(tree.body, FILE_START)
    text = "".join(f"{text}\n" for text in cut.texts)
    return Extract(text, tuple(cut.lines), tuple(cut.shown), cut.left_out)


@dataclass
class _Cut:
    """The extract as it grows, from the first line of the file to the last."""

    source: SourceLines
    wanted: frozenset[int]
    texts: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    shown: list[ast.AST] = field(default_factory=list)
    left_out: dict[int, int] = field(default_factory=dict)

    def is_wanted(self, nodes: Iterable[ast.AST]) -> bool:
        """Tell whether some of these nodes are to be shown."""
        return any(id(node) in self.wanted for node in nodes)

    def keep(self, first: int, last: int) -> None:
        """Keep lines of the file, none of them twice."""
        first = max(first, self.lines[-1] + 1) if self.lines else first
        for line in range(first, last + 1):
            self.keep_line(line, self.source.text(line))

    def keep_line(self, line: int, text: str) -> None:
        """Keep a text as a line of the file."""
        start = text.rfind("\f", 0, _indent_of(text)) + 1 if "\f" in text else 0
        if start:
            self.left_out[line] = start
        self.lines.append(line)
        self.texts.append(text[start:])

    def block(self, nodes: Block, before: Point) -> None:
        """Keep what is wanted of a block that begins after a place, or show that it is empty."""
        if not self.is_wanted(nodes):
            line = self.first_line(nodes[0], before)
            text = self.source.text(line)
            self.keep_line(line, f"{text[: _indent_of(text)]}pass")
        for group, after in self.logical_lines(nodes, before):
            keep = COMPOUND.get(type(group[0]), _keep_simple)
            keep(self, group, after)

    def logical_lines(self, nodes: Block, before: Point) -> Iterator[tuple[Block, Point]]:
        """Yield what is wanted of a block, with all on the same logical line and the end of what stands before."""
        ends = [before, *map(end_of, nodes)]
        last = 0
        for index, node in enumerate(nodes):
            if index < last or id(node) not in self.wanted:
                continue
            first, last = index, index + 1
            while first > 0 and self.source.is_joined(ends[first], start_of(nodes[first])):
                first -= 1
            while last < len(nodes) and self.source.is_joined(ends[last], start_of(nodes[last])):
                last += 1
            yield nodes[first:last], ends[first]

    def first_line(self, node: ast.AST, before: Point) -> int:
        """Return the line where a statement begins; a definition begins with its decorators."""
        if isinstance(node, Definition) and node.decorator_list:
            return self.source.after("@", before).line
        if isinstance(node, ast.match_case):
            return self.source.after("case", before).line
        return start_of(node).line

    def clause(self, node: ast.AST, block: Block, before: Point) -> None:
        """Keep a clause that the tree has a node for: its heading as a whole, and what is wanted of its block."""
        heading = list(heading_of(node))
        self.shown.extend(heading)
        start = before if isinstance(node, ast.match_case) else start_of(node)
        self.below(self.first_line(node, before), max([start, *map(end_of, heading)]), block)

    def word(self, word: str, block: Block, before: Point) -> None:
        """Keep an `else` or `finally`, which the tree has no node for."""
        after = self.source.after(word, before)
        self.below(after.line, after, block)

    def below(self, first: int, heading_end: Point, block: Block) -> None:
        """Keep a heading from its first line to its colon, and what is wanted of its block."""
        colon = self.source.after(":", heading_end)
        if self.source.is_joined(colon, start_of(block[0])):
            self.shown.extend(block)
            self.keep(first, self.source.last_line(end_of(block[-1])))
            return
        self.keep(first, self.source.last_line(colon))
        self.block(block, colon)


def _indent_of(text: str) -> int:
    return len(text) - len(text.lstrip(" \t\f"))


def _keep_simple(cut: _Cut, nodes: Block, before: Point) -> None:
    cut.shown.extend(nodes)
    cut.keep(nodes[0].lineno, cut.source.last_line(end_of(nodes[-1])))


def _keep_if(cut: _Cut, nodes: Sequence[ast.If], before: Point) -> None:
    """Keep an `if`, and those of its clauses that are wanted: a chain of a thousand `elif` becomes short."""
    (node,) = nodes
    cut.clause(node, node.body, before)
    end, otherwise = end_of(node.body[-1]), node.orelse
    while (inner := elif_of(otherwise, cut.source)) is not None:
        if cut.is_wanted([inner]):
            cut.clause(inner, inner.body, end)
        end, otherwise = end_of(inner.body[-1]), inner.orelse
    if cut.is_wanted(otherwise):
        cut.word("else", otherwise, end)


def _keep_with_block(cut: _Cut, nodes: Sequence[Any], before: Point) -> None:
    """Keep a loop, a `with` or a definition."""
    (node,) = nodes
    cut.clause(node, node.body, before)
    otherwise = getattr(node, "orelse", [])
    if cut.is_wanted(otherwise):
        cut.word("else", otherwise, end_of(node.body[-1]))


def _keep_try(cut: _Cut, nodes: Sequence[ast.Try], before: Point) -> None:
    """Keep a `try`; its first `except`, or else its `finally`, is kept because it cannot be without."""
    (node,) = nodes
    cut.clause(node, node.body, before)
    end = end_of(node.body[-1])
    for handler in node.handlers:
        if handler is node.handlers[0] or cut.is_wanted([handler]):
            cut.clause(handler, handler.body, end)
        end = end_of(handler)
    if cut.is_wanted(node.orelse):
        cut.word("else", node.orelse, end)
    if cut.is_wanted(node.finalbody) or not node.handlers:
        cut.word("finally", node.finalbody, end_of(node.orelse[-1]) if node.orelse else end)


def _keep_match(cut: _Cut, nodes: Sequence[ast.Match], before: Point) -> None:
    """Keep a `match`, with its first `case` at least."""
    (node,) = nodes
    cut.shown.append(node.subject)
    end = cut.source.after(":", end_of(node.subject))
    cut.keep(node.lineno, cut.source.last_line(end))
    for case in node.cases:
        if case is node.cases[0] or cut.is_wanted([case]):
            cut.clause(case, case.body, end)
        end = end_of(case.body[-1])


COMPOUND: dict[type, Callable[[_Cut, Any, Point], None]] = {
    ast.If: _keep_if,
    ast.Try: _keep_try,
    ast.Match: _keep_match,
    **dict.fromkeys(
        (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, *Definition), _keep_with_block
    ),
}
if sys.version_info >= (3, 11):
    COMPOUND[ast.TryStar] = _keep_try
