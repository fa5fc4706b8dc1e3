"""Which texts are not handed to libcst: it ends the process on deep ones, and is slow on large ones.

A text that this Python refuses has no tree to measure, so its depth is told from its characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field

MAX_CHARACTERS = 1_000_000
# Python itself allows 200 brackets; libcst ends the process at 1,000 to 3,000, at fewer on a small stack.
MAX_DEPTH = 100
# Chains such as `a or b or ...` and `lambda: lambda: ...` end the process at 3,000 to 10,000 links.
MAX_CHAIN = 500
# So do chains of `elif`, whatever stands in between.
MAX_ELIFS = 1000

CODE = re.compile(
    r"""
      \#[^\n]* | \\\n
    | \b (?:[rR]?[fFtT]|[fFtT][rR]) (?P<filled> '''|\"""|'|")
    | '''(?:\\.|[^\\])*?''' | \"""(?:\\.|[^\\])*?\""" | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*"
    | (?P<open> [(\[{])
    | (?P<close> [)\]}])
    | (?P<end> [,;:\n])
    | (?P<link> [-+*/%@&|^~<>=.] | \b(?:and|or|not|if|lambda|await|yield)\b)
    """,
    re.VERBOSE | re.DOTALL,
)
FIELD = "field of a string"
SPECIFICATION = "format of a field"
# What stands in an f-string, by its quote, and in the format of one of its fields.
TEXT = {quote: re.compile(rf"\\[^{{}}]|{{{{|}}}}|{{|{quote}") for quote in ("'", '"', "'''", '"""')}
TEXT[SPECIFICATION] = re.compile("[{}]")


@dataclass
class _Nesting:
    """The brackets, strings and fields that are open, and how many links the chain in each has."""

    opened: list[str] = field(default_factory=list)
    chains: list[int] = field(default_factory=lambda: [0])

    @property
    def inmost(self) -> str:
        return self.opened[-1] if self.opened else ""

    def enter(self, what: str) -> None:
        self.opened.append(what)
        self.chains.append(0)

    def leave(self) -> None:
        if self.opened:
            self.opened.pop()
            self.chains.pop()


def obstacle(text: str) -> str:
    """Say why a text is not handed to libcst, in a few words; nothing where it may be."""
    if len(text) > MAX_CHARACTERS:
        return "too large"
    return "nested too deeply" if text.count("elif") > MAX_ELIFS or _is_deep(text) else ""


def _is_deep(text: str) -> bool:
    nesting, at = _Nesting(), 0
    while found := TEXT.get(nesting.inmost, CODE).search(text, at):
        at = found.end()
        if nesting.inmost in TEXT:
            _follow_text(found[0], nesting)
        else:
            _follow_code(found, nesting)
        if len(nesting.opened) > MAX_DEPTH or nesting.chains[-1] > MAX_CHAIN:
            return True
    return False


def _follow_text(token: str, nesting: _Nesting) -> None:
    if token == "{":
        nesting.enter(FIELD)
    elif token in (nesting.inmost, "}"):
        nesting.leave()


def _follow_code(found: re.Match[str], nesting: _Nesting) -> None:
    kind, token = found.lastgroup, found[0]
    if kind == "filled":
        nesting.enter(found["filled"])
    elif kind == "open":
        nesting.chains[-1] += 1
        nesting.enter(token)
    elif kind == "close":
        nesting.leave()
    elif kind == "link":
        nesting.chains[-1] += 1
    elif token == ":" and nesting.inmost == FIELD:
        nesting.opened[-1] = SPECIFICATION
    elif token in (",", ";") or token == "\n" and not nesting.opened:
        nesting.chains[-1] = 0
