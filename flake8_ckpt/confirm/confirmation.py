"""The candidates of one file become findings with the exact ranges that libcst gives.

libcst is loaded only where there is a candidate. It sees extracts of the file, and nothing that is too deep for it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Optional

from msgspec.structs import replace

from flake8_ckpt.confirm.blocks import class_of
from flake8_ckpt.confirm.blocks import path_to
from flake8_ckpt.confirm.blocks import scope_of
from flake8_ckpt.confirm.candidate import Candidate
from flake8_ckpt.confirm.candidate import End
from flake8_ckpt.confirm.depth import is_too_deep
from flake8_ckpt.confirm.extract import extract_of
from flake8_ckpt.confirm.source_lines import SourceLines
from flake8_ckpt.findings import Confirmed
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position

# So many candidates share an extract: for libcst each `elif` is a level, and a thousand are too deep.
TOGETHER = 50


@dataclass(frozen=True)
class _File:
    """A file: its lines and the standard library's tree of it."""

    lines: SourceLines
    tree: ast.Module


@dataclass(frozen=True)
class _Located:
    """A finding, and the nodes of the standard tree that lead to its statement: none where there is no such."""

    finding: Finding
    path: tuple[ast.AST, ...]


class _OutOfReach(Exception):
    """What libcst must not see, because it is too deep, or does not give back as it was."""


def confirm(text: str, tree: ast.Module, findings: Sequence[Finding]) -> Confirmed:
    """Find the nodes of the findings of one file, given its text and its standard tree.

    A finding that names no node stays as it is. One that is too deep for libcst keeps its range.
    """
    file = _File(SourceLines.of(text), tree)
    located = [_locate(each, file) for each in findings if each.node.kinds]
    batches = (located[first : first + TOGETHER] for first in range(0, len(located), TOGETHER))
    found = [each for batch in batches for each in _find_all(batch, file)]
    plain = [each for each in findings if not each.node.kinds]
    lost = [each.finding for each, finding in zip(located, found) if finding is None]
    return Confirmed((*plain, *(each for each in found if each is not None)), tuple(lost))


def _locate(finding: Finding, file: _File) -> _Located:
    place = file.lines.point(finding.position.line, finding.position.col)
    path = path_to(file.tree, file.lines, place)
    return _Located(replace(finding, class_name=class_of(path), symbol=scope_of(path)), path)


def _find_all(located: Sequence[_Located], file: _File) -> list[Optional[Finding]]:
    """Return an exact finding for each, or None; where libcst fails, each is tried by itself."""
    try:
        return _find(located, file)
    except (KeyboardInterrupt, SystemExit):
        raise
    # A panic of libcst's parser is no Exception.
    except BaseException as error:
        if len(located) > 1:
            return [found for each in located for found in _find_all([each], file)]
        return [located[0].finding if isinstance(error, (RecursionError, _OutOfReach)) else None]


def _find(located: Sequence[_Located], file: _File) -> list[Optional[Finding]]:
    from flake8_ckpt.confirm.finder import find

    extract = extract_of(file.tree, file.lines, chain.from_iterable(each.path for each in located))
    if is_too_deep(extract.shown, max(len(each.path) for each in located), file.lines):
        raise _OutOfReach
    ends = find(extract, [_candidate(each) for each in located])
    if ends is None:
        raise _OutOfReach
    return [_exact(each.finding, end) for each, end in zip(located, ends)]


def _candidate(located: _Located) -> Candidate:
    finding = located.finding
    return Candidate(scope_of(located.path), finding.position.line, finding.position.col, finding.node)


def _exact(finding: Finding, end: Optional[End]) -> Optional[Finding]:
    if end is None:
        return None
    start = finding.position
    return replace(finding, position=Position(start.line, start.col, end.line, end.col), exact=True)
