"""Bytes to text: coding cookie, byte order mark, newlines; and text to the stdlib's tree."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from typing import NamedTuple

DEEP = 8000
NEWLINES = re.compile("\r\n?")
# A name until Python 3.7, as in `batch.cuda(async=True)` of the first years of torch.
ASYNC = re.compile(r"\basync(?=\s*=(?!=))")


class Unreadable(Exception):
    """A file cannot be decoded or parsed: `reason` in a few words, `line` from 1 or 0."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason, line)
        self.reason = reason
        self.line = line


class Parsed(NamedTuple):
    """The stdlib's tree of a file, and the text that it was made from: as many characters, on the same lines."""

    tree: ast.Module
    text: str


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
        raise Unreadable(
            f"cannot be decoded (encoding {encoding!r} cannot be used for source code)"
        ) from error
    if "\0" in text:
        raise Unreadable("holds NUL bytes", text[: text.index("\0")].count("\n") + 1)
    return NEWLINES.sub("\n", text) if "\r" in text else text


def lenient_text(data: bytes) -> str:
    """Decode as flake8 does: what has no valid encoding is still shown."""
    try:
        return decode(data)
    except Unreadable:
        return data.decode("latin-1")


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


def parse(text: str) -> Parsed:
    """Parse text with the stdlib, in older grammar where its own is newer than this Python's.

    Raises Unreadable for code that cannot be parsed in either.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Parsed(_parse_deep(text), text)
        except SyntaxError as error:
            return _parse_renamed(text) or _parse_newer(text, error)
        except (ValueError, RecursionError, MemoryError) as error:
            raise Unreadable(f"cannot be parsed ({type(error).__name__})") from error


def _parse_renamed(text: str) -> Parsed | None:
    """Parse what this Python refuses with another name for the keyword that was none once, None where that fails."""
    renamed = ASYNC.sub("asinc", text)
    try:
        return Parsed(_parse_deep(renamed), renamed) if renamed != text else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parse_newer(text: str, error: SyntaxError) -> Parsed:
    """Parse what this Python refuses, once it is rewritten in older grammar."""
    # Only here: libcst takes longer to import than most files to read.
    from flake8_ckpt.source.newer.grammar import older_grammar
    from flake8_ckpt.source.newer.limits import obstacle

    hindered = obstacle(text)
    if hindered:
        raise _refusal(error, f"; it is {hindered} to be tried as newer Python") from error
    older = older_grammar(text)
    if older == text:
        raise _refusal(error) from error
    try:
        return Parsed(_parse_deep(older), older)
    except SyntaxError as still:
        raise _refusal(still) from still
    except (ValueError, RecursionError, MemoryError):
        raise _refusal(error) from error


def _refusal(error: SyntaxError, note: str = "") -> Unreadable:
    python = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    line = error.lineno or 0
    where = f"line {line}: " if line else ""
    return Unreadable(f"cannot be parsed by {python} ({where}{error.msg}{note})", line)
