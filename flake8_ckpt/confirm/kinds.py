"""The nine kinds of nodes: how libcst finds each in the statement or clause that begins where a candidate is."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from typing import Optional

import libcst as cst

from flake8_ckpt.confirm.expressions import is_part_of
from flake8_ckpt.confirm.expressions import last_name
from flake8_ckpt.confirm.expressions import nodes_of
from flake8_ckpt.confirm.expressions import targets_of
from flake8_ckpt.confirm.expressions import text_of
from flake8_ckpt.findings import Kind
from flake8_ckpt.findings import Node

# Takes a statement or clause and a name. What it returns ends the range: a node by its end, and whitespace,
# which follows a keyword or a heading, by its start.
Find = Callable[[cst.CSTNode, str], Optional[cst.CSTNode]]
WHITESPACE = (cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace)
REGISTRARS = frozenset("register_buffer register_parameter register_module add_module add_state".split())
SETTERS = frozenset(["setattr", "__setattr__"])


def find_node(statement: cst.CSTNode, node: Node) -> Optional[cst.CSTNode]:
    """Return what ends the range of the first kind that is found in a statement or clause."""
    return next((found for kind in node.kinds if (found := FINDERS[kind](statement, node.name))), None)


def _attribute(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    for node in nodes_of(statement):
        for target in targets_of(node):
            if last_name(target) == name or _is_entry(target, name):
                return _whole(node, target)
        if isinstance(node, cst.Call) and last_name(node.func) in SETTERS and _names(node, -2, name):
            return node
    return None


def _is_entry(target: cst.CSTNode, name: str) -> bool:
    """Tell whether an attribute is set through the dict of its object: `self.__dict__["x"]`."""
    if not isinstance(target, cst.Subscript) or last_name(target.value) != "__dict__":
        return False
    index = target.slice[0].slice
    return isinstance(index, cst.Index) and text_of(index.value) in (name, "")


def _whole(node: cst.CSTNode, target: cst.CSTNode) -> cst.CSTNode:
    """Return a whole assignment, but of a loop or `with` only what it binds."""
    return node if isinstance(node, (cst.BaseSmallStatement, cst.NamedExpr)) else target


def _names(call: cst.Call, index: int, name: str) -> bool:
    """Tell whether an argument of a call is a name, as a string or as something that only a run knows."""
    arguments = [each for each in call.args if each.keyword is None]
    arguments = [each for each in call.args if last_name(each.keyword or each) == "name"] or arguments[index:]
    return bool(arguments) and text_of(arguments[0].value) in (name, "")


def _registration(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    for call in _calls(statement):
        if last_name(call.func) in REGISTRARS and _names(call, 0, name):
            return call
    return None


def _mutation(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    for node in nodes_of(statement):
        for target in targets_of(node):
            if is_part_of(target, name):
                return _whole(node, target)
        if isinstance(node, cst.Call):
            method = [node.func.value] if isinstance(node.func, cst.Attribute) else []
            if any(is_part_of(each, name) for each in (*method, *(argument.value for argument in node.args))):
                return node
    return None


def _call(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    return next((call for call in _calls(statement) if name in ("", last_name(call.func))), None)


def _calls(statement: cst.CSTNode) -> Iterator[cst.Call]:
    yield from (node for node in nodes_of(statement) if isinstance(node, cst.Call))


def _definition(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)) and statement.name.value == name:
        return _statement(statement, name)
    return None


def _handler(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    if isinstance(statement, (cst.ExceptHandler, cst.ExceptStarHandler)):
        return statement.whitespace_after_except
    return None


def _condition(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    return statement.whitespace_before_test if isinstance(statement, cst.If) else None


def _import(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    if not isinstance(statement, (cst.Import, cst.ImportFrom)) or isinstance(statement.names, cst.ImportStar):
        return None
    bound = (each.evaluated_alias or each.evaluated_name for each in statement.names)
    return statement if name in bound else None


def _statement(statement: cst.CSTNode, name: str) -> Optional[cst.CSTNode]:
    if isinstance(statement, cst.Match):
        return statement.whitespace_after_colon
    body = getattr(statement, "body", None)
    if isinstance(body, cst.IndentedBlock):
        return body.header
    return body.leading_whitespace if isinstance(body, cst.SimpleStatementSuite) else statement


FINDERS: dict[Kind, Find] = {
    "attribute": _attribute,
    "registration": _registration,
    "mutation": _mutation,
    "call": _call,
    "definition": _definition,
    "handler": _handler,
    "condition": _condition,
    "import": _import,
    "statement": _statement,
}
