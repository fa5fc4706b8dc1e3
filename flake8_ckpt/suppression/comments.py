"""Comments that silence some rules on a statement: `# ckpt: ignore[unregistered-tensor-state, CKP102]`.

A comment counts on every line of what a finding is about.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from flake8_ckpt.findings import Finding

MARK = "ckpt:"
COMMENT = re.compile(r"#\s*ckpt:\s*ignore(?:\[(?P<names>[^\]\n]*)\]?)?", re.IGNORECASE)
# flake8 takes a code to be letters and digits: before anything else it reads a bare `# noqa`, which silences all.
NOQA = re.compile(r"#\s*noqa:\s?(?P<text>[^#\n]*)", re.IGNORECASE)
CODES = re.compile(r"[A-Z]+[0-9]*", re.IGNORECASE)


@dataclass(frozen=True)
class Hint:
    """A comment that does not do what it says: its line, and what to write instead."""

    line: int
    text: str


def is_ignored(finding: Finding, lines: Sequence[str], codes_by_name: Mapping[str, str]) -> bool:
    """Say whether a comment on the lines of a finding names its rule."""
    first, last = finding.position.line, max(finding.position.line, finding.position.end_line)
    for line in lines[first - 1 : last]:
        for name in _names(line):
            code = codes_by_name.get(name, name.upper())
            if CODES.fullmatch(code) and finding.code.startswith(code):
                return True
    return False


def is_suspect(line: str) -> bool:
    """Say whether a line may hold a comment that there is a hint on."""
    folded = line.lower()
    return MARK in folded or "noqa:" in folded


def hints(lines: Iterable[str], codes_by_name: Mapping[str, str]) -> Iterator[Hint]:
    """Yield the comments of a file that silence more or less than they seem to."""
    for number, line in enumerate(lines, 1):
        if MARK in line.lower():
            yield from _hints_on_ignore(number, line, codes_by_name)
        if "noqa" in line.lower():
            yield from _hints_on_noqa(number, line, codes_by_name)


def _hints_on_ignore(number: int, line: str, codes_by_name: Mapping[str, str]) -> Iterator[Hint]:
    for found in COMMENT.finditer(line):
        if not found["names"]:
            yield Hint(
                number, "'# ckpt: ignore' silences nothing without a rule: write # ckpt: ignore[CKP101]"
            )
    for name in _names(line):
        if name not in codes_by_name and not _is_code(name, codes_by_name.values()):
            yield Hint(number, f"'# ckpt: ignore' names no rule {name!r} (flake8-ckpt rules lists them)")


def _hints_on_noqa(number: int, line: str, codes_by_name: Mapping[str, str]) -> Iterator[Hint]:
    for found in NOQA.finditer(line):
        name = _folded(re.split(r"[,\s]", found["text"].strip(), maxsplit=1)[0])
        if name in codes_by_name:
            code = codes_by_name[name]
            yield Hint(
                number,
                f"'# noqa: {name}' silences every rule of flake8 here, because it knows codes only:"
                f" write # noqa: {code} or # ckpt: ignore[{name}]",
            )


def _names(line: str) -> Iterator[str]:
    if MARK not in line.lower():
        return
    for found in COMMENT.finditer(line):
        yield from (_folded(name) for name in (found["names"] or "").split(",") if name.strip())


def _folded(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def _is_code(name: str, codes: Collection[str]) -> bool:
    return any(code.startswith(name.upper()) for code in codes)
