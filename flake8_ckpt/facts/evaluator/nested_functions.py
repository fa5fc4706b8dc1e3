"""Functions within functions: what they give is known in terms of their parameters, and a call fills those in.

def checked(value):                        # gives (Tensor, Number), whatever it is called with
    value = torch.tensor(value)
    return value, value.ndim
low, dims = checked(low)
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.input_mixing import INPUT
from flake8_ckpt.facts.value_bounds import bounded

Args = tuple[v.Value, ...]
Keywords = tuple[tuple[str, v.Value], ...]


@dataclass(frozen=True)
class NestedFunction:
    """The parameters of a function within a function, and what it gives in terms of them."""

    name: str
    parameters: tuple[str, ...]
    returns: v.Value

    def called(self, args: Args, keywords: Keywords) -> v.Value:
        """Return what a call with some arguments gives."""
        given = {**dict(zip(self.parameters, args)), **dict(keywords)}
        bound = {_stand_in(self.name, each): given.get(each, v.UNKNOWN) for each in self.parameters}
        return bounded(_filled(self.returns, bound))


def bind_parameters(name: str, arguments: ast.arguments, frame: Frame) -> tuple[str, ...]:
    """Bind the parameters of a nested function to what stands for them until it is called; return their names.

    Where payloads are followed nothing is known of them: a key that is read from one is read by no one yet.
    """
    named = tuple(each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))
    for each in named:
        frame.bind(each, v.UNKNOWN if frame.contract else _stand_in(name, each), (INPUT,))
    for starred in (arguments.vararg, arguments.kwarg):
        if starred is not None:
            frame.bind(starred.arg, v.UNKNOWN, (INPUT,))
    return named


def note_function(name: str, parameters: tuple[str, ...], frame: Frame) -> None:
    """Note what a nested function gives that was just walked."""
    given = bounded(v.join(frame.returns)) if frame.returns else v.NONE
    frame.nested[name] = NestedFunction(name, parameters, given).called


def note_lambda(target: ast.expr, node: ast.Lambda, frame: Frame) -> None:
    """Note what a lambda gives that a local names; nothing of its body is noted, it may never be called."""
    if isinstance(target, ast.Name):
        frame.state.enter()
        parameters = bind_parameters(target.id, node.args, frame)
        inside = Frame(frame.names, frame.evaluators, state=frame.state, depth=frame.depth)
        given = inside.evaluate(node.body)
        frame.state.leave()
        frame.nested[target.id] = NestedFunction(target.id, parameters, given).called


def _stand_in(function: str, parameter: str) -> v.Param:
    """Return what stands for a parameter; no parameter of another function is called so."""
    return v.Param(f"{function}.{parameter}")


def _filled(value: v.Value, bound: Mapping[v.Param, v.Value]) -> v.Value:
    if isinstance(value, v.Param):
        return bound.get(value, value)
    if isinstance(value, v.Join):
        return v.join([_filled(each, bound) for each in value.options])
    if isinstance(value, v.Container):
        items = tuple(_filled(each, bound) for each in value.items)
        return v.Container(value.kind, _filled(value.of, bound), value.size, items)
    if isinstance(value, v.Arith):
        return v.Arith(tuple(_filled(each, bound) for each in value.operands))
    if isinstance(value, v.Attr):
        return v.Attr(_filled(value.base, bound), value.name)
    if isinstance(value, v.Item):
        return v.Item(_filled(value.base, bound), value.key)
    if isinstance(value, v.Element):
        return v.Element(_filled(value.base, bound))
    if isinstance(value, v.Call):
        keywords = tuple((name, _filled(each, bound)) for name, each in value.keywords)
        args = tuple(_filled(each, bound) for each in value.args)
        return v.Call(_filled(value.callee, bound), args, keywords)
    return value
