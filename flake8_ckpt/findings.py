"""What a rule reports: a finding, the node that shows it, the other places it speaks of, and how to mend it."""

from __future__ import annotations

from typing import Literal
from typing import Protocol

from msgspec import Struct

# What a rule can point at; `flake8_ckpt/confirm/kinds.py` says how each is found.
Kind = Literal[
    "attribute",  # an assignment to an attribute, of any shape
    "registration",  # a call that registers a buffer, parameter, module or metric state
    "mutation",  # a change of what an attribute holds: an item, a growing list, a call in place
    "call",
    "definition",  # the heading of a function or class
    "handler",  # the keyword of an `except` clause
    "condition",  # the keyword of an `if`
    "import",
    "statement",  # any statement, the heading where it has blocks
]

# How much a change may do to those who load old checkpoints: see `Fix`.
Safety = Literal["safe", "unsafe", "shown"]


class Position(Struct, frozen=True, order=True, array_like=True, gc=False):
    """A range of source text: lines count from 1, columns from 0, in characters."""

    line: int
    col: int
    end_line: int
    end_col: int


class Related(Struct, frozen=True, order=True):
    """Another place that a finding is about; `path` is relative to the root."""

    path: str
    position: Position
    message: str


class Node(Struct, frozen=True, order=True):
    """What stands where a finding begins: the first of `kinds` that libcst finds there, of this name.

    The name is that of the attribute, what is called, defined or imported; where it is empty any will do.
    Without kinds there is nothing to find.
    """

    kinds: tuple[Kind, ...] = ()
    name: str = ""


class Fix(Struct, frozen=True, order=True):
    """How a finding is mended: the codemod in `fixes` of this name, and what that has to know beside the file.

    "safe" cannot break loading an existing checkpoint and cannot change outputs, "unsafe" may, and "shown" is
    never applied. The codemod may find that a change is less safe than its rule says, never that it is safer.
    `reason` says in a few words what keeps it from being safer.
    """

    name: str = ""
    safety: Safety = "shown"
    arguments: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    def get(self, argument: str) -> str:
        """Return an argument, or an empty string."""
        return dict(self.arguments).get(argument, "")


class Edit(Struct, frozen=True, order=True):
    """A range of a file, and the text that takes its place; its newlines are line feeds."""

    position: Position
    text: str


class Finding(Struct, frozen=True, order=True):
    """One lost thing; `path` is relative to the root and has forward slashes.

    A rule gives the statement; once libcst has found the `node`, the position ends where the node ends and the
    finding is `exact`. `attribute` is what is lost if it is one, else `key` its key in the checkpoint or its name;
    `class_name` is the class around the position, `symbol` the class or function around it, both qualified.
    Without a name its `fix` is none.
    """

    path: str
    position: Position
    code: str
    message: str
    related: tuple[Related, ...] = ()
    node: Node = Node()
    attribute: str = ""
    class_name: str = ""
    exact: bool = False
    key: str = ""
    symbol: str = ""
    fix: Fix = Fix()


class Confirmed(Struct, frozen=True):
    """The findings of a file, and the candidates whose node libcst does not find, which is our own fault."""

    findings: tuple[Finding, ...] = ()
    lost: tuple[Finding, ...] = ()


class Spot(Struct, frozen=True):
    """A place in the project."""

    path: str
    position: Position

    def __str__(self) -> str:
        return f"{self.path}:{self.position.line}"


class WriteSite(Protocol):
    """A statement that sets or changes an attribute."""

    @property
    def location(self) -> Spot:
        """Return where it stands."""

    @property
    def node(self) -> Node:
        """Return what it is; the name is that of the attribute."""
