"""Newer f-strings and t-strings in older grammar: with other quotes inside, or as a call of their expressions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Union

import libcst as cst

from flake8_ckpt.source.newer.draft import Draft

Filled = Union[cst.FormattedString, cst.TemplatedString]
String = Union[cst.BaseString, Filled]
QUOTED = re.compile(r"([a-zA-Z]*)('''|\"\"\"|'|\")(.*)\2", re.DOTALL)
OTHER_QUOTE = {"'": '"', '"': "'", "'''": '"""', '"""': "'''"}


def rewrite_string(node: String, draft: Draft) -> None:
    """Rewrite a string that this Python refuses; neighbours that make one string are one.

    Other quotes inside keep its text, which may name a path or a key. A t-string always becomes
    a call: it is no string.
    """
    start, end = draft.span(node)
    if _is_read(draft.read(start, end)):
        return
    requoted = _with_other_quotes(node, draft)
    if _is_read(requoted):
        draft.write(start, requoted)
    else:
        _write_call(node, draft)


def _is_read(text: str) -> bool:
    """Tell whether this Python reads a string where it stands alone."""
    try:
        ast.parse(f"({text})", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _filled_parts(node: String) -> Iterator[Filled]:
    if isinstance(node, cst.ConcatenatedString):
        yield from _filled_parts(node.left)
        yield from _filled_parts(node.right)
    elif isinstance(node, (cst.FormattedString, cst.TemplatedString)):
        yield node


def _with_other_quotes(node: String, draft: Draft) -> str:
    """Return a string whose inner strings have not its own quotes, where those can be changed."""
    start, end = draft.span(node)
    characters = list(draft.read(start, end))
    for part in _filled_parts(node):
        for inner in _strings_within(part):
            at, until = draft.span(inner)
            quoted = QUOTED.fullmatch(draft.read(at, until))
            if quoted is None or quoted[2] != part.end or OTHER_QUOTE[part.end] in quoted[3]:
                continue
            for place in (at + len(quoted[1]), until - len(part.end)):
                characters[place - start : place - start + len(part.end)] = OTHER_QUOTE[part.end]
    return "".join(characters)


def _strings_within(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for child in node.children:
        if isinstance(child, (cst.SimpleString, cst.FormattedString, cst.TemplatedString)):
            yield child
        yield from _strings_within(child)


def _write_call(node: String, draft: Draft) -> None:
    """Write `_(  a, b )` for a string, with its expressions where they stood."""
    start, end = draft.span(node)
    spans = [
        draft.span_in_parentheses(each) for part in _filled_parts(node) for each in _expressions(part.parts)
    ]
    kept = [(at, until, draft.read(at, until)) for at, until in spans]
    draft.blank(start, end)
    for at, until, text in kept:
        draft.write(at, text)
        # What follows is a brace, a colon or an exclamation mark, perhaps on a later line.
        if not text.endswith(","):
            draft.write(draft.find(" ", until), ",")
    # In `x if y else"a" f"{b}"` a word ends where the string begins.
    word_before = start > 0 and draft.read(start - 1, start).isidentifier()
    draft.write(start, " _(" if word_before else "_(")
    draft.write(end - 1, ")")


def _expressions(parts: Sequence[cst.CSTNode]) -> Iterator[cst.BaseExpression]:
    """Yield the expressions of a string in order, those of its format specifications too."""
    for part in parts:
        if isinstance(part, (cst.FormattedStringExpression, cst.TemplatedStringExpression)):
            yield part.expression
            yield from _expressions(part.format_spec or ())
