"""The floats, arrays and tensors among the local variables of the user's functions that are at work."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any
from typing import Iterator
from typing import Optional

from flake8_ckpt_recorder.journal import Journal
from flake8_ckpt_recorder.objects import Leaf
from flake8_ckpt_recorder.objects import Objects
from flake8_ckpt_recorder.payloads import Payload
from flake8_ckpt_recorder.places import file_of
from flake8_ckpt_recorder.places import project_frames
from flake8_ckpt_recorder.prints import look

OPTIMIZED = 0x1
MAX_NAMES = 200
KINDS = ("number", "tensor", "array")
Name = tuple[str, str, str]


class Locals:
    """What each name of each function held when it was first seen, and last."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.leaves: dict[Name, Leaf] = {}
        self._news: set[Name] = set()
        # Of what lives when a file is written: what a function gave to its caller may be there by another name.
        self._saved_beside: set[Name] = set()

    def forget(self) -> None:
        """Begin anew, in the child of a fork."""
        self.leaves.clear()
        self._saved_beside.clear()
        self._news.clear()

    def see(self, frame: Optional[FrameType]) -> None:
        """Look at the variables of the frames on the stack."""
        for name, value in _variables(frame):
            sight = look(value, 0)
            if sight is None or sight.kind not in KINDS or type(value) is int:
                continue
            leaf = self.leaves.get(name)
            if leaf is None:
                self.leaves[name] = Leaf("", sight)
            elif not leaf.see(sight):
                continue
            self._news.add(name)

    def cover(self, frame: Optional[FrameType], payload: Payload, file: int) -> None:
        """Note which of them are in the file."""
        for name, value in _variables(frame):
            leaf = self.leaves.get(name)
            if leaf is None:
                continue
            if name not in self._saved_beside:
                self._saved_beside.add(name)
                self._news.add(name)
            if leaf.file is None and payload.holds(value, name[2], leaf.last):
                leaf.file = file
                self._news.add(name)

    def name_objects(self, frame: Optional[FrameType], objects: Objects) -> None:
        """Note which variables hold watched objects, those of the outermost function first."""
        for name, value in reversed(list(_variables(frame))):
            watched = objects.get(value)
            if watched is not None and watched.variable is None and name[2] not in ("self", "cls"):
                watched.variable = name
                watched.is_news = True

    def tell(self) -> None:
        """Write what is new to the journal."""
        for file, function, name in sorted(self._news):
            leaf = self.leaves[file, function, name]
            at_save = (file, function, name) in self._saved_beside
            facts = {"file": file, "function": function, "name": name, "at_save": at_save}
            self.journal.write("local", leaf=leaf.as_json(), **facts)
        self._news.clear()


def _variables(frame: Optional[FrameType]) -> Iterator[tuple[Name, Any]]:
    for each in project_frames(frame):
        code = each.f_code
        function = getattr(code, "co_qualname", code.co_name)
        values = each.f_locals
        found = [(name, value) for name, value in values.items() if name[:2] != "__"][:MAX_NAMES]
        # Before Python 3.13 this is a copy that would keep what it holds alive; that of a module is no copy.
        if sys.version_info < (3, 13) and code.co_flags & OPTIMIZED:
            values.clear()
        yield from (((file_of(each), function, name), value) for name, value in found)
