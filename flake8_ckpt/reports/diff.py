"""The edits of a file as a difference: lines that go, lines that come, and a few around them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.findings import Edit
from flake8_ckpt.reports.report import Source
from flake8_ckpt.reports.report import merged

CONTEXT = 1


def changed_lines(edits: Sequence[Edit], source: Source) -> Iterator[tuple[str, int, str]]:
    """Yield a sign ("-", "+", " "), the line's number before the change, and the line, around each change.

    Between two places that are far apart stands the sign "~". Empty lines around a change are left out.
    """
    if not edits or not source.lines:
        return
    whole = merged(edits, source)
    first = max(0, whole.position.line - 1 - CONTEXT)
    before = source.lines[first : whole.position.end_line + CONTEXT]
    after = _edited(whole, source, first)
    groups = difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(CONTEXT)
    for order, group in enumerate(groups):
        if order:
            yield "~", first + group[0][1], ""
        for tag, start, end, new_start, new_end in group:
            sign = " " if tag == "equal" else "-"
            shown = (index for index in range(start, end) if sign == "-" or before[index].strip())
            yield from ((sign, first + index + 1, before[index]) for index in shown)
            if tag != "equal":
                yield from (("+", first + start, after[index]) for index in range(new_start, new_end))


def _edited(edit: Edit, source: Source, first: int) -> list[str]:
    """Return the lines from an index to the context below an edit, as they are after it."""
    place = edit.position
    head = source.line(place.line)[: place.col]
    tail = source.line(place.end_line)[place.end_col :]
    below = source.lines[place.end_line : place.end_line + CONTEXT]
    return [*source.lines[first : place.line - 1], *f"{head}{edit.text}{tail}".split("\n"), *below]
