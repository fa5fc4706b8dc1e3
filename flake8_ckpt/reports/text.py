"""Text for a person: the code of each finding with the range marked, the related places, and the mend.

CKP101 unregistered-tensor-state: 'mean' is overwritten by update() ...
  --> pkg/a.py:8:9
    |
  8 |         self.mean = torch.zeros(size)
    |         ^^^^^^^^^ lost here
    |
  ::: pkg/a.py:11:9  set here too
 11 |         self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
    |         ^^^^^^^^^
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from flake8_ckpt.findings import Position
from flake8_ckpt.reports.diff import changed_lines
from flake8_ckpt.reports.plain_text import one_line
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Mend
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import Source
from flake8_ckpt.reports.report import on_first_line

# Further places of the same kind say no more.
MAX_RELATED = 4
# A line of generated code may have no end: so many characters of it are shown.
MAX_WIDTH = 160
SIGNS = {" ": "|", "~": "..."}
FIX = {"safe": "fix", "unsafe": "unsafe fix", "shown": "suggestion"}


@dataclass(frozen=True)
class Style:
    """The escape sequences of a terminal, or nothing."""

    bold: str = ""
    red: str = ""
    yellow: str = ""
    blue: str = ""
    green: str = ""
    end: str = ""


PLAIN = Style()
COLORED = Style("\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[32m", "\x1b[0m")


def render(report: Report, style: Style = PLAIN) -> str:
    """Return the findings as blocks of lines, with an empty line between."""
    return "\n\n".join("\n".join(_block(each, report, style)) for each in report.entries)


def _block(entry: Entry, report: Report, style: Style) -> Iterator[str]:
    finding, rule = entry.finding, report.rule_of(entry)
    shown = finding.related[:MAX_RELATED]
    # The fix shows a line below the finding too.
    lines = [finding.position.end_line + 1, *(each.position.line for each in shown)]
    width = len(str(max(lines))) + 1
    tone = style.red if rule.level != "note" else style.yellow
    message = one_line(finding.message)
    yield f"{tone}{rule.code}{style.end} {style.bold}{message}{style.end}"
    source = report.sources[finding.path]
    yield f"{' ' * (width - 1)}{style.blue}-->{style.end} {_place(source, finding.position)}"
    yield from _code(source, finding.position, width, style, tone)
    for each in shown:
        other = report.sources[each.path]
        place = f"{_place(other, each.position)}  {one_line(each.message)}"
        yield f"{' ' * (width - 1)}{style.blue}:::{style.end} {place}"
        yield from _code(other, each.position, width, style, style.blue)
    if len(finding.related) > MAX_RELATED:
        yield f"{' ' * width}{style.blue}={style.end} and {len(finding.related) - MAX_RELATED} more places"
    if entry.evidence is not None and entry.evidence.reason:
        yield f"{' ' * width} {style.blue}={style.end} seen in a run: {one_line(entry.evidence.reason)}"
    if entry.mend is not None:
        yield from _mend(entry.mend, source, width, style)


def _place(source: Source, position: Position) -> str:
    return f"{one_line(source.printed.removeprefix('./'))}:{position.line}:{position.col + 1}"


def _code(source: Source, position: Position, width: int, style: Style, tone: str) -> Iterator[str]:
    """Yield the first line of a range and the marks below it, nothing where the file cannot be read."""
    place = on_first_line(position, source)
    text = source.line(place.line)
    if not text.strip():
        return
    # A line without end is cut in front of the range too.
    skipped = max(0, place.col - MAX_WIDTH // 2) if len(text) > MAX_WIDTH else 0
    before = _visible(text[skipped : place.col])
    marked = _visible(text[place.col : place.end_col])
    line = f"{before}{marked}{_visible(text[max(place.end_col, place.col) :])}"[:MAX_WIDTH].rstrip()
    marks = "^" * max(1, min(len(marked), MAX_WIDTH - len(before)))
    bar = f"{style.blue}|{style.end}"
    yield f"{style.blue}{place.line:>{width}}{style.end} {bar} {line}"
    yield f"{' ' * width} {bar} {' ' * len(before)}{tone}{marks}{style.end}"


def _visible(text: str) -> str:
    return one_line(text.replace("\t", "    "))


def _mend(mend: Mend, source: Source, width: int, style: Style) -> Iterator[str]:
    left, equals = " " * width, f"{style.blue}={style.end}"
    yield f"{left} {equals} {FIX[mend.safety]}: {one_line(mend.title)}"
    if mend.note:
        yield f"{left} {equals} note: {one_line(mend.note)}"
    for sign, number, text in changed_lines(mend.edits, source):
        tone = {"-": style.red, "+": style.green}.get(sign, style.blue)
        label = f"{'' if sign in '+~' else str(number):>{width}}"
        code = (
            f"{tone}{_visible(text)[:MAX_WIDTH]}{style.end}" if sign in "+-" else _visible(text)[:MAX_WIDTH]
        )
        yield f"{style.blue}{label}{style.end} {tone}{SIGNS.get(sign, sign)}{style.end} {code}".rstrip()
    for line in _lines(mend.code):
        yield f"{left} {style.green}+{style.end} {_visible(line)}"


def _lines(code: str) -> Sequence[str]:
    return code.rstrip().split("\n") if code.strip() else ()
