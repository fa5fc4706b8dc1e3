"""Make text of a linted project harmless: no control character reaches a terminal, a log or a document."""

from __future__ import annotations

import re

# Control characters but tab and line feed, marks that turn the order of text around, halves of surrogate pairs.
HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def harmless(text: str) -> str:
    """Return a text with what is harmful written as an escape."""
    return HARMFUL.sub(lambda found: _escape(found.group()), text)


def one_line(text: str) -> str:
    """Return a text as one harmless line."""
    return harmless(text.replace("\n", "\\n"))


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
