"""Where a class sets an attribute: what runs before what, and what runs instead of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from flake8_ckpt.confirm.expressions import targets_of
from flake8_ckpt.fixes.piece import Path
from flake8_ckpt.fixes.piece import ways_to


@dataclass(frozen=True)
class WriteNode:
    """A statement that sets `self.x`, with the way from its class to it."""

    path: Path
    statement: cst.CSTNode

    @property
    def method(self) -> str:
        """Return the name of the method around it."""
        return next((each.name.value for each in self.path if isinstance(each, cst.FunctionDef)), "")

    @property
    def function(self) -> cst.CSTNode | None:
        """Return the innermost function around it."""
        return next((each for each in reversed(self.path) if isinstance(each, cst.FunctionDef)), None)

    @cached_property
    def value(self) -> cst.BaseExpression | None:
        """Return what it is set to where the statement sets nothing else, else None."""
        if isinstance(self.statement, cst.Assign) and len(self.statement.targets) == 1:
            is_one = isinstance(self.statement.targets[0].target, cst.Attribute)
            return self.statement.value if is_one else None
        return self.statement.value if isinstance(self.statement, cst.AnnAssign) else None

    def comes_before(self, other: WriteNode) -> bool:
        """Tell whether it always runs before another one that stands further below."""
        block = self.path[-3] if isinstance(self.path[-2], cst.SimpleStatementLine) else self.path[-2]
        return self.function is other.function and any(each is block for each in other.path)


def is_self(node: cst.CSTNode, name: str) -> bool:
    """Tell whether a node is `self.name`."""
    return (
        isinstance(node, cst.Attribute)
        and node.attr.value == name
        and isinstance(node.value, cst.Name)
        and node.value.value == "self"
    )


def writes_in(class_def: cst.ClassDef, name: str) -> list[WriteNode]:
    """Return the statements of a class that bind `self.name` or change it with `+=`, in order."""
    found = []
    for path, node in ways_to(class_def):
        if any(is_self(target, name) for target in targets_of(node)):
            found.append(WriteNode(path, node))
    return found


def class_names(class_def: cst.ClassDef) -> Iterator[str]:
    """Yield the names that a class gives a value: its methods, properties and defaults; not bare annotations."""
    for line in class_def.body.body:
        if isinstance(line, (cst.FunctionDef, cst.ClassDef)):
            yield line.name.value
        for node in getattr(line, "body", ()) if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(node, cst.AnnAssign) and node.value is None:
                continue
            yield from (each.value for each in targets_of(node) if isinstance(each, cst.Name))


def is_annotated(class_def: cst.ClassDef, name: str) -> bool:
    """Tell whether a class says of which type an attribute is."""
    return any(
        isinstance(node, cst.AnnAssign) and isinstance(node.target, cst.Name) and node.target.value == name
        for line in class_def.body.body
        if isinstance(line, cst.SimpleStatementLine)
        for node in line.body
    )


def plain_tensors_of(class_def: cst.ClassDef) -> frozenset[str]:
    """Return the attributes that a class sets to what looks like a tensor and is neither registered nor a module."""
    found = set()
    for _, node in ways_to(class_def):
        if isinstance(node, (cst.Assign, cst.AnnAssign)) and node.value is not None:
            if _makes_tensor(node.value):
                for target in targets_of(node):
                    if isinstance(target, cst.Attribute) and is_self(target, target.attr.value):
                        found.add(target.attr.value)
    return frozenset(found)


def _makes_tensor(value: cst.BaseExpression) -> bool:
    """Tell whether an expression calls something of torch itself: `torch.arange(n) * 2`, not `torch.nn.Linear`."""
    return any(
        isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name)
        and node.value.value == "torch" and node.attr.value not in ("nn", "dtype", "device")
        for _, node in ways_to(value)
    )  # fmt: skip
