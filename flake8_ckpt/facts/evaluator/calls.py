"""Calls: what they give, and what they do to `self` (change, register, save, load)."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from flake8_ckpt.facts import torch_calls as torchlib
from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.builtin_calls import call_builtin
from flake8_ckpt.facts.evaluator.call_traces import note_call
from flake8_ckpt.facts.evaluator.call_traces import note_elements
from flake8_ckpt.facts.evaluator.call_traces import note_event
from flake8_ckpt.facts.evaluator.call_traces import note_site
from flake8_ckpt.facts.evaluator.call_traces import open_arguments
from flake8_ckpt.facts.evaluator.container_growth import GROWS
from flake8_ckpt.facts.evaluator.container_growth import grow_local
from flake8_ckpt.facts.evaluator.container_growth import grown_by
from flake8_ckpt.facts.evaluator.expressions import note_key
from flake8_ckpt.facts.evaluator.frame import FLOW
from flake8_ckpt.facts.evaluator.frame import Evaluate
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.inplace_changes import attribute_shared
from flake8_ckpt.facts.evaluator.inplace_changes import is_inplace
from flake8_ckpt.facts.evaluator.inplace_changes import note_inplace
from flake8_ckpt.facts.evaluator.input_mixing import TAKES_OVER
from flake8_ckpt.facts.evaluator.input_mixing import UNMOVED
from flake8_ckpt.facts.evaluator.input_mixing import left_by
from flake8_ckpt.facts.evaluator.parameter_moves import lies_there
from flake8_ckpt.facts.evaluator.partial_functions import completed
from flake8_ckpt.facts.evaluator.registrations import REGISTERS
from flake8_ckpt.facts.evaluator.registrations import WRAPPERS
from flake8_ckpt.facts.evaluator.registrations import is_module_list
from flake8_ckpt.facts.evaluator.registrations import register
from flake8_ckpt.facts.evaluator.registrations import set_attribute
from flake8_ckpt.facts.evaluator.registrations import takes_members
from flake8_ckpt.facts.evaluator.registrations import wrap
from flake8_ckpt.facts.evaluator.torch_effects import note_torch
from flake8_ckpt.facts.evaluator.weight_changes import note_weights
from flake8_ckpt.facts.key_text import formatted
from flake8_ckpt.facts.model import HIDDEN
from flake8_ckpt.facts.model import KeyKind
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import only_shows
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.frameworks.torch import MOVES
from flake8_ckpt.frameworks.torch import SHAPE_METHODS
from flake8_ckpt.source.tree import dotted

Args = tuple[v.Value, ...]
Keywords = tuple[tuple[str, v.Value], ...]
INSTALLERS = re.compile(r"^_?(set|replace|register|add|attach|install)_\w*(module|layer)s?(_|$)")
# Calls of a function with another one that they may call later, or not at all.
LATER = frozenset("map filter partial functools.partial".split())
# Methods that are noted on objects of which nothing is known, too.
KEPT_METHODS = ("save", "load_running", "set_attr", "load_state_dict", "state_dict")


def _call(node: ast.Call, frame: Frame) -> v.Value:
    """Return the value of a call; a dict that is handed to a function may hold more keys after it.

    What the call is given goes into it, not what else stands in the statement.
    """
    others, showing = frame.depends, frame.showing
    frame.depends = set()
    frame.showing = showing or only_shows(node.func)
    value = _value_of(node, frame)
    frame.leave_behind(left_by(node))
    frame.depends |= others
    frame.showing = showing
    if frame.contract:
        open_arguments(node, value, frame)
    return value


def _value_of(node: ast.Call, frame: Frame) -> v.Value:
    func = node.func
    attr = self_attribute(func)
    if attr is not None:
        return _on_self(attr, node, frame)
    if isinstance(func, ast.Attribute):
        attr = _state_attribute(func.value)
        if attr is not None:
            return _on_attribute(attr, func.attr, node, frame)
        return _on_result(func, node, frame)
    if isinstance(func, ast.Name) and func.id == "len":
        given = given_to(node)
        attr = self_attribute(given[0]) if len(given) == 1 else None
        if attr is not None:
            frame.read(attr, "meta")
            return v.NUMBER
    callee = frame.evaluate(func)
    args, keywords = _arguments(node, frame)
    if isinstance(callee, v.Join):
        return v.join([_called(each, node, args, keywords, frame) for each in callee.options])
    return _called(callee, node, args, keywords, frame)


def _called(callee: v.Value, node: ast.Call, args: Args, keywords: Keywords, frame: Frame) -> v.Value:
    """Return what a call of a value gives: of a global name, of a method that has got another name, of an object."""
    callee, args, keywords = completed(callee, args, keywords)
    note_elements(callee, "element()", frame)
    if isinstance(callee, v.Name):
        return _global(callee.path, node, args, keywords, frame)
    if isinstance(callee, (v.Unknown, v.Const, v.Number)):
        nested = frame.nested.get(dotted(node.func)) if callee == v.UNKNOWN else None
        return nested(args, keywords) if nested is not None else v.UNKNOWN
    value = bounded(v.Call(callee, args, keywords))
    if frame.contract:
        note_call(value, frame)
    return value


def _on_result(func: ast.Attribute, node: ast.Call, frame: Frame) -> v.Value:
    """Evaluate a method call: what its object was made of is not given to the method."""
    before = set(frame.depends)
    base = frame.evaluate(func.value)
    if func.attr in MOVES:
        frame.leave_behind(UNMOVED, isinstance(func.value, ast.Name))
        if isinstance(base, v.Parameter) and lies_there(func, node):
            return base
    made_of, frame.depends = frame.depends, set()
    value = _on_value(base, func, node, frame)
    _forget_destination(func.attr, frame)
    frame.depends |= made_of
    if func.attr in SHAPE_METHODS:
        frame.look_at_shape(before)
    return value


def _forget_destination(method: str, frame: Frame) -> None:
    """Forget what a move is told to move to, and where a copy came from."""
    if method in MOVES:
        frame.depends = {each for each in frame.depends if each.startswith(FLOW)}
    elif method in TAKES_OVER:
        frame.leave_behind(UNMOVED)


def _arguments(node: ast.Call, frame: Frame) -> tuple[Args, Keywords]:
    """Evaluate the arguments; a starred one makes the rest unknown."""
    args: list[v.Value] = []
    handing, keeps = dotted(node.func).endswith("checkpoint"), _only_keeps(node, frame)
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            value = frame.evaluate(argument.value)
            args.append(v.Call(v.Name("*"), (value,)) if isinstance(value, v.Param) else v.UNKNOWN)
        elif handing and self_attribute(argument) is not None:
            frame.handing = True
            args.append(frame.evaluate(argument))
            frame.handing = False
        else:
            args.append(frame.evaluate_kept(argument) if keeps else frame.evaluate(argument))
    return tuple(args), tuple([_keyword(each, keeps, frame) for each in node.keywords])


def _only_keeps(node: ast.Call, frame: Frame) -> bool:
    """Tell whether a call makes an object of a class that is none of torch: it keeps what it is given."""
    name = dotted(node.func)
    return name.rpartition(".")[2][:1].isupper() and not frame.names.resolve(name).startswith("torch.")


def _keyword(keyword: ast.keyword, keeps: bool, frame: Frame) -> tuple[str, v.Value]:
    before = set(frame.depends)
    value = frame.evaluate_kept(keyword.value) if keeps else frame.evaluate(keyword.value)
    if keyword.arg is None:
        frame.key(value, "", "wholesale")
        return "**", value
    attr = self_attribute(keyword.value)
    if keyword.arg == "out" and attr is not None:
        frame.depends = before
        frame.write(attr, "inplace", v.Tensor("data"))
    return keyword.arg, value


def _state_attribute(node: ast.expr) -> str | None:
    attr = self_attribute(node)
    if attr is None and isinstance(node, ast.Attribute) and node.attr == "data":
        attr = self_attribute(node.value)
    return attr


def _on_attribute(attr: str, method: str, node: ast.Call, frame: Frame) -> v.Value:
    how = "moved" if method in MOVES else "meta" if method in SHAPE_METHODS else f".{method}"
    before = set(frame.depends)
    args, keywords = _arguments(node, frame)
    _forget_destination(method, frame)
    if is_inplace(method):
        note_inplace(v.Attr(v.SELF, attr), method, args, frame)
        frame.depends |= before
    elif method in GROWS:
        if takes_members(attr, frame):
            wrap(node, frame)
        for argument in given_to(node):
            if isinstance(argument, ast.Name):
                frame.aliases.setdefault(argument.id, set()).add(attr)
        frame.write(attr, "grow", grown_by(method, args, keywords), True)
    elif method == "reset_parameters":
        frame.write(attr, "weights", v.UNKNOWN)
    elif method == "requires_grad_":
        frame.write(attr, "grad", v.Tensor(trainable=args[:1] != (v.Const(False),)))
    frame.read(attr, how)
    if method in ("values", "items", "keys", "copy"):
        return v.Attr(v.SELF, attr)
    if method in ("get", "pop") and args:
        _note_get(v.Attr(v.SELF, attr), method, args, frame)
    return note_event(v.Call(v.Attr(v.Attr(v.SELF, attr), method), args, keywords), method, frame)


def _on_self(method: str, node: ast.Call, frame: Frame) -> v.Value:
    args, keywords = _arguments(node, frame)
    if method in REGISTERS:
        return register(method, args, keywords, frame)
    if method == "__setattr__" and len(args) == 2:
        return set_attribute(args[0], args[1], frame)
    frame.read(method, "call")
    passed = _passed_on(node, args, keywords, frame)
    if passed is not None:
        return passed
    return note_call(bounded(v.Call(v.Attr(v.SELF, method), args, keywords)), frame)


def _on_value(base: v.Value, func: ast.Attribute, node: ast.Call, frame: Frame) -> v.Value:
    method = func.attr
    depends = set(frame.depends)
    args, keywords = _arguments(node, frame)
    if isinstance(base, v.Super) and method in REGISTERS:
        return register(method, args, keywords, frame)
    if method.endswith(("_like", "_as")):
        frame.depends = depends
    if isinstance(base, (v.Self, v.Super)):
        if isinstance(base, v.Super) and method == "__setattr__" and len(args) == 2:
            return set_attribute(args[0], args[1], frame, (HIDDEN,))
        return note_call(bounded(v.Call(v.Attr(base, method), args, keywords)), frame)
    if isinstance(base, v.Name) and not frame.names.is_variable(base.path):
        if base.path == "object" and method == "__setattr__" and len(args) == 3 and args[0] == v.SELF:
            return set_attribute(args[1], args[2], frame, (HIDDEN,))
        return _global(f"{base.path}.{method}", node, args, keywords, frame)
    passed = _passed_on(node, args, keywords, frame)
    if passed is not None:
        return passed
    note_elements(base, f"element.{method}", frame)
    note_inplace(base, method, args, frame)
    grow_local(func.value, method, args, keywords, frame)
    if method in GROWS and isinstance(func.value, ast.Name):
        given = (each.id for each in given_to(node) if isinstance(each, ast.Name))
        frame.gathered.setdefault(func.value.id, set()).update(given)
    if method in GROWS and is_module_list(base):
        wrap(node, frame)
    if is_inplace(method):
        note_weights(base, frame)
    if method in ("get", "pop") and args:
        _note_get(base, method, args, frame)
    elif method in ("items", "values"):
        frame.key(base, "", "wholesale")
    return _method(base, method, args, keywords, frame)


def _note_get(base: v.Value, method: str, args: Sequence[v.Value], frame: Frame) -> None:
    kind: KeyKind = "guarded" if method == "get" else "required"
    note_key(frame, base, args[0], "defaulted" if len(args) > 1 else kind)


def _method(base: v.Value, method: str, args: Args, keywords: Keywords, frame: Frame) -> v.Value:
    if method == "format" and isinstance(base, v.Const) and isinstance(base.value, str):
        return formatted(base.value)
    if isinstance(base, (v.Tensor, v.NdArray, v.Number, v.Const)):
        return torchlib.call_method(base, method, args, dict(keywords))
    if isinstance(base, v.Module):
        return base if method in MODULE_METHODS else v.UNKNOWN
    if isinstance(base, v.Container):
        if method in ("copy", "values", "items"):
            return base
        return base.of if method in ("get", "pop") else v.UNKNOWN
    if isinstance(base, v.Record):
        values = [field.value for field in base.fields if args and v.Const(field.key) == args[0]]
        if method == "copy":
            return v.Record(base.fields, base.open)
        return values[0] if method in ("get", "pop") and values else v.UNKNOWN
    if isinstance(base, v.Unknown):
        if method.startswith(KEPT_METHODS):
            note_event(v.Call(v.Attr(v.UNKNOWN, method), args, keywords), method, frame)
        return v.UNKNOWN
    return note_event(v.Call(v.Attr(base, method), args, keywords), method, frame)


def _global(path: str, node: ast.Call, args: Args, keywords: Keywords, frame: Frame) -> v.Value:
    builtin = call_builtin(path, args, keywords, frame)
    if builtin is not None:
        return builtin
    passed = _passed_on(node, args, keywords, frame) if path not in LATER else None
    if passed is not None:
        return passed
    if path in frame.names.known.payload_calls:
        value = bounded(v.Call(v.Name(path), args, keywords))
        if isinstance(value, v.Call):
            note_site(value, frame)
        return value
    tail = path.rpartition(".")[2].lstrip(":")
    if tail in WRAPPERS or INSTALLERS.search(tail):
        wrap(node, frame)
    if path.startswith("torch."):
        initialized = note_torch(path, tail, node, args, keywords, frame)
        if initialized is not None:
            return initialized
    is_object = frame.names.known.is_object(path)
    known = None if is_object else torchlib.call_global(path, _as_numbers(args, frame), dict(keywords))
    if known is not None:
        if frame.contract and isinstance(known, v.Module) and any(map(_is_made, args)):
            note_site(v.Call(v.Name(path), args), frame)
        return bounded(known)
    if path.startswith("einops."):
        return bounded(v.Arith(args[:1]))
    value = bounded(v.Call(v.Name(path), args, keywords))
    if frame.contract or any(map(attribute_shared, (*args, *dict(keywords).values()))):
        note_call(value, frame)
    return value


def _is_made(value: v.Value) -> bool:
    """Tell whether a value is an object that the function made: it becomes a part of what it is given to."""
    return isinstance(value, v.Local)


def _as_numbers(args: Args, frame: Frame) -> Args:
    """Return arguments with Number for the parameters that are numbers."""
    return tuple(
        v.NUMBER if isinstance(each, v.Param) and each.name in frame.numbers else each for each in args
    )


def _passed_on(node: ast.Call, args: Args, keywords: Keywords, frame: Frame) -> v.Value | None:
    """Return what a function gives that another one is to call: `retry(torch.save, payload, path)`."""
    for index, each in enumerate(args[:-1]):
        if isinstance(each, v.Name) and each.path in frame.names.known.payload_calls:
            return _global(each.path, node, args[index + 1 :], keywords, frame)
    return None


HANDLERS: dict[type, Evaluate] = {ast.Call: _call}
