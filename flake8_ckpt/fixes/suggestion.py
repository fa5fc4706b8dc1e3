"""What a codemod is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import libcst as cst

from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Safety
from flake8_ckpt.fixes.piece import Path
from flake8_ckpt.fixes.piece import Piece

# How a buffer is registered; "auto" does as the file does already.
BufferStyle = Literal["auto", "register_buffer", "nn.Buffer"]
# Longer values are left out of what is shown.
LONG = 60
OLDER = "load older checkpoints with load_compatible() of flake8_ckpt.runtime"


@dataclass(frozen=True)
class Suggestion:
    """A change that mends a finding: what it does, how safe it is, and the edits of the file.

    `note` says in one line what else changes, or why the change is only shown; `code` is what to write where
    there are no edits. What is shown may have edits too, but they are never applied.
    """

    title: str
    safety: Safety
    note: str = ""
    edits: tuple[Edit, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Site:
    """A finding in the code around it: the way from the module down to its statement."""

    finding: Finding
    piece: Piece
    path: Path
    style: BufferStyle = "auto"

    @property
    def name(self) -> str:
        """Return the attribute that is lost."""
        return self.finding.attribute

    @property
    def statement(self) -> cst.CSTNode:
        """Return the statement that begins where the finding does."""
        return self.path[-1]

    @cached_property
    def class_def(self) -> cst.ClassDef | None:
        """Return the class around it."""
        return next((each for each in reversed(self.path[:-1]) if isinstance(each, cst.ClassDef)), None)

    @cached_property
    def function(self) -> cst.FunctionDef | None:
        """Return the function around it."""
        return next((each for each in reversed(self.path[:-1]) if isinstance(each, cst.FunctionDef)), None)

    def span(self, node: cst.CSTNode) -> Position:
        """Return the range of a node in the file."""
        return self.piece.span(node)

    def code(self, node: cst.CSTNode) -> str:
        """Return the code of a node."""
        return self.piece.code(node)


def before(position: Position, text: str) -> Edit:
    """Return the insertion of a text where a range begins."""
    return Edit(Position(position.line, position.col, position.line, position.col), text)


def after(position: Position, text: str) -> Edit:
    """Return the insertion of a text where a range ends."""
    return Edit(Position(position.end_line, position.end_col, position.end_line, position.end_col), text)


def between(start: Position, end: Position, text: str) -> Edit:
    """Return an edit from where one range begins to where another begins."""
    return Edit(Position(start.line, start.col, end.line, end.col), text)


def one_line(code: str) -> str:
    """Return code for the reader: on one line, and without its middle where it is long."""
    line = " ".join(code.split())
    return line if len(line) <= LONG else f"{line[: line.find('(') + 1]}...)" if "(" in line[:LONG] else "..."
