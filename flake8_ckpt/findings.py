"""What a rule reports: a finding, and the other places it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct


class Position(Struct, frozen=True, order=True, array_like=True):
    """A range of source text: lines count from 1, columns from 0, in characters."""

    line: int
    col: int
    end_line: int
    end_col: int


class Related(Struct, frozen=True, order=True):
    """Another place that a finding is about; `path` is relative to the root."""

    path: str
    position: Position
    message: str


class Finding(Struct, frozen=True, order=True):
    """One lost thing; `path` is relative to the root and has forward slashes."""

    path: str
    position: Position
    code: str
    message: str
    related: tuple[Related, ...] = ()


@dataclass(frozen=True)
class Spot:
    """A place in the project."""

    path: str
    position: Position

    def __str__(self) -> str:
        return f"{self.path}:{self.position.line}"


class WriteSite(Protocol):
    """A statement that sets or changes an attribute."""

    @property
    def location(self) -> Spot:
        """Return where it stands."""
