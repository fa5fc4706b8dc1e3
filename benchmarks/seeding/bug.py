"""The record of a bug that is put into a project, and the codes that may report it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from benchmarks.seeding.scratch import Found
from benchmarks.seeding.source_file import Edit

Kind = Literal[
    "key not written",
    "key not restored",
    "object on neither side",
    "written under another key",
    "read under another key",
    "buffer made plain",
    "module list made a list",
    "parameter made plain",
    "buffer made non-persistent",
]
_PAIR = frozenset({"CKP201", "CKP202", "CKP203", "CKP206"})
_LISTED = frozenset({"CKP103", "CKP104", "CKP105"})
EXPECTED: dict[Kind, frozenset[str]] = {
    "key not written": frozenset({"CKP201", "CKP202", "CKP206"}),
    "key not restored": frozenset({"CKP203", "CKP206"}),
    "object on neither side": frozenset({"CKP204", "CKP206", "CKP207"}),
    "written under another key": _PAIR,
    "read under another key": _PAIR,
    "buffer made plain": frozenset(
        {"CKP101", "CKP102", "CKP103", "CKP104", "CKP106", "CKP108", "CKP109", "CKP110", "CKP112"}
    ),
    "module list made a list": _LISTED,
    "parameter made plain": _LISTED,
    "buffer made non-persistent": frozenset({"CKP107"}),
}
NEAR = 3  # lines between an edit and a finding that speaks of it


@dataclass(frozen=True)
class Bug:
    """A bug: its edits, the line and the names a finding would give, and how to say it."""

    kind: Kind
    edits: tuple[Edit, ...]
    line: int
    names: tuple[str, ...]
    shown: str
    ambiguous: bool = False

    def is_named_by(self, found: Found) -> bool:
        """Tell whether a finding of an expected code says one of the bug's names."""
        if found.code not in EXPECTED[self.kind]:
            return False
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", found.message) for name in self.names)

    def is_reported_by(self, found: Found) -> bool:
        """Tell whether a finding of an expected code names the bug or sits at one of its edits."""
        here = any(each.path == found.path for each in self.edits) and abs(found.line - self.line) <= NEAR
        return self.is_named_by(found) or here and found.code in EXPECTED[self.kind]
