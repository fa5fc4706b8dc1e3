"""Code with its tokens told apart and a range marked, as pieces of text that a template escapes."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pygments.lexers.python import PythonLexer
from pygments.token import STANDARD_TYPES

from flake8_ckpt.findings import Position
from flake8_ckpt.reports.plain_text import harmless
from flake8_ckpt.reports.report import Source

CONTEXT = 2
# A range that spans more lines than this is cut, and so is a line of generated code.
MAX_LINES, MAX_WIDTH = 12, 300


@dataclass(frozen=True)
class Piece:
    """Some text of one kind; `kind` is the short name of the token that style sheets use."""

    text: str
    kind: str
    is_marked: bool = False


@dataclass(frozen=True)
class CodeLine:
    """A numbered line; one that the finding is about is `is_marked`."""

    number: int
    pieces: tuple[Piece, ...]
    is_marked: bool = False


def around(position: Position, source: Source) -> list[CodeLine]:
    """Return the lines of a range and some around it, without common indentation; none where nobody can read it."""
    if not source.lines:
        return []
    first = max(1, position.line - CONTEXT)
    end = min(position.end_line, position.line + MAX_LINES)
    last = min(len(source.lines), end + CONTEXT)
    while first < position.line and not source.line(first).strip():
        first += 1
    while last > end and not source.line(last).strip():
        last -= 1
    texts = [source.line(number)[:MAX_WIDTH] for number in range(first, last + 1)]
    indent = indent_of(texts)
    return [
        _marked(CodeLine(number, pieces), position, indent)
        for number, pieces in enumerate(highlighted([text[indent:] for text in texts]), start=first)
    ]


def indent_of(texts: Sequence[str]) -> int:
    """Return by how many characters all lines are indented."""
    return min((len(text) - len(text.lstrip()) for text in texts if text.strip()), default=0)


def highlighted(texts: Sequence[str]) -> Iterator[tuple[Piece, ...]]:
    """Yield the pieces of each line."""
    pieces: list[Piece] = []
    done = 0
    for token, text in _lexer().get_tokens("\n".join(texts)):
        kind = STANDARD_TYPES.get(token, "")
        first, *others = text.split("\n")
        pieces += [Piece(first, kind)] if first else []
        for line in others:
            yield tuple(pieces)
            done += 1
            pieces = [Piece(line, kind)] if line else []
    yield tuple(pieces)
    yield from [()] * (len(texts) - done - 1)


@cache
def _lexer() -> PythonLexer:
    return PythonLexer(stripnl=False, ensurenl=False)


def _marked(line: CodeLine, position: Position, indent: int) -> CodeLine:
    """Return a line with the part of a range that is on it."""
    is_within = position.line <= line.number <= position.end_line
    start = position.col - indent if line.number == position.line else 0
    end = position.end_col - indent if line.number == position.end_line else MAX_WIDTH
    pieces: list[Piece] = []
    column = 0
    for piece in line.pieces:
        cuts = [
            0,
            *(cut - column for cut in (start, end) if 0 < cut - column < len(piece.text)),
            len(piece.text),
        ]
        for low, high in zip(cuts, cuts[1:]):
            text = piece.text[low:high]
            is_inside = is_within and start <= column + low < end
            # What a line is indented by is no part of what is marked.
            is_shown = bool(text.strip()) or bool(pieces and pieces[-1].is_marked)
            pieces.append(Piece(harmless(text), piece.kind, is_inside and is_shown))
        column += len(piece.text)
    return CodeLine(line.number, tuple(pieces), is_within)
