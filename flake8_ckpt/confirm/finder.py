"""libcst reads an extract and finds the nodes that are sought in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import libcst as cst
from libcst.metadata import MetadataWrapper
from libcst.metadata import PositionProvider

from flake8_ckpt.confirm.candidate import Candidate
from flake8_ckpt.confirm.candidate import End
from flake8_ckpt.confirm.extract import Extract
from flake8_ckpt.confirm.kinds import WHITESPACE
from flake8_ckpt.confirm.kinds import find_node

# What can be sought begins with one of these.
STATEMENTS = (cst.BaseSmallStatement, cst.BaseCompoundStatement, cst.ExceptHandler, cst.ExceptStarHandler)


def find(extract: Extract, candidates: Sequence[Candidate]) -> Optional[list[Optional[End]]]:
    """Return where the node of each candidate ends, None where it is not found; libcst's own errors come through.

    Return nothing at all where libcst's places are wrong, because its tree is not what it read: it drops the
    blank of `except (A) :`.
    """
    module = cst.parse_module(extract.text)
    # At the end of a text it also drops the line break after a comment that ends in a backslash.
    if module.code.rstrip("\n") != extract.text.rstrip("\n"):
        return None
    finder = _Finder(MetadataWrapper(module, unsafe_skip_copy=True), extract, candidates)
    module.visit(finder)
    return [finder.found.get(each) for each in candidates]


class _Finder(cst.CSTVisitor):
    """Looks at each statement that something is sought at."""

    def __init__(self, wrapper: MetadataWrapper, extract: Extract, candidates: Sequence[Candidate]) -> None:
        super().__init__()
        self.positions = wrapper.resolve(PositionProvider)
        self.extract = extract
        self.scope: tuple[str, ...] = ()
        self.sought: dict[tuple[str, int, int], list[Candidate]] = {}
        for each in candidates:
            self.sought.setdefault((each.scope, each.line, each.col), []).append(each)
        self.found: dict[Candidate, End] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Look at a statement or clause; blocks are gone into."""
        if isinstance(node, STATEMENTS):
            start = self.positions[node].start
            place = ".".join(self.scope), *self.extract.place(start.line, start.column)
            for each in self.sought.get(place, ()):
                self._look(node, each)
        if isinstance(node, (cst.ClassDef, cst.FunctionDef)):
            self.scope = (*self.scope, node.name.value)
        return not isinstance(node, (cst.BaseExpression, cst.BaseSmallStatement))

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Come out of a function or class."""
        if isinstance(original_node, (cst.ClassDef, cst.FunctionDef)):
            self.scope = self.scope[:-1]

    def _look(self, statement: cst.CSTNode, candidate: Candidate) -> None:
        found = find_node(statement, candidate.node)
        if found is not None:
            place = self.positions[found]
            end = place.start if isinstance(found, WHITESPACE) else place.end
            self.found[candidate] = End(*self.extract.place(end.line, end.column))
