"""The annotation of an attribute, which a change takes away from where it stands, is kept at class level."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Position
from flake8_ckpt.fixes.attribute_writes import WriteNode
from flake8_ckpt.fixes.attribute_writes import is_annotated
from flake8_ckpt.fixes.suggestion import Site


def annotation_at_class(site: Site, write: WriteNode) -> tuple[Edit, ...]:
    """Return the insertion of `x: Tensor` at the head of the class for a write `self.x: Tensor = value`."""
    class_def, statement = site.class_def, write.statement
    if class_def is None or not isinstance(statement, cst.AnnAssign) or is_annotated(class_def, site.name):
        return ()
    first = _first_below_docstring(class_def)
    if first is None:
        return ()
    place = site.span(_head_of(first))
    is_field = isinstance(first, cst.SimpleStatementLine)
    gap = "\n" if is_field else "\n\n"
    text = f"{site.name}: {site.code(statement.annotation.annotation)}{gap}{' ' * place.col}"
    return (Edit(Position(place.line, place.col, place.line, place.col), text),)


def _first_below_docstring(class_def: cst.ClassDef) -> cst.BaseStatement | None:
    """Return the first statement of a class that is not its docstring, where each has lines of its own."""
    if not isinstance(class_def.body, cst.IndentedBlock):
        return None
    first, *others = class_def.body.body
    is_text = (
        isinstance(first, cst.SimpleStatementLine)
        and isinstance(first.body[0], cst.Expr)
        and isinstance(first.body[0].value, (cst.SimpleString, cst.ConcatenatedString))
    )
    if not is_text:
        return first
    return others[0] if others else None


def _head_of(statement: cst.BaseStatement) -> cst.CSTNode:
    """Return what begins a statement: its first decorator if it has any."""
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)) and statement.decorators:
        return statement.decorators[0]
    return statement
