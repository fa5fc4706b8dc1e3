"""From bytes to text: what a coding cookie may say, and one clear reason where it cannot be used."""

from __future__ import annotations

import pytest

from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode


@pytest.mark.parametrize(
    ("cookie", "data", "text"),
    [
        ("latin-1", b"x = '\xe9'\n", "x = 'é'\n"),
        ("utf-7", b"x = '+AOk-'\n", "x = 'é'\n"),
        ("idna", b"x = 1\n", "x = 1\n"),
        ("unicode_escape", b"x = '\\u00e9\\d'\n", "x = 'é\\d'\n"),
        ("raw_unicode_escape", b"x = '\\u00e9\\d'\n", "x = 'é\\d'\n"),
    ],
)
def test_odd_encoding_that_python_reads(cookie: str, data: bytes, text: str) -> None:
    heading = f"# coding: {cookie}\n"
    assert decode(heading.encode() + data) == heading + text


@pytest.mark.parametrize("cookie", ["undefined", "hex", "rot13", "zip"])
def test_encoding_that_is_not_made_for_code(cookie: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(f"# coding: {cookie}\nx = 1\n".encode())
    assert caught.value.reason == f"cannot be decoded (encoding '{cookie}' cannot be used for source code)"


def test_encoding_that_fails_in_its_own_way() -> None:
    with pytest.raises(Unreadable, match="cannot be decoded .*punycode"):
        decode(b"# coding: punycode\nx = 1\n")


def test_encoding_that_nobody_knows() -> None:
    with pytest.raises(Unreadable) as caught:
        decode(b"# coding: nonsense\nx = 1\n")
    assert caught.value.reason == "cannot be decoded (unknown encoding: nonsense)"


@pytest.mark.parametrize("cookie", ["utf-8", "unicode_escape", "raw_unicode_escape", "utf-7", "punycode"])
def test_bytes_that_their_encoding_does_not_have(cookie: str) -> None:
    with pytest.raises(Unreadable, match="codec can't decode byte"):
        decode(f"# coding: {cookie}\n".encode() + b"x = '\xff\\u12'\n")
