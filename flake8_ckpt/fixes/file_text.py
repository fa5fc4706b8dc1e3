"""The bytes of a file as text and back: what no edit touches stays byte for byte."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from flake8_ckpt.findings import Edit
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode

LINE = re.compile("[^\r\n]*(\r\n?|\n|$)")


@dataclass(frozen=True)
class FileText:
    """A file: its text with the newlines that it has, and the encoding; a byte order mark belongs to that."""

    raw: str
    encoding: str

    @classmethod
    def of(cls, data: bytes) -> FileText:
        """Decode a file; raise Unreadable where it would not come back as it was."""
        decode(data)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = cls(data.decode(encoding), encoding)
        if text.encoded(text.raw) != data:
            raise Unreadable(f"does not survive being read and written as {encoding}")
        return text

    def encoded(self, raw: str) -> bytes:
        """Return a text as bytes; raise Unreadable for a character that the encoding lacks."""
        try:
            return raw.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise Unreadable(f"cannot hold {raw[error.start]!r} in {self.encoding}") from error

    def edited(self, edits: Iterable[Edit]) -> str:
        """Return the text after edits that do not overlap; new lines end as the line does where the edit begins."""
        lines = list(LINE.finditer(self.raw))
        pieces, done = [], 0
        for edit in sorted(set(edits)):
            place = edit.position
            newline = lines[min(place.line, len(lines)) - 1].group(1) or _first_newline(lines)
            start = _offset(lines, place.line, place.col)
            text = edit.text
            # A line below the last one, which has no newline: the file goes on without one.
            if start == len(self.raw) and place.col == 0 and not self.raw.endswith(("\n", "\r")):
                text = "\n" + text.removesuffix("\n")
            pieces += [self.raw[done:start], text.replace("\n", newline)]
            done = _offset(lines, place.end_line, place.end_col)
        return "".join([*pieces, self.raw[done:]])


def _offset(lines: list[re.Match[str]], line: int, column: int) -> int:
    return lines[line - 1].start() + column if line <= len(lines) else lines[-1].end()


def _first_newline(lines: list[re.Match[str]]) -> str:
    return lines[0].group(1) or "\n"


def overlaps(edit: Edit, others: Iterable[Edit]) -> bool:
    """Tell whether an edit meets another one; two insertions at one place do not, and equal edits are one."""
    return any(edit != other and _meet(edit, other) for other in others)


def _meet(one: Edit, other: Edit) -> bool:
    first, second = sorted([one.position, other.position])
    start, end = (second.line, second.col), (first.end_line, first.end_col)
    if start == (first.line, first.col) and (first == second):
        return start != end
    return start < end
