"""The codemods of a file put together: what is applied, what is not, and the bytes that come of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Safety
from flake8_ckpt.fixes.file_text import FileText
from flake8_ckpt.fixes.file_text import overlaps
from flake8_ckpt.fixes.suggestion import BufferStyle
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestions import suggestions
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse

CONFLICT = re.compile(r"^<{7} .*?^={7}$.*?^>{7} ", re.MULTILINE | re.DOTALL)
SAFE: tuple[Safety, ...] = ("safe",)
UNSAFE: tuple[Safety, ...] = ("safe", "unsafe")


@dataclass(frozen=True)
class Proposal:
    """A finding and what is suggested for it, if anything."""

    finding: Finding
    suggestion: Suggestion | None


@dataclass(frozen=True)
class Fixed:
    """What became of a file: its old and new content, and which findings are mended and which are left.

    `refused` says why a whole file was left as it was, and is empty otherwise.
    """

    old: bytes
    data: bytes
    applied: tuple[Proposal, ...] = ()
    left: tuple[Proposal, ...] = ()
    edits: tuple[Edit, ...] = ()
    refused: str = ""


def fix_text(
    data: bytes,
    findings: Sequence[Finding],
    *,
    allowed: Sequence[Safety] = SAFE,
    style: BufferStyle = "auto",
) -> Fixed:
    """Return the content of a file with the findings mended that may be: those of the allowed safety.

    Of two changes that overlap the second is left for the next run.
    """
    try:
        text = FileText.of(data)
        if CONFLICT.search(decode(data)):
            return _refused(data, findings, "holds conflict markers")
        proposals = [Proposal(*each) for each in zip(findings, suggestions(findings, data, style))]
        return _apply(data, text, proposals, allowed)
    except Unreadable as error:
        return _refused(data, findings, error.reason)


def _refused(data: bytes, findings: Sequence[Finding], reason: str) -> Fixed:
    return Fixed(data, data, left=tuple(Proposal(each, None) for each in findings), refused=reason)


def _apply(data: bytes, text: FileText, proposals: Sequence[Proposal], allowed: Sequence[Safety]) -> Fixed:
    applied: list[Proposal] = []
    left: list[Proposal] = []
    edits: list[Edit] = []
    for each in proposals:
        found = each.suggestion
        if found is None or not found.edits or found.safety not in allowed:
            left.append(each)
        elif any(overlaps(edit, edits) for edit in found.edits):
            left.append(each)
        else:
            applied.append(each)
            edits += found.edits
    new = text.encoded(text.edited(edits)) if edits else data
    try:
        parse(decode(new))
    except Unreadable as error:
        return _refused(data, [each.finding for each in proposals], f"the fixed file {error.reason}")
    return Fixed(data, new, tuple(applied), tuple(left), tuple(sorted(set(edits))))
