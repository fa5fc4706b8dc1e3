"""What libcst is asked for, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.findings import Node


@dataclass(frozen=True)
class Candidate:
    """A node that is sought: in which function or class, and where its statement begins, the column in characters."""

    scope: str
    line: int
    col: int
    node: Node


@dataclass(frozen=True)
class End:
    """Where the node of a candidate ends in the file."""

    line: int
    col: int
