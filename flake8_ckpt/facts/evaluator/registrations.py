"""Calls that give `self` an attribute: registered buffers, parameters and modules, `setattr`, module lists."""

from __future__ import annotations

import ast

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import RegisterKind
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import patterns_of
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.value_bounds import bounded

REGISTERS: dict[str, RegisterKind] = {
    "register_buffer": "buffer", "register_parameter": "parameter", "register_module": "module",
    "add_module": "module", "add_state": "state",
}  # fmt: skip
WRAPPERS = frozenset("ModuleList Sequential ModuleDict ParameterList ParameterDict".split())
KEYWORDS = {"buffer": "tensor", "parameter": "param", "module": "module", "state": "default"}


def register(
    method: str, args: tuple[v.Value, ...], keywords: tuple[tuple[str, v.Value], ...], frame: Frame
) -> v.Value:
    """Note what a registering method of `self` registers, under which name."""
    kind = REGISTERS[method]
    named = dict(keywords)
    names = patterns_of(args[0] if args else named.get("name", v.UNKNOWN))
    value = args[1] if len(args) > 1 else named.get(KEYWORDS[kind], v.UNKNOWN)
    persistent = (args[2] if len(args) > 2 else named.get("persistent")) != v.Const(False)
    for name in names:
        after = frame.state.define(name, frame.position.line)
        frame.registers.append(Register(kind, name, value, frame.position, persistent, frame.guards, after))
        frame.state.write(name, frozenset())
    return bounded(v.Call(v.Attr(v.SELF, f"register_{kind}"), (v.Const(names[0]), value)))


def set_attribute(name: v.Value, value: v.Value, frame: Frame, guards: Guards = ()) -> v.Value:
    """Note that an attribute of `self` is set by its name, which may be computed."""
    for pattern in patterns_of(name):
        if "*" in pattern or pattern.startswith("$"):
            frame.registers.append(Register("setattr", pattern, value, frame.position, True, frame.guards))
        else:
            before = frame.guards
            frame.guards = (*before, *guards)
            frame.write(pattern, "assign", value)
            frame.guards = before
    return v.NONE


def is_module_list(value: v.Value) -> bool:
    """Tell whether a value is a module that holds others."""
    return isinstance(value, v.Module) and value.path.rpartition(".")[2] in WRAPPERS


def takes_members(attr: str, frame: Frame) -> bool:
    """Tell whether an attribute was set to a module list in this function."""
    return any(each.attr == attr and is_module_list(each.value) for each in frame.writes)


def wrap(node: ast.Call, frame: Frame) -> None:
    """Note that a module list or the like takes what stands in the call: an attribute, a local, their elements."""
    for source in given_to(node):
        source = _iterated(source)
        while isinstance(source, ast.Call):
            inside = given_to(source)
            if isinstance(source.func, ast.Attribute):
                source = source.func.value
            elif isinstance(source.func, ast.Name) and source.func.id == "filter":
                source = inside[-1] if inside else source.func
            else:
                source = inside[0] if inside else source.func
        name = _name_of(source)
        if name is not None:
            frame.wrapped[name] = frame.position
    for name in _taken_one_by_one(node):
        frame.wrapped[name] = frame.position


def _taken_one_by_one(node: ast.Call) -> set[str]:
    """Return the names of which a call is given several elements: `Sequential(self.parts[0], self.parts[1])`."""
    indexed = [_name_of(each.value) for each in given_to(node) if isinstance(each, ast.Subscript)]
    return {name for name in indexed if name is not None and indexed.count(name) > 1}


def _name_of(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else self_attribute(node)


def _iterated(node: ast.expr) -> ast.expr:
    """Return what a comprehension takes its elements from as they are, or the node itself."""
    if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.DictComp)):
        element = node.value if isinstance(node, ast.DictComp) else node.elt
        loop = node.generators[-1]
        targets = [each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)]
        if isinstance(element, ast.Name) and element.id in targets:
            return loop.iter
    return node
