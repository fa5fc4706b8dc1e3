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
        yield from _lines(name, each, "would fix" if is_diff else "fixed")
    for each in fixed.left:
        if each.suggestion is None:
            yield f"{_place(name, each)} left: {each.finding.message}"
        else:
            yield from _lines(
                name, each, "by hand" if each.suggestion.safety == "shown" else "with --unsafe-fixes"
            )


def _lines(name: str, proposal: Proposal, what: str) -> Iterator[str]:
    """Yield what a change does, then what else changes or why it is not made, then the code to write."""
    found = proposal.suggestion
    if found is None:
        return
    yield f"{_place(name, proposal)} {what}: {found.title}"
    if found.note:
        yield f"    {found.note}"
    if found.safety == "shown" and found.code:
        yield from (f"    > {line}" for line in found.code.splitlines())


def _place(name: str, proposal: Proposal) -> str:
    place = proposal.finding.position
    return f"{name}:{place.line}:{place.col + 1}: {proposal.finding.code}"


def summary_of(files: Sequence[Fixed], *, is_diff: bool) -> str:
    """Return how many findings were mended, and how many are left."""
    fixed = sum(len(each.applied) for each in files)
    left = [proposal for each in files for proposal in each.left]
    unsafe = sum(each.suggestion is not None and each.suggestion.safety == "unsafe" for each in left)
    changed = sum(bool(each.applied) for each in files)
    where = f"{_count(fixed, 'finding')} in {_count(changed, 'file')}"
    done = f"{'would fix' if is_diff else 'fixed'} {where}" if fixed else "nothing fixed"
    more = f", of which --unsafe-fixes mends {unsafe}" if unsafe else ""
    return f"{done}; {_count(len(left), 'finding')} left{more}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
