"""Where in the text of a TOML file something stands, which its parser does not tell."""

from __future__ import annotations

import re
from itertools import islice

HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)


def line_of_table(text: str, table: str) -> int:
    """Return the line where a table or a key of the top level is first named, 1 where it is not found."""
    name = re.escape(table)
    quoted = rf"(?:{name}|\"{name}\"|'{name}')"
    found = re.search(rf"^[ \t]*(?:\[\[?[ \t]*)?{quoted}[ \t]*[\].=]", text, re.MULTILINE)
    return _line(text, found.start()) if found else 1


def line_of_record(text: str, table: str, index: int, key: str = "") -> int:
    """Return the line of the table's header for one of its records, or that of a key in it."""
    headers = re.finditer(rf"^[ \t]*\[\[[ \t]*{re.escape(table)}[ \t]*\]\]", text, re.MULTILINE)
    header = next(islice(headers, index, None), None)
    if header is None:
        return line_of_table(text, table)
    after = HEADER.search(text, header.end())
    end = after.start() if after else len(text)
    found = re.compile(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*=", re.MULTILINE).search(
        text, header.end(), end
    )
    return _line(text, found.start() if key and found else header.start())


def _line(text: str, offset: int) -> int:
    # A blank line before the match belongs to no line of its own.
    return text.count("\n", 0, offset) + 1
