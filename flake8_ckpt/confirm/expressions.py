"""What libcst's nodes say to the kinds: names, what a statement binds, and what stands in its heading."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

# What has a range, or is looked at, by itself.
APART = (
    cst.BaseCompoundStatement,
    cst.BaseSuite,
    cst.Decorator,
    cst.Else,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.Finally,
    cst.MatchCase,
)


class _Gathering(cst.CSTVisitor):
    """Gathers the nodes of a statement without those of its blocks, outer ones first."""

    def __init__(self, root: cst.CSTNode) -> None:
        super().__init__()
        self.root = root
        self.found: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Take a node and go on below it."""
        if node is not self.root and isinstance(node, APART):
            return False
        self.found.append(node)
        return True


def nodes_of(statement: cst.CSTNode) -> list[cst.CSTNode]:
    """Return the nodes of a statement, of one with blocks those of its heading, outer ones first."""
    gathering = _Gathering(statement)
    statement.visit(gathering)
    return gathering.found


def last_name(node: cst.CSTNode) -> str:
    """Return the last part of a dotted name, or an empty string."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def text_of(node: cst.CSTNode) -> str:
    """Return the text of a plain string, or an empty string."""
    value = node.evaluated_value if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)) else None
    return value if isinstance(value, str) else ""


def is_part_of(node: cst.CSTNode, attribute: str) -> bool:
    """Tell whether an expression is an attribute or something of it: `self.x[0]`, `self.x.data`, `self.x.t()`."""
    while isinstance(node, (cst.Attribute, cst.Subscript, cst.Call)):
        if isinstance(node, cst.Attribute) and node.attr.value == attribute:
            return True
        node = node.func if isinstance(node, cst.Call) else node.value
    return False


def targets_of(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Yield what a node binds or deletes, the elements of a tuple one by one."""
    if isinstance(node, cst.Assign):
        for target in node.targets:
            yield from _elements(target.target)
    elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.For, cst.CompFor, cst.NamedExpr, cst.Del)):
        yield from _elements(node.target)
    elif isinstance(node, cst.AsName):
        yield from _elements(node.name)


def _elements(target: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from _elements(element.value)
    else:
        yield target
