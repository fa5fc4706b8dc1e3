"""Bytes to text: coding cookie, byte order mark, newlines; and text to the stdlib's tree."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings

DEEP = 8000
NEWLINES = re.compile("\r\n?")


class Unreadable(Exception):
    """A file cannot be decoded or parsed: `reason` in a few words, `line` from 1 or 0."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason, line)
        self.reason = reason
        self.line = line


def decode(data: bytes) -> str:
    """Decode a source file as Python does; newlines become line feeds.

    Raises Unreadable for an unknown or wrong encoding and for NUL bytes.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = _decode_as(encoding, data)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise Unreadable(f"cannot be decoded ({error})") from error
    # Codecs that are not made for code: `hex` gives no text, `undefined` and `punycode` fail in their own ways.
    except (LookupError, ValueError) as error:
        raise Unreadable(f"cannot be decoded (encoding {encoding!r} cannot be used for source code)") from error
    if "\0" in text:
        raise Unreadable("holds NUL bytes", text[: text.index("\0")].count("\n") + 1)
    return NEWLINES.sub("\n", text) if "\r" in text else text


def _decode_as(encoding: str, data: bytes) -> str:
    if encoding == "utf-8":
        return data.decode()
    with warnings.catch_warnings():
        # `unicode_escape` warns of each odd backslash.
        warnings.simplefilter("ignore")
        return data.decode(encoding)


def _parse_deep(text: str) -> ast.Module:
    """Parse text; where it is nested deeper than this process usually allows, once more with room."""
    try:
        return ast.parse(text)
    except RecursionError:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, DEEP))
        try:
            return ast.parse(text)
        finally:
            sys.setrecursionlimit(limit)


def parse(text: str) -> ast.Module:
    """Parse text with the stdlib; raises Unreadable for code this Python cannot parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _parse_deep(text)
        except SyntaxError as error:
            raise Unreadable(f"cannot be parsed ({error.msg})", error.lineno or 0) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise Unreadable(f"cannot be parsed ({type(error).__name__})") from error
