"""Print a table that reads the same on a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a table: text to the left, numbers to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *texts)]
    right = [bool(texts) and all(is_number(row[at]) for row in texts) for at in range(len(head))]
    rule = [("-" * (width - 1) + ":") if aligned else "-" * width for width, aligned in zip(widths, right)]
    return "\n".join(format_row(row, widths, right) for row in [head, rule, *texts])


def format_row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """Pad the cells of one row."""
    cells = (text.rjust(width) if end else text.ljust(width) for text, width, end in zip(row, widths, right))
    return "| " + " | ".join(cells) + " |"


def is_number(text: str) -> bool:
    """Tell whether a cell belongs to the right: a number, a percentage, a ratio or nothing."""
    return not text.strip("+-.,0123456789%x ")


def percent(part: int, whole: int) -> str:
    """Return a share as text, a hyphen of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else "-"
