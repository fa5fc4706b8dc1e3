"""How a function writes the keys of a checkpoint, and how it restores them, as far as that is written out.

checkpoint = {"policy": self.policy.state_dict()}       an entry of the key "policy"
self.policy.load_state_dict(checkpoint["policy"])       a restore of it: `self.policy` from `checkpoint`
self.step = checkpoint["step"]                          a plain one
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from flake8_ckpt.confirm.expressions import last_name
from flake8_ckpt.confirm.expressions import text_of
from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Position
from flake8_ckpt.fixes.piece import OutOfReach
from flake8_ckpt.fixes.piece import Path
from flake8_ckpt.fixes.piece import Piece
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import Site


@dataclass(frozen=True)
class Scope:
    """The function, or what the module itself runs, around a place of the finding's own file."""

    piece: Piece
    path: Path

    @classmethod
    def at(cls, site: Site, path: str, position: Position) -> Scope | None:
        """Return the scope at a place, None where that is in another file or cannot be read."""
        if path != site.finding.path:
            return None
        try:
            piece = site.piece.source.piece_at(position.line)
            found = cls(piece, piece.path_to(position.line, position.col))
            if any(isinstance(each, (cst.FunctionDef, cst.ClassDef)) for each in found.path):
                return found
            whole = site.piece.source.whole()
            return cls(whole, whole.path_to(position.line, position.col))
        except OutOfReach:
            return None

    @classmethod
    def of(cls, site: Site) -> Scope:
        """Return the scope around a finding."""
        return cls.at(site, site.finding.path, site.finding.position) or cls(site.piece, site.path)

    @property
    def root(self) -> cst.CSTNode:
        """Return the innermost function around the place, or the module."""
        found = [each for each in self.path if isinstance(each, cst.FunctionDef)]
        return found[-1] if found else self.path[0]

    @property
    def is_conditional(self) -> bool:
        """Tell whether the place stands in a block within its function."""
        below = self.path[[each is self.root for each in self.path].index(True) + 1 :]
        return any(isinstance(each, (cst.If, cst.For, cst.While, cst.Try, cst.With)) for each in below)

    def owner(self) -> str:
        """Return the class around the place with the line it begins on, or an empty string."""
        found = [each for each in self.path if isinstance(each, cst.ClassDef)]
        return f"{found[-1].name.value}:{self.piece.span(found[-1]).line}" if found else ""

    def shares_names(self, other: Scope, code: str) -> bool:
        """Tell whether an expression means the same in two scopes: in one function, or `self.x` in one class."""
        place, there = (each.piece.span(each.root).line for each in (self, other))
        if place == there and self.piece.first == other.piece.first:
            return True
        return code.startswith("self.") and self.owner() == other.owner() != ""


@dataclass(frozen=True)
class Restore:
    """A statement that takes a key out of a payload: by `load_state_dict`, or by an assignment."""

    path: Path
    statement: cst.BaseSmallStatement
    payload: str
    key: str
    into: str
    is_loaded: bool
    is_plain: bool

    @property
    def saved(self) -> str:
        """Return what a save would write under the key."""
        return f"{self.into}.state_dict()" if self.is_loaded else self.into


def restores_in(scope: Scope) -> list[Restore]:
    """Return the statements of a scope that restore a key of a payload, in order."""
    ways = ways_to(scope.root)
    return [
        each
        for path, node in ways
        if isinstance(node, cst.BaseSmallStatement)
        for each in _restore(scope, path)
    ]


def _restore(scope: Scope, path: Path) -> Iterator[Restore]:
    statement = path[-1]
    code = scope.piece.code
    if isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
        call = statement.value
        taken = _taken(call.args[0].value) if call.args else None
        if taken and isinstance(call.func, cst.Attribute) and last_name(call.func) == "load_state_dict":
            yield Restore(path, statement, *taken, code(call.func.value), True, True)
    if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
        target, plain = statement.targets[0].target, _taken(statement.value)
        inner = (found for _, node in ways_to(statement.value) if (found := _taken(node)))
        taken = plain or next(inner, None)
        if taken and isinstance(target, (cst.Name, cst.Attribute)):
            yield Restore(path, statement, *taken, code(target), False, plain is not None)


def _taken(node: cst.CSTNode) -> tuple[str, str] | None:
    """Return the payload and the key of `payload["key"]` or `payload.get("key", ...)`."""
    if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name) and len(node.slice) == 1:
        index = node.slice[0].slice
        key = text_of(index.value) if isinstance(index, cst.Index) else ""
        return (node.value.value, key) if key else None
    if isinstance(node, cst.Call) and last_name(node.func) in ("get", "pop") and node.args:
        owner = node.func.value if isinstance(node.func, cst.Attribute) else None
        key = text_of(node.args[0].value)
        return (owner.value, key) if isinstance(owner, cst.Name) and key else None
    return None


def written_dict(scope: Scope) -> cst.Dict | None:
    """Return the dict with literal keys that the statement of a scope saves, returns or binds, if there is just one."""
    statement = scope.path[-1]
    shown = [node for _, node in ways_to(statement) if isinstance(node, cst.Dict) and _is_written_out(node)]
    if shown:
        return shown[0]
    names = {node.value for _, node in ways_to(statement) if isinstance(node, cst.Name)}
    bound = [
        node.value
        for _, node in ways_to(scope.root)
        if isinstance(node, cst.Assign) and isinstance(node.value, cst.Dict) and _is_written_out(node.value)
        and isinstance(node.targets[0].target, cst.Name) and node.targets[0].target.value in names
    ]  # fmt: skip
    return bound[0] if len(bound) == 1 else None


def _is_written_out(node: cst.Dict) -> bool:
    return bool(node.elements) and all(
        isinstance(each, cst.DictElement) and text_of(each.key) for each in node.elements
    )


def value_of(scope: Scope, key: str) -> str:
    """Return the code that the statement of a scope writes under a key, or an empty string."""
    for _, node in ways_to(scope.path[-1]):
        if isinstance(node, cst.Assign) and isinstance(node.targets[0].target, cst.Subscript):
            taken = _taken(node.targets[0].target)
            if taken is not None and taken[1] == key:
                return scope.piece.code(node.value)
    payload = written_dict(scope)
    for each in payload.elements if payload is not None else ():
        if isinstance(each, cst.DictElement) and text_of(each.key) == key:
            return scope.piece.code(each.value)
    return ""


def with_entry(scope: Scope, payload: cst.Dict, entry: str) -> Edit:
    """Return the insertion of an entry behind the last one of a dict, on a line of its own where that has one."""
    last = payload.elements[-1]
    end = scope.piece.span(last.value)
    first = scope.piece.span(last.key if isinstance(last, cst.DictElement) else last.value)
    is_apart = scope.piece.span(payload).line < first.line
    text = f",\n{' ' * first.col}{entry}" if is_apart else f", {entry}"
    return Edit(Position(end.end_line, end.end_col, end.end_line, end.end_col), text)


def lines_after(scope: Scope, path: Path, *lines: str) -> Edit | None:
    """Return the insertion of lines below a statement that stands on lines of its own."""
    line = next((each for each in reversed(path) if isinstance(each, cst.SimpleStatementLine)), None)
    if line is None or len(line.body) != 1:
        return None
    span = scope.piece.span(line)
    text = scope.piece.source.lines.text(span.line)
    indent = text[: len(text) - len(text.lstrip())]
    if len(indent) != span.col:
        return None
    below = span.end_line + 1
    return Edit(Position(below, 0, below, 0), "".join(f"{indent}{each}\n" for each in lines))
