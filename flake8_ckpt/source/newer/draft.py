"""A text that is rewritten in place: what replaces a part is as long as the part, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping

import libcst as cst
from libcst.metadata import CodeRange

NO_LINE_BREAK = re.compile(r"[^\n]")


class Draft:
    """The characters of a file, changed part by part, and where each of its nodes stands.

    `ranges` are those of `code`, which is the text as libcst gives it back.
    """

    def __init__(self, text: str, code: str, ranges: Mapping[cst.CSTNode, CodeRange]) -> None:
        self._characters = list(text)
        self._places = range(len(text)) if code == text else list(_places(text, code))
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", code))]
        self._ranges = ranges

    @property
    def text(self) -> str:
        """Return the text as it is now."""
        return "".join(self._characters)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return where a node begins and ends; its own parentheses are outside."""
        start, end = self._ranges[node].start, self._ranges[node].end
        last = self._line_starts[end.line - 1] + end.column - 1
        return self._places[self._line_starts[start.line - 1] + start.column], self._places[last] + 1

    def span_in_parentheses(self, node: cst.BaseExpression) -> tuple[int, int]:
        """Return where an expression begins and ends, its own parentheses included."""
        first = node.lpar[0] if node.lpar else node
        last = node.rpar[-1] if node.rpar else node
        return self.span(first)[0], self.span(last)[1]

    def read(self, start: int, end: int) -> str:
        """Return what stands in a part now."""
        return "".join(self._characters[start:end])

    def find(self, character: str, start: int) -> int:
        """Return where a character stands next."""
        return self._characters.index(character, start)

    def write(self, start: int, new: str) -> None:
        """Replace as many characters as are given."""
        self._characters[start : start + len(new)] = new

    def blank(self, start: int, end: int) -> None:
        """Replace a part by spaces; line breaks stay."""
        self.write(start, NO_LINE_BREAK.sub(" ", self.read(start, end)))


def is_same_but_for_space(text: str, code: str) -> bool:
    """Tell whether libcst gives back every character of a text but spaces.

    It drops those before the colon of `except A :`, and that in `f"{x!r }"`.
    """
    return code == text or "".join(code.split()) == "".join(text.split())


def _places(text: str, code: str) -> Iterator[int]:
    """Yield where each character of the code stands in the text, told from the ink alone."""
    ink = iter([place for place, character in enumerate(text) if not character.isspace()])
    place = -1
    for character in code:
        place = place + 1 if character.isspace() else next(ink)
        yield place
