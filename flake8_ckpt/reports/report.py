"""What every format is made from: the findings that are reported, their rules, and the files that they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Literal
from typing import Optional

from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Safety

Level = Literal["error", "warning", "note"]
NAME = "flake8-ckpt"


@dataclass(frozen=True)
class RuleText:
    """What a report says of a rule; `page` is Markdown."""

    code: str
    name: str
    summary: str
    page: str
    level: Level


@dataclass(frozen=True)
class Mend:
    """How a finding is mended: edits of its file, or `code` to write where there are none.

    `title` says what is done, `note` what else changes by it, or why it is only shown.
    """

    title: str
    safety: Safety
    note: str = ""
    edits: tuple[Edit, ...] = ()
    code: str = ""

    @property
    def text(self) -> str:
        """Return the title and the note as one line."""
        return f"{self.title} ({self.note})" if self.note else self.title


@dataclass(frozen=True)
class Source:
    """A file: its name as it is printed, its path from the top of the repository, its lines without line feeds."""

    printed: str
    from_top: str
    lines: tuple[str, ...] = ()

    def line(self, number: int) -> str:
        """Return a line, or nothing where the file is not that long."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""


@dataclass(frozen=True)
class Evidence:
    """What a watched run says of a finding: "confirmed" or "refuted", and what it saw."""

    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Entry:
    """A finding that is reported."""

    finding: Finding
    fingerprint: str
    mend: Optional[Mend] = None
    evidence: Optional[Evidence] = None


@dataclass(frozen=True)
class Report:
    """What a format is made from; `sources` has every file that a finding names, by its path from the root."""

    version: str
    entries: Sequence[Entry]
    rules: Mapping[str, RuleText]
    sources: Mapping[str, Source] = field(default_factory=dict)

    def rule_of(self, entry: Entry) -> RuleText:
        """Return the rule of an entry."""
        return self.rules[entry.finding.code]


def on_first_line(position: Position, source: Source) -> Position:
    """Return the part of a range that is on its first line, for those who show no other."""
    if position.end_line == position.line:
        return position
    return Position(position.line, position.col, position.line, len(source.line(position.line)))


def merged(edits: Sequence[Edit], source: Source) -> Edit:
    """Return one edit that does what several do, which must not overlap."""
    first, *others = sorted(edits)
    text, end = first.text, (first.position.end_line, first.position.end_col)
    for each in others:
        start = (each.position.line, each.position.col)
        text += between(source, end, start) + each.text
        end = (each.position.end_line, each.position.end_col)
    return Edit(Position(first.position.line, first.position.col, *end), text)


def between(source: Source, start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the text of a file from one line and column to another."""
    if start[0] == end[0]:
        return source.line(start[0])[start[1] : end[1]]
    inner = (source.line(number) for number in range(start[0] + 1, end[0]))
    return "\n".join([source.line(start[0])[start[1] :], *inner, source.line(end[0])[: end[1]]])
