"""Edit copies of real projects so that nothing changes, and count the findings that change all the same.

    python -m benchmarks.same PROJECT... [--edits EDIT...]

Each edit is made in all files of a project at once, by libcst, where the file still parses. Findings of before
and after, with all rules on, are compared by file, code and text; line numbers move and are left out, in texts too.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

from benchmarks.seeding.same_names import SELF
from benchmarks.seeding.same_names import TORCH
from benchmarks.seeding.same_names import ImportSave
from benchmarks.seeding.same_names import KeysAsConstants
from benchmarks.seeding.same_names import KeysAsFormatStrings
from benchmarks.seeding.same_names import RenameSelf
from benchmarks.seeding.same_names import RenameTorch
from benchmarks.seeding.same_names import SaveByKeyword
from benchmarks.seeding.same_shapes import AddComments
from benchmarks.seeding.same_shapes import AddDocstrings
from benchmarks.seeding.same_shapes import AddParentheses
from benchmarks.seeding.same_shapes import AnnotateStores
from benchmarks.seeding.same_shapes import ClassesUnderIf
from benchmarks.seeding.same_shapes import ReturnByName
from benchmarks.seeding.same_shapes import ReverseMethods
from benchmarks.seeding.same_shapes import SpellOutCounting
from benchmarks.seeding.same_shapes import UseTemporaries
from benchmarks.seeding.same_shapes import Wrap
from benchmarks.seeding.scratch import Found
from benchmarks.seeding.scratch import Scratch
from benchmarks.table import format_table
from benchmarks.table import percent

EDITS: dict[str, Callable[[], cst.CSTTransformer]] = {
    "annotate stores": AnnotateStores,
    "classes under if": ClassesUnderIf,
    "comments": AddComments,
    "docstrings": AddDocstrings,
    "import save": ImportSave,
    "keys as constants": KeysAsConstants,
    "keys as f-strings": KeysAsFormatStrings,
    "parentheses": AddParentheses,
    "rename self": RenameSelf,
    "rename torch": RenameTorch,
    "return by name": ReturnByName,
    "reverse methods": ReverseMethods,
    "save by keyword": SaveByKeyword,
    "spell out counting": SpellOutCounting,
    "temporaries": UseTemporaries,
    "under if True": lambda: Wrap("if True:\n    pass"),
    "under try": lambda: Wrap("try:\n    pass\nfinally:\n    pass"),
}
NUMBER = re.compile(r"\d+")
# Files that an edit by name would break: the new name is there, or torch is imported by more than its name.
TAKEN = {
    "rename self": re.compile(rf"\b{SELF}\b"),
    "rename torch": re.compile(
        rf"\b{TORCH}\b|^\s*import torch\.|\bimport .*, *torch|\"torch|'torch|global torch", re.M
    ),
    "import save": re.compile(r"\A(?!.*^import torch$)|torch_save|torch_load", re.M | re.S),
}


@dataclass(frozen=True)
class Change:
    """The findings of a project that an edit takes away and brings."""

    project: str
    edit: str
    before: int
    gone: tuple[str, ...]
    new: tuple[str, ...]


def changes_of(source: Path, edits: Sequence[str]) -> list[Change]:
    """Make each edit in a fresh copy of a project and compare the findings."""
    with tempfile.TemporaryDirectory(prefix="same-") as folder:
        scratch = Scratch(source.resolve(), Path(folder))
        texts = {path: path.read_bytes() for path in scratch.python_files()}
        before = _signs(scratch.lint("--ckpt-enable=ALL"))
        found = []
        for edit in edits:
            for path, text in texts.items():
                path.write_bytes(edited(text, edit))
            after = _signs(scratch.lint("--ckpt-enable=ALL"))
            found.append(_compare(scratch.name, edit, before, after))
        return found


def edited(text: bytes, edit: str) -> bytes:
    """Return a file after an edit, unchanged where the edit is not for it."""
    taken = TAKEN.get(edit)
    try:
        if taken is not None and taken.search(text.decode("utf-8")):
            return text
        after = cst.parse_module(text).visit(EDITS[edit]()).bytes
        compile(after, "edited", "exec", dont_inherit=True)
    except (cst.ParserSyntaxError, SyntaxError, ValueError, RecursionError):
        return text
    return after


def _signs(found: Sequence[Found]) -> Counter[str]:
    return Counter(f"{each.path} {each.code} {NUMBER.sub('#', each.message)}" for each in found)


def _compare(project: str, edit: str, before: Counter[str], after: Counter[str]) -> Change:
    gone, new = sorted((before - after).elements()), sorted((after - before).elements())
    return Change(project, edit, before.total(), tuple(gone), tuple(new))


def table(changes: Sequence[Change]) -> str:
    """Return the share of findings that each edit changes."""
    rows = [(edit, [each for each in changes if each.edit == edit]) for edit in EDITS]
    rows.append(("all", list(changes)))
    cells = [_cells(name, found) for name, found in rows if found]
    return format_table(["edit", "findings", "gone", "new", "changed"], cells)


def _cells(name: str, changes: Sequence[Change]) -> list[object]:
    before = sum(each.before for each in changes)
    gone, new = sum(len(each.gone) for each in changes), sum(len(each.new) for each in changes)
    changed = sum(max(len(each.gone), len(each.new)) for each in changes)
    return [name, before, gone, new, percent(changed, before)]


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.same", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("projects", nargs="+", type=Path, help="folders, each a project of its own")
    parser.add_argument("--edits", nargs="+", default=list(EDITS), choices=list(EDITS), metavar="EDIT")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Edit the projects, print the table and every finding that changed."""
    asked = read_arguments(arguments)
    changes = []
    for source in asked.projects:
        changes += changes_of(source, asked.edits)
        print(f"{source.name}: {len(asked.edits)} edits", file=sys.stderr)
    print(table(changes))
    for each in changes:
        for sign, lines in (("-", each.gone), ("+", each.new)):
            for line in lines:
                print(f"{sign} {each.edit}: {each.project}/{line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
