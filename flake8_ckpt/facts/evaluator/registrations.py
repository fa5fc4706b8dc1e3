"""Calls that give `self` an attribute: registered buffers, parameters and modules, `setattr`, module lists."""

from __future__ import annotations

import ast

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import RegisterKind
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import pattern_of
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.value_bounds import bounded

REGISTERS: dict[str, RegisterKind] = {
    "register_buffer": "buffer", "register_parameter": "parameter", "register_module": "module",
    "add_module": "module", "add_state": "state",
}  # fmt: skip
KEYWORDS = {"buffer": "tensor", "parameter": "param", "module": "module", "state": "default"}


def register(
    method: str, args: tuple[v.Value, ...], keywords: tuple[tuple[str, v.Value], ...], frame: Frame
) -> v.Value:
    """Note what a registering method of `self` registers, under which name."""
    kind = REGISTERS[method]
    named = dict(keywords)
    name = pattern_of(args[0] if args else named.get("name", v.UNKNOWN))
    value = args[1] if len(args) > 1 else named.get(KEYWORDS[kind], v.UNKNOWN)
    persistent = (args[2] if len(args) > 2 else named.get("persistent")) != v.Const(False)
    after = frame.state.define(name, frame.position.line)
    frame.registers.append(Register(kind, name, value, frame.position, persistent, frame.guards, after))
    frame.state.write(name, frozenset())
    return bounded(v.Call(v.Attr(v.SELF, f"register_{kind}"), (v.Const(name), value)))


def set_attribute(name: v.Value, value: v.Value, frame: Frame, guards: Guards = ()) -> v.Value:
    """Note that an attribute of `self` is set by its name, which may be computed."""
    pattern = pattern_of(name)
    if "*" in pattern or pattern.startswith("$"):
        frame.registers.append(Register("setattr", pattern, value, frame.position, True, frame.guards))
    else:
        before = frame.guards
        frame.guards = (*before, *guards)
        frame.write(pattern, "assign", value)
        frame.guards = before
    return v.NONE


def wrap(node: ast.Call, frame: Frame) -> None:
    """Note that a module list or the like takes what stands in the call: an attribute, a local, their elements."""
    for source in given_to(node):
        while isinstance(source, ast.Call):
            inside = given_to(source)
            if isinstance(source.func, ast.Attribute):
                source = source.func.value
            else:
                source = inside[0] if inside else source.func
        name = source.id if isinstance(source, ast.Name) else self_attribute(source)
        if name is not None:
            frame.wrapped[name] = frame.position
