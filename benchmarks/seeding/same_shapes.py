"""Edits that change nothing: comments, temporaries, parentheses, blocks, and the order of methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import libcst as cst
from libcst import matchers as m

Statement = Union[cst.BaseStatement, cst.FlattenSentinel[cst.BaseStatement], cst.RemovalSentinel]
# `self.x = ...` and `x[...] = ...` on a line of their own.
_STORE = m.SimpleStatementLine([m.Assign(targets=[m.AssignTarget(target=m.Attribute() | m.Subscript())])])
_MADE = "made_value"


class AddComments(cst.CSTTransformer):
    """Every statement gets a comment in the words of checkpoints above it."""

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement:
        """Put the comment above the line."""
        comment = cst.EmptyLine(comment=cst.Comment("# restore the optimizer state from the checkpoint"))
        return updated_node.with_changes(leading_lines=[*updated_node.leading_lines, comment])


class AddDocstrings(cst.CSTTransformer):
    """Functions without a docstring get one that speaks of saving."""

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        """Put the docstring first."""
        body = updated_node.body
        if not isinstance(body, cst.IndentedBlock) or updated_node.get_docstring() is not None:
            return updated_node
        line = cst.parse_statement('"""Save and load the state, register_buffer and all."""')
        return updated_node.with_changes(body=body.with_changes(body=[line, *body.body]))


class UseTemporaries(cst.CSTTransformer):
    """`self.x = f()` becomes `made = f()` and `self.x = made`."""

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Statement:
        """Make two lines of one."""
        if not m.matches(
            updated_node,
            m.SimpleStatementLine([m.Assign(targets=[m.AssignTarget(m.Attribute())], value=m.Call())]),
        ):
            return updated_node
        assign = cst.ensure_type(updated_node.body[0], cst.Assign)
        first = assign.with_changes(targets=[cst.AssignTarget(cst.Name(_MADE))])
        second = assign.with_changes(value=cst.Name(_MADE))
        line = cst.SimpleStatementLine([second])
        return cst.FlattenSentinel([updated_node.with_changes(body=[first]), line])


class AddParentheses(cst.CSTTransformer):
    """What is assigned stands in parentheses."""

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        """Put one more pair around a call."""
        if not isinstance(updated_node.value, cst.Call):
            return updated_node
        value = updated_node.value
        lpar, rpar = [cst.LeftParen(), *value.lpar], [*value.rpar, cst.RightParen()]
        return updated_node.with_changes(value=value.with_changes(lpar=lpar, rpar=rpar))


class Wrap(cst.CSTTransformer):
    """Stores stand in a block of their own."""

    def __init__(self, block: str) -> None:
        """Take the source of a block whose body gives way to the store."""
        super().__init__()
        self.block = block

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement:
        """Put a store into the block."""
        if not m.matches(updated_node, _STORE):
            return updated_node
        block = cst.parse_statement(self.block)
        if not isinstance(block, (cst.If, cst.Try)):
            raise TypeError(f"no block: {self.block}")
        return block.with_changes(body=cst.IndentedBlock([updated_node]))


class ReturnByName(cst.CSTTransformer):
    """`return {...}` becomes `result = {...}` and `return result`."""

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Statement:
        """Make two lines of one."""
        if not m.matches(updated_node, m.SimpleStatementLine([m.Return(value=m.Dict() | m.Call())])):
            return updated_node
        value = cst.ensure_type(updated_node.body[0], cst.Return).value
        assert value is not None
        first = cst.Assign([cst.AssignTarget(cst.Name("result_value"))], value)
        second = cst.Return(cst.Name("result_value"))
        return cst.FlattenSentinel(
            [updated_node.with_changes(body=[first]), cst.SimpleStatementLine([second])]
        )


class SpellOutCounting(cst.CSTTransformer):
    """`self.n += 1` becomes `self.n = self.n + 1`, for whole numbers only."""

    def leave_AugAssign(
        self, original_node: cst.AugAssign, updated_node: cst.AugAssign
    ) -> Union[cst.Assign, cst.AugAssign]:
        """Write the sum."""
        if not m.matches(
            updated_node,
            m.AugAssign(
                target=m.Attribute(value=m.Name()) | m.Name(), operator=m.AddAssign(), value=m.Integer()
            ),
        ):
            return updated_node
        total = cst.BinaryOperation(updated_node.target, cst.Add(), updated_node.value)
        return cst.Assign([cst.AssignTarget(updated_node.target)], total)


class AnnotateStores(cst.CSTTransformer):
    """`self.x = ...` becomes `self.x: object = ...`."""

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> Union[cst.Assign, cst.AnnAssign]:
        """Annotate a single attribute of a name."""
        if not m.matches(updated_node, m.Assign(targets=[m.AssignTarget(m.Attribute(value=m.Name()))])):
            return updated_node
        return cst.AnnAssign(
            updated_node.targets[0].target, cst.Annotation(cst.Name("object")), updated_node.value
        )


class ReverseMethods(cst.CSTTransformer):
    """The plain methods of a class stand in the opposite order."""

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        """Turn round a class whose methods have neither decorators nor a name in common."""
        body = updated_node.body
        methods = [each for each in body.body if isinstance(each, cst.FunctionDef)]
        names = [each.name.value for each in methods]
        if len(set(names)) < len(names) or any(each.decorators for each in methods):
            return updated_node
        if not isinstance(body, cst.IndentedBlock) or _defines_by_value(body.body):
            return updated_node
        turned = iter(reversed(methods))
        order = [next(turned) if isinstance(each, cst.FunctionDef) else each for each in body.body]
        return updated_node.with_changes(body=body.with_changes(body=order))


def _defines_by_value(body: Sequence[cst.BaseStatement]) -> bool:
    """Tell whether a class does more than define: `load = restore` needs the method above it."""
    docstring = m.SimpleStatementLine([m.Expr(m.SimpleString() | m.ConcatenatedString())])
    return not all(isinstance(each, cst.FunctionDef) or m.matches(each, docstring) for each in body)


class ClassesUnderIf(cst.CSTTransformer):
    """The classes of a module stand under `if True:`."""

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        """Put each class into a block."""
        return updated_node.with_changes(body=[_under_if(each) for each in updated_node.body])


def _under_if(node: cst.BaseStatement) -> cst.BaseStatement:
    if not isinstance(node, cst.ClassDef):
        return node
    return cst.If(cst.Name("True"), cst.IndentedBlock([node.with_changes(leading_lines=[])]))
