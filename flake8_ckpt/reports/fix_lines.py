"""What the subcommand `fix` says: a diff, a line for each finding, and how many there were."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from flake8_ckpt.fixes.file_text import FileText
from flake8_ckpt.fixes.fixed_text import Fixed
from flake8_ckpt.fixes.fixed_text import Proposal


def diff_of(name: str, fixed: Fixed) -> str:
    """Return the change of a file as a unified diff that `patch` takes."""
    if not fixed.applied:
        return ""
    old, new = (FileText.of(each).raw.splitlines(keepends=True) for each in (fixed.old, fixed.data))
    path = Path(os.path.relpath(name) if os.path.isabs(name) else name).as_posix()
    lines = difflib.unified_diff(old, new, f"a/{path}", f"b/{path}")
    return "".join(
        each if each.endswith("\n") else f"{each}\n\\ No newline at end of file\n" for each in lines
    )


def lines_of(name: str, fixed: Fixed, *, is_diff: bool) -> Iterator[str]:
    """Yield what was done with each finding of a file, and what is left to the reader."""
    for each in fixed.applied:
        yield _line(name, each, "would fix" if is_diff else "fixed")
    for each in fixed.left:
        if each.suggestion is None:
            yield f"{_place(name, each)} left: {each.finding.message}"
        elif each.suggestion.safety == "shown":
            yield from _shown(name, each)
        else:
            yield _line(name, each, "with --unsafe-fixes")


def _line(name: str, proposal: Proposal, what: str) -> str:
    found = proposal.suggestion
    if found is None:
        return ""
    note = f" ({found.note})" if found.note else ""
    return f"{_place(name, proposal)} {what}: {found.title}{note}"


def _shown(name: str, proposal: Proposal) -> Iterator[str]:
    yield _line(name, proposal, "for you to do")
    found = proposal.suggestion
    if found is not None and found.code:
        yield from (f"    {line}" for line in found.code.splitlines())


def _place(name: str, proposal: Proposal) -> str:
    place = proposal.finding.position
    return f"{name}:{place.line}:{place.col + 1}: {proposal.finding.code}"


def summary_of(files: Sequence[Fixed], *, is_diff: bool) -> str:
    """Return how many findings were mended, and how many are left."""
    fixed = sum(len(each.applied) for each in files)
    left = [proposal for each in files for proposal in each.left]
    unsafe = sum(each.suggestion is not None and each.suggestion.safety == "unsafe" for each in left)
    more = f", {unsafe} of them with --unsafe-fixes" if unsafe else ""
    done = "would fix" if is_diff else "fixed"
    changed = sum(bool(each.applied) for each in files)
    return f"{done} {_count(fixed, 'finding')} in {_count(changed, 'file')}; {_count(len(left), 'finding')} left{more}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
