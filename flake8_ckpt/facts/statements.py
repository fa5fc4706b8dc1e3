"""The walk through one function's statements, in the order they run, branch by branch."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.annotation import believed
from flake8_ckpt.facts.assignments import assign
from flake8_ckpt.facts.assignments import augment
from flake8_ckpt.facts.assignments import count_by
from flake8_ckpt.facts.conditions.branch_guards import conditions
from flake8_ckpt.facts.conditions.branch_guards import decided
from flake8_ckpt.facts.conditions.branch_guards import narrow
from flake8_ckpt.facts.conditions.except_clauses import forgives_keys
from flake8_ckpt.facts.conditions.except_clauses import handlers_of
from flake8_ckpt.facts.conditions.key_guards import asked_in
from flake8_ckpt.facts.conditions.key_guards import fetched_in
from flake8_ckpt.facts.conditions.scopes import Scope
from flake8_ckpt.facts.conditions.scopes import is_end
from flake8_ckpt.facts.conditions.scopes import scopes
from flake8_ckpt.facts.evaluator.call_traces import is_last_call
from flake8_ckpt.facts.evaluator.call_traces import throw_away
from flake8_ckpt.facts.evaluator.displays import bind_loop
from flake8_ckpt.facts.evaluator.expressions import test
from flake8_ckpt.facts.evaluator.frame import MAX_DEPTH
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.nested_functions import bind_parameters
from flake8_ckpt.facts.evaluator.nested_functions import note_function
from flake8_ckpt.facts.evaluator.nested_functions import note_lambda
from flake8_ckpt.facts.evaluator.path_states import Changes
from flake8_ckpt.facts.evaluator.sweeps import counter_of
from flake8_ckpt.facts.model import BRANCH
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import NESTED
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.model import Skip
from flake8_ckpt.facts.names import imported
from flake8_ckpt.facts.progress.loop_numbers import forget_counted
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.syntax import without_star
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.findings import Position
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import defaults_of
from flake8_ckpt.source.tree import is_idle

Locate = Callable[[ast.stmt], Position]
UNTOUCHED = Changes()


class Walker:
    """Walks one function; what it sees is on its frame."""

    def __init__(self, frame: Frame, locate: Locate) -> None:
        self.frame = frame
        self.locate = locate

    def block(self, nodes: list[ast.stmt]) -> None:
        """Walk a block; what follows an `if` that leaves runs under its opposite."""
        if self.frame.depth >= MAX_DEPTH:
            return
        guards, scope = self.frame.guards, self.frame.scope
        self.frame.depth += 1
        for node in nodes:
            if self.frame.state.dead:
                break
            self.statement(node)
        self.frame.mix()
        self.frame.depth -= 1
        self.frame.guards, self.frame.scope = guards, scope

    def statement(self, node: ast.stmt) -> None:
        """Walk one statement."""
        self.start(node)
        if is_idle(node):
            self.frame.state.dead = isinstance(node, ast.Raise)
            return
        handler = HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node)

    def start(self, node: ast.stmt) -> None:
        """Note where the statement stands to which the next facts belong."""
        self.frame.mix()
        self.frame.position = self.locate(node)
        self.frame.depends = set()

    def branch(self, nodes: list[ast.stmt], guards: Guards) -> None:
        """Walk a block under more conditions."""
        before = self.frame.guards
        self.frame.guards = together(before, guards)
        self.block(nodes)
        self.frame.guards = before
        if self.frame.contract and isinstance(nodes[-1], (ast.Return, ast.Raise)):
            self.frame.leaves.append((nodes[0].lineno, nodes[-1].lineno))


def together(guards: Guards, others: Guards) -> Guards:
    """Return the conditions of two sets, each once."""
    return tuple(dict.fromkeys((*guards, *others)))


def _assign(walker: Walker, node: ast.Assign) -> None:
    frame = walker.frame
    value = frame.evaluate(node.value)
    if isinstance(node.value, ast.Lambda):
        note_lambda(node.targets[0], node.value, frame)
    if is_last_call(value, frame) and all(_is_unread(target, frame.text) for target in node.targets):
        throw_away(frame)
    for target in node.targets:
        assign(target, value, node.value, frame)


def _is_unread(target: ast.expr, text: str) -> bool:
    """Tell whether nothing looks at a local: it is `_`, or its name stands nowhere else in the function."""
    if isinstance(target, ast.Tuple):
        return all(_is_unread(without_star(element), text) for element in target.elts)
    return isinstance(target, ast.Name) and (target.id == "_" or text.count(target.id) == 1)


def _annotated(walker: Walker, node: ast.AnnAssign) -> None:
    if node.value is not None:
        value = believed(walker.frame.evaluate(node.value), node.annotation, walker.frame.names)
        assign(node.target, value, node.value, walker.frame)


def _augmented(walker: Walker, node: ast.AugAssign) -> None:
    augment(node.target, walker.frame.evaluate(node.value), walker.frame)


def _expression(walker: Walker, node: ast.Expr) -> None:
    if is_last_call(walker.frame.evaluate(node.value), walker.frame):
        throw_away(walker.frame)
    walker.frame.state.dead = walker.frame.state.dead or is_end(node.value)


def _return(walker: Walker, node: ast.Return) -> None:
    if node.value is not None:
        value = bounded(walker.frame.evaluate(node.value))
        walker.frame.returns.append(value)
        walker.frame.give_back()
        walker.frame.store(v.Name("return"), value)
    walker.frame.state.dead = True


def _leave(walker: Walker, node: ast.Break | ast.Continue) -> None:
    walker.frame.state.dead = True


def _assert(walker: Walker, node: ast.Assert) -> None:
    then, _ = conditions(node.test, walker.frame)
    narrow(then, walker.frame)


def _delete(walker: Walker, node: ast.Delete) -> None:
    for target in node.targets:
        for each in target.elts if isinstance(target, ast.Tuple) else [target]:
            attr = self_attribute(each)
            if attr is not None:
                walker.frame.write(attr, "delete", v.UNKNOWN)


def _import(walker: Walker, node: ast.Import | ast.ImportFrom) -> None:
    for name, path in imported([node]):
        walker.frame.bind(name, v.Name(path), ())


def _if(walker: Walker, node: ast.If) -> None:
    """Walk an `if` and what follows it under `elif`: a ladder of any length, each step inside the one before."""
    always = decided(node.test)
    if always is not None:
        walker.block(node.body if always else node.orelse)
        return
    frame = walker.frame
    steps: list[tuple[Guards, Changes, Guards, tuple[Scope, Scope, Scope]]] = []
    step: ast.If | None = node
    while step is not None:
        walker.start(step)
        around, (then, unless) = frame.scope, scopes(step.test) if frame.contract else ((), ())
        frame.scope = (*around, *then)
        taken, otherwise = _taken(walker, step)
        steps.append((frame.guards, taken, otherwise, (around, then, unless)))
        frame.state.enter()
        narrow(otherwise, frame)
        frame.scope = (*around, *unless)
        following = _elif(step)
        if following is not None:
            frame.guards = together(frame.guards, otherwise)
        elif step.orelse:
            walker.branch(step.orelse, otherwise)
        step = following
    for guards, taken, otherwise, (around, then, unless) in reversed(steps):
        frame.guards = guards
        other = frame.state.leave()
        frame.scope = (*around, *(unless if taken.dead else then if other.dead else ()))
        frame.state.join([taken, other])
        if taken.dead and not frame.state.dead:
            known = tuple(each for each in otherwise if each.kind not in ("branch", "option"))
            frame.guards = together(guards, known)


def _taken(walker: Walker, node: ast.If) -> tuple[Changes, Guards]:
    """Walk the body of an `if`; return what it changes, and what holds where it is not taken."""
    frame, position = walker.frame, walker.frame.position
    first = len(frame.key_reads)
    then, otherwise = conditions(node.test, frame)
    asked = asked_in(node.test, then, first, frame)
    first = len(frame.key_reads)
    frame.state.enter()
    narrow(then, frame)
    walker.branch(node.body, then)
    taken = frame.state.leave()
    asked += fetched_in(node.test, first, frame)
    if asked and not node.orelse and not taken.dead:
        frame.skips.append(Skip(tuple(asked), position))
    return taken, otherwise


def _elif(node: ast.If) -> ast.If | None:
    """Return the `elif` that follows: an `if` alone in `orelse`, at the column of the first."""
    inner = node.orelse[0] if len(node.orelse) == 1 else None
    return inner if isinstance(inner, ast.If) and inner.col_offset == node.col_offset else None


def _for(walker: Walker, node: ast.For | ast.AsyncFor) -> None:
    forget_counted(node, walker.frame)
    walker.frame.state.enter()
    bind_loop(node.target, node.iter, walker.frame)
    attr = self_attribute(node.target)
    if attr is not None:
        count_by(attr, node.iter, walker.frame)
    before, counter = set(walker.frame.sweeps), counter_of(node)
    walker.frame.sweeps |= {counter} if counter is not None else set()
    _repeat(walker, node)
    walker.frame.sweeps = before


def _while(walker: Walker, node: ast.While) -> None:
    forget_counted(node, walker.frame)
    walker.frame.state.enter()
    test(node.test, walker.frame)
    _repeat(walker, node)


def _repeat(walker: Walker, node: ast.For | ast.AsyncFor | ast.While) -> None:
    """Walk the body of a loop that was entered, and leave it; what it writes counts as written after it."""
    state = walker.frame.state
    walker.branch(node.body, (LOOP,))
    state.dead = False
    changes = state.leave()
    before = {name: state.locals.get(name) for name in changes.locals}
    state.join([UNTOUCHED, changes])
    for attr, depends in changes.written.items():
        if attr not in state.written:
            state.write(attr, depends)
    for name, value in before.items():
        if isinstance(value, v.Tensor) or isinstance(value, v.Container) and value.size == 0:
            state.hold(name, changes.locals[name])  # an empty container counts as filled
    if node.orelse:
        walker.block(node.orelse)


def _with(walker: Walker, node: ast.With | ast.AsyncWith) -> None:
    for item in node.items:
        value = walker.frame.evaluate(item.context_expr)
        if item.optional_vars is not None:
            assign(item.optional_vars, value, None, walker.frame)
    walker.block(node.body)


def _try(walker: Walker, node: ast.Try) -> None:
    frame, lenient = walker.frame, walker.frame.lenient
    frame.handlers.extend(handlers_of(node, walker.locate) if frame.contract else ())
    frame.state.enter()
    frame.lenient = lenient or any(forgives_keys(handler) for handler in node.handlers)
    walker.block(node.body)
    frame.lenient = lenient
    walker.block(node.orelse)
    ends = [frame.state.leave()]
    for handler in node.handlers:
        frame.state.enter()
        walker.branch(handler.body, (BRANCH,))
        ends.append(frame.state.leave())
    frame.state.join(ends)
    if node.finalbody:
        dead, frame.state.dead = frame.state.dead, False
        walker.block(node.finalbody)
        frame.state.dead = frame.state.dead or dead


def _match(walker: Walker, node: ast.Match) -> None:
    frame = walker.frame
    frame.key(frame.evaluate(node.subject), "", "wholesale")
    ends = [UNTOUCHED]
    for case in node.cases:
        frame.state.enter()
        walker.branch(case.body, (BRANCH,))
        ends.append(frame.state.leave())
    frame.state.join(ends)


def _function(walker: Walker, node: Function) -> None:
    frame, returns = walker.frame, walker.frame.returns
    for default in defaults_of(node):
        frame.evaluate(default)
    frame.state.enter()
    frame.returns = []
    parameters = bind_parameters(node.name, node.args, frame)
    walker.branch(node.body, (BRANCH, NESTED))
    frame.state.leave()
    note_function(node.name, parameters, frame)
    frame.returns = returns
    frame.bind(node.name, v.UNKNOWN, ())


def _class(walker: Walker, node: ast.ClassDef) -> None:
    walker.frame.bind(node.name, v.Name(walker.frame.names.resolve(node.name)), ())


HANDLERS: dict[type, Callable[[Walker, Any], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Expr: _expression,
    ast.Return: _return,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.Match: _match,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
}
if sys.version_info >= (3, 11):
    HANDLERS[ast.TryStar] = _try
