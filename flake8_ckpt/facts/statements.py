"""The walk through one function's statements, in the order they run, branch by branch.

Statements of libcst's tree are paired with those of the stdlib's, which know their lines.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Union

import libcst as cst

from flake8_ckpt.facts import expressions as ev
from flake8_ckpt.facts import torch_calls as torchlib
from flake8_ckpt.facts.branch_guards import Quiet
from flake8_ckpt.facts.branch_guards import conditions
from flake8_ckpt.facts.branch_guards import narrow
from flake8_ckpt.facts.except_clauses import forgives_keys
from flake8_ckpt.facts.except_clauses import handlers_of
from flake8_ckpt.facts.frame import SYMBOLIC
from flake8_ckpt.facts.frame import Frame
from flake8_ckpt.facts.key_guards import asked_in
from flake8_ckpt.facts.key_guards import fetched_in
from flake8_ckpt.facts.member_values import element_of
from flake8_ckpt.facts.member_values import item_of
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.model import Skip
from flake8_ckpt.facts.names import imported
from flake8_ckpt.facts.path_states import merge
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.findings import Position
from flake8_ckpt.frameworks.torch import VIEWS
from flake8_ckpt.source.tree import is_idle

Statement = Union[cst.BaseSmallStatement, cst.BaseCompoundStatement]
Locate = Callable[[ast.stmt], Position]


def flatten(suite: Union[cst.BaseSuite, cst.Module]) -> Iterator[Statement]:
    """Yield the statements of a block one by one, as the stdlib's tree lists them."""
    if isinstance(suite, cst.SimpleStatementSuite):
        yield from suite.body
        return
    for line in suite.body:
        if isinstance(line, cst.SimpleStatementLine):
            yield from line.body
        elif isinstance(line, cst.BaseCompoundStatement):
            yield line


class Walker:
    """Walks one function; what it sees is on its frame."""

    def __init__(self, frame: Frame, locate: Locate) -> None:
        self.frame = frame
        self.locate = locate

    def block(self, suite: Union[cst.BaseSuite, cst.Module], nodes: list[ast.stmt]) -> None:
        """Walk a block; what follows an `if` that leaves runs under its opposite."""
        guards = self.frame.guards
        for statement, node in zip(flatten(suite), nodes):
            if self.frame.state.dead:
                break
            self.statement(statement, node)
        self.frame.guards = guards

    def statement(self, statement: Statement, node: ast.stmt) -> None:
        """Walk one statement."""
        self.frame.position = self.locate(node)
        self.frame.depends = set()
        if is_idle(node):
            self.frame.state.dead = isinstance(node, ast.Raise)
            return
        handler = HANDLERS.get(type(statement))
        if handler is not None:
            handler(self, statement, node)

    def branch(self, suite: cst.BaseSuite, nodes: list[ast.stmt], guards: tuple[str, ...]) -> None:
        """Walk a block under more conditions."""
        before = self.frame.guards
        self.frame.guards = tuple(dict.fromkeys((*before, *guards)))
        self.block(suite, nodes)
        self.frame.guards = before
        if self.frame.contract and isinstance(nodes[-1], (ast.Return, ast.Raise)):
            self.frame.leaves.append((nodes[0].lineno, nodes[-1].lineno))


def _assign(walker: Walker, statement: cst.Assign, node: ast.stmt) -> None:
    value = ev.evaluate(statement.value, walker.frame)
    if all(_is_unread(target.target, walker.frame.text) for target in statement.targets):
        _throw_away(value, walker.frame)
    for target in statement.targets:
        assign(target.target, value, statement.value, walker.frame)


def _is_unread(target: cst.BaseExpression, text: str) -> bool:
    """Tell whether nothing looks at a local: it is `_`, or its name stands nowhere else in the function."""
    if isinstance(target, cst.Tuple):
        return all(_is_unread(element.value, text) for element in target.elements)
    return isinstance(target, cst.Name) and (target.value == "_" or text.count(target.value) == 1)


def _throw_away(value: Value, frame: Frame) -> None:
    """Note that nothing looks at a value, if it is the result of the last call."""
    if frame.calls and frame.calls[-1].call is value:
        last = frame.calls.pop()
        frame.calls.append(Site(last.call, last.position, False, last.guards))


def _annotated(walker: Walker, statement: cst.AnnAssign, node: ast.stmt) -> None:
    if statement.value is not None:
        value = ev.evaluate(statement.value, walker.frame)
        assign(statement.target, value, statement.value, walker.frame)


def assign(target: cst.BaseExpression, value: Value, source: cst.BaseExpression | None, frame: Frame) -> None:
    """Assign a value to a target of any shape."""
    attr = self_attribute(target)
    if attr is not None:
        if isinstance(source, cst.Name):
            frame.aliases.setdefault(source.value, set()).add(attr)
        frame.write(
            attr, "moved" if source is not None and _is_moved(source, attr) else "assign", bounded(value)
        )
    elif isinstance(target, cst.Name):
        frame.bind(target.value, value, frame.depends)
    elif isinstance(target, (cst.Tuple, cst.List)):
        _unpack(target, value, source, frame)
    elif isinstance(target, cst.Subscript):
        owner = self_attribute(target.value)
        if owner is not None and isinstance(source, cst.Name):
            frame.aliases.setdefault(source.value, set()).add(owner)
        _assign_item(target, value, frame)
    elif isinstance(target, cst.Attribute):
        _assign_field(target, value, frame)


def _unpack(
    target: cst.Tuple | cst.List, value: Value, source: cst.BaseExpression | None, frame: Frame
) -> None:
    sources = (
        source.elements
        if isinstance(source, cst.Tuple) and len(source.elements) == len(target.elements)
        else None
    )
    depends = set(frame.depends)
    for index, element in enumerate(target.elements):
        if sources is not None:
            frame.depends = set()
            each = ev.evaluate(sources[index].value, frame)
        else:
            each = UNKNOWN if isinstance(element, cst.StarredElement) else item_of(value, Const(index))
        assign(element.value, each, None, frame)
        frame.depends = set(depends)


def _is_moved(source: cst.BaseExpression, attr: str) -> bool:
    node = source
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value not in VIEWS:
            return False
        node = node.func.value
    if isinstance(node, cst.Call) and node.args and isinstance(node.func, cst.Name):
        return False
    return node is not source and self_attribute(node) == attr


def _assign_item(target: cst.Subscript, value: Value, frame: Frame, carried: bool = False) -> None:
    root: cst.BaseExpression = target.value
    while isinstance(root, cst.Subscript) or isinstance(root, cst.Attribute) and root.attr.value == "data":
        root = root.value
    attr = self_attribute(root)
    key = ev.subscript_key(target, frame)
    if attr is not None:
        frame.write(attr, "item", bounded(value), carried or not _is_whole(target))
    elif isinstance(root, cst.Name) and root.value in frame.state.locals:
        held = frame.local(root.value)
        if target.value is root and isinstance(held, (Record, Container)):
            frame.store(Item(Local(root.value, UNKNOWN), key), bounded(value))
        if not isinstance(held, SYMBOLIC):
            keys = (*_outer_keys(target.value, frame), key)
            filled = _with_items(held, keys, value)
            frame.bind(root.value, filled, frame.depends)
            frame.follow(held, filled)
    if frame.contract:
        base = Quiet(frame).evaluate(target.value)
        if isinstance(base, SYMBOLIC) and isinstance(key, Const):
            frame.store(Item(base, key), bounded(value))


def _is_whole(target: cst.Subscript) -> bool:
    part = target.slice[0].slice
    if len(target.slice) != 1:
        return False
    if isinstance(part, cst.Slice):
        return part.lower is None and part.upper is None
    return isinstance(part, cst.Index) and isinstance(part.value, cst.Ellipsis)


def _outer_keys(node: cst.BaseExpression, frame: Frame) -> tuple[Value, ...]:
    """Return the keys that lead to a dict within a dict: a and b for `state[a][b]`."""
    if not isinstance(node, cst.Subscript):
        return ()
    return (*_outer_keys(node.value, frame), ev.subscript_key(node, Quiet(frame).frame))


def _with_items(held: Value, keys: tuple[Value, ...], value: Value) -> Value:
    """Return what a local holds when something is set under a key, or under keys one within another."""
    if len(keys) == 1 or not isinstance(held, Record):
        return _with_item(held, keys[-1], value)
    return _with_item(held, keys[0], _with_items(item_of(held, keys[0]), keys[1:], value))


def _with_item(held: Value, key: Value, value: Value) -> Value:
    if isinstance(key, Const) and isinstance(key.value, str):
        fields = held.fields if isinstance(held, Record) else ()
        if isinstance(held, Record) or held == Container("dict", UNKNOWN, 0):
            kept = tuple(field for field in fields if field.key != key.value)
            opened = held.open if isinstance(held, Record) else False
            return Record((*kept, Field(key.value, bounded(value))), opened)
    if isinstance(held, Record):
        return Record(held.fields, True)
    if isinstance(held, Container):
        return bounded(Container(held.kind, join([value] if held.size == 0 else [held.of, value])))
    return held


def _assign_field(target: cst.Attribute, value: Value, frame: Frame) -> None:
    attr = self_attribute(target.value)
    name = target.attr.value
    if attr is not None and name == "data":
        frame.write(attr, "inplace", bounded(value))
    elif attr is not None and name == "requires_grad":
        frame.write(attr, "grad", Tensor(trainable=value != Const(False)))
    elif isinstance(target.value, cst.Name) and name == "requires_grad":
        held = frame.state.locals.get(target.value.value)
        if isinstance(held, Tensor):
            frame.state.locals[target.value.value] = Tensor(held.origin, value != Const(False))
    else:
        base = ev.evaluate(target.value, frame)
        if isinstance(base, SYMBOLIC) or isinstance(base, Module):
            frame.store(Attr(base, name), bounded(value))


def _augmented(walker: Walker, statement: cst.AugAssign, node: ast.stmt) -> None:
    frame = walker.frame
    value = ev.evaluate(statement.value, frame)
    attr = self_attribute(statement.target)
    if attr is not None:
        grown = element_of(value) if isinstance(value, Container) else None
        frame.read_own(attr)
        if grown is not None:
            frame.write(attr, "grow", grown, True)
        else:
            frame.write(attr, "augment", bounded(torchlib.combine((Attr(SELF, attr), value))), True)
    elif isinstance(statement.target, cst.Name):
        held = frame.local(statement.target.value)
        combined = (
            ev._join_containers(held, value)
            if isinstance(held, Container)
            else torchlib.combine((held, value))
        )
        frame.bind(statement.target.value, bounded(combined), frame.depends)
    elif isinstance(statement.target, cst.Subscript):
        _assign_item(statement.target, value, frame, True)
    elif isinstance(statement.target, cst.Attribute) and statement.target.attr.value == "data":
        attr = self_attribute(statement.target.value)
        if attr is not None:
            frame.write(attr, "inplace", bounded(value), True)


def _expression(walker: Walker, statement: cst.Expr, node: ast.stmt) -> None:
    _throw_away(ev.evaluate(statement.value, walker.frame), walker.frame)


def _return(walker: Walker, statement: cst.Return, node: ast.stmt) -> None:
    if statement.value is not None:
        value = bounded(ev.evaluate(statement.value, walker.frame))
        walker.frame.returns.append(value)
        walker.frame.store(Name("return"), value)
    walker.frame.state.dead = True


def _leave(walker: Walker, statement: cst.Break | cst.Continue, node: ast.stmt) -> None:
    walker.frame.state.dead = True


def _assert(walker: Walker, statement: cst.Assert, node: ast.stmt) -> None:
    then, _ = conditions(statement.test, walker.frame)
    narrow(then, walker.frame)


def _delete(walker: Walker, statement: cst.Del, node: ast.stmt) -> None:
    target = statement.target
    targets = [each.value for each in target.elements] if isinstance(target, cst.Tuple) else [target]
    for each in targets:
        attr = self_attribute(each)
        if attr is not None:
            walker.frame.write(attr, "delete", UNKNOWN)


def _import(walker: Walker, statement: cst.Import | cst.ImportFrom, node: ast.stmt) -> None:
    for name, path in imported([node]):
        walker.frame.bind(name, Name(path), ())


def _if(walker: Walker, statement: cst.If, node: ast.If) -> None:
    frame, position = walker.frame, walker.frame.position
    first = len(frame.key_reads)
    then, otherwise = conditions(statement.test, frame)
    asked = asked_in(node.test, then, first, frame)
    first = len(frame.key_reads)
    before = frame.state
    frame.state = before.copy()
    narrow(then, frame)
    walker.branch(statement.body, node.body, then)
    taken = frame.state
    asked += fetched_in(node.test, first, frame)
    if asked and statement.orelse is None and not taken.dead:
        frame.skips.append(Skip(tuple(asked), position))
    frame.state = before.copy()
    narrow(otherwise, frame)
    if isinstance(statement.orelse, cst.If):
        inner = frame.guards
        frame.guards = tuple(dict.fromkeys((*inner, *otherwise)))
        walker.statement(statement.orelse, node.orelse[0])
        frame.guards = inner
    elif statement.orelse is not None:
        walker.branch(statement.orelse.body, node.orelse, otherwise)
    frame.state = merge([taken, frame.state])
    if taken.dead and not frame.state.dead:
        frame.guards = tuple(
            dict.fromkeys((*frame.guards, *(each for each in otherwise if each != "branch")))
        )


def _repeat(walker: Walker, statement: cst.For | cst.While, node: ast.For | ast.While) -> None:
    frame = walker.frame
    before = frame.state
    frame.state = before.copy()
    if isinstance(statement, cst.For):
        ev.bind_loop(statement.target, statement.iter, frame)
        assign_loop_target(statement.target, frame)
    else:
        ev.test(statement.test, frame)
    walker.branch(statement.body, node.body, ("loop",))
    frame.state.dead = False
    after = frame.state
    frame.state = merge([before, after])
    for attr in after.written:
        frame.state.written.setdefault(attr, after.written[attr])
    _keep_filled(before.locals, after.locals, frame)
    if statement.orelse is not None:
        walker.block(statement.orelse.body, node.orelse)


def _keep_filled(before: dict[str, Value], after: dict[str, Value], frame: Frame) -> None:
    """Take a container that was empty before a loop as filled after it, and a record as the loop left it."""
    for name, value in before.items():
        if isinstance(value, Container) and value.size == 0 or isinstance(value, Tensor):
            frame.state.locals[name] = after.get(name, value)


def assign_loop_target(target: cst.BaseExpression, frame: Frame) -> None:
    """Note a loop that assigns to an attribute of `self`."""
    attr = self_attribute(target)
    if attr is not None:
        frame.write(attr, "assign", UNKNOWN)


def _with(walker: Walker, statement: cst.With, node: ast.With) -> None:
    for item in statement.items:
        value = ev.evaluate(item.item, walker.frame)
        if item.asname is not None:
            assign(item.asname.name, value, None, walker.frame)
    walker.block(statement.body, node.body)


def _try(walker: Walker, statement: cst.Try | cst.TryStar, node: ast.Try) -> None:
    frame = walker.frame
    before, lenient = frame.state.copy(), frame.lenient
    frame.handlers.extend(handlers_of(node, walker.locate) if frame.contract else ())
    frame.lenient = lenient or any(forgives_keys(handler) for handler in node.handlers)
    walker.block(statement.body, node.body)
    frame.lenient = lenient
    if statement.orelse is not None:
        walker.block(statement.orelse.body, node.orelse)
    ends = [frame.state]
    handlers: Sequence[cst.ExceptHandler | cst.ExceptStarHandler] = statement.handlers
    for handler, each in zip(handlers, node.handlers):
        frame.state = before.copy()
        walker.branch(handler.body, each.body, ("branch",))
        ends.append(frame.state)
    frame.state = merge(ends)
    if statement.finalbody is not None:
        dead, frame.state.dead = frame.state.dead, False
        walker.block(statement.finalbody.body, node.finalbody)
        frame.state.dead = frame.state.dead or dead


def _match(walker: Walker, statement: cst.Match, node: ast.Match) -> None:
    frame = walker.frame
    frame.key(ev.evaluate(statement.subject, frame), "", "wholesale")
    before = frame.state
    ends = [before]
    for case, each in zip(statement.cases, node.cases):
        frame.state = before.copy()
        walker.branch(case.body, each.body, ("branch",))
        ends.append(frame.state)
    frame.state = merge(ends)


def _function(walker: Walker, statement: cst.FunctionDef, node: ast.FunctionDef) -> None:
    frame = walker.frame
    saved, returns = frame.state, frame.returns
    frame.state, frame.returns = saved.copy(), []
    for name in parameter_names(node.args):
        frame.bind(name, UNKNOWN, ())
    walker.branch(statement.body, node.body, ("branch", "nested"))
    frame.state, frame.returns = saved, returns
    frame.bind(statement.name.value, UNKNOWN, ())


def _class(walker: Walker, statement: cst.ClassDef, node: ast.stmt) -> None:
    walker.frame.bind(statement.name.value, Name(walker.frame.names.resolve(statement.name.value)), ())


def parameter_names(arguments: ast.arguments) -> list[str]:
    """Return the names of all parameters."""
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    return [each.arg for each in every if each is not None]


HANDLERS: dict[type, Callable[[Walker, Any, Any], None]] = {
    cst.Assign: _assign,
    cst.AnnAssign: _annotated,
    cst.AugAssign: _augmented,
    cst.Expr: _expression,
    cst.Return: _return,
    cst.Break: _leave,
    cst.Continue: _leave,
    cst.Assert: _assert,
    cst.Del: _delete,
    cst.Import: _import,
    cst.ImportFrom: _import,
    cst.If: _if,
    cst.For: _repeat,
    cst.While: _repeat,
    cst.With: _with,
    cst.Try: _try,
    cst.TryStar: _try,
    cst.Match: _match,
    cst.FunctionDef: _function,
    cst.ClassDef: _class,
}
