"""Calls: what they give, and what they do to `self` (change, register, save, load)."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence

import libcst as cst

from flake8_ckpt.facts import expressions as ev
from flake8_ckpt.facts import torch_calls as torchlib
from flake8_ckpt.facts.frame import FLOW
from flake8_ckpt.facts.frame import Frame
from flake8_ckpt.facts.member_values import element_of
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.syntax import pattern_of
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.facts.value_bounds import trimmed
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import NUMBER
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Unknown
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.frameworks.persistence import SAVERS
from flake8_ckpt.frameworks.torch import INPLACE_HARMLESS
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.frameworks.torch import MOVES
from flake8_ckpt.frameworks.torch import OVERWRITES
from flake8_ckpt.frameworks.torch import TENSOR_ONLY

Evaluate = Callable[[cst.BaseExpression, Frame], Value]
NUMBER_FUNCTIONS = frozenset(
    "len int float str bool isinstance issubclass hasattr callable id hash repr ord chr round any all"
    " type".split()
)
CONTAINERS = {
    "list": "list", "tuple": "tuple", "set": "set", "frozenset": "set", "sorted": "list", "reversed": "list",
    "iter": "list", "filter": "list", "deque": "list", "collections.deque": "list",
}  # fmt: skip
DICTS = frozenset(
    ["dict", "OrderedDict", "collections.OrderedDict", "collections.defaultdict", "typing.OrderedDict"]
)
COPIES = frozenset(["copy.copy", "copy.deepcopy", "deepcopy", "typing.cast"])
REGISTERS = {
    "register_buffer": "buffer", "register_parameter": "parameter", "register_module": "module",
    "add_module": "module", "add_state": "state",
}  # fmt: skip
REGISTERED_KEYWORDS = {"buffer": "tensor", "parameter": "param", "module": "module", "state": "default"}
SHAPE_METHODS = frozenset(
    "size dim numel ndimension new_zeros new_ones new_empty new_full new_tensor is_floating_point".split()
)
INSTALLERS = re.compile(r"^_?(set|replace|register|add|attach|install)_\w*(module|layer)s?(_|$)")
COLLECTORS = frozenset("cat concat concatenate hstack vstack".split())
WRAPPERS = frozenset("ModuleList Sequential ModuleDict ParameterList ParameterDict".split())
GROWS = frozenset("append extend insert update setdefault add appendleft".split())
# Calls of a function with another one that they may call later, or not at all.
LATER = frozenset("map filter partial functools.partial".split())
KEEPS_KEYS = re.compile(
    r"(^|[._:])(save|dump|write|load|log|print)"
    r"|(^|[.:])(len|dict|list|copy|deepcopy|append|put|send|isinstance|update)$"
)
# Methods that are noted on objects of which nothing is known, too.
KEPT_METHODS = ("save", "load_running", "set_attr", "load_state_dict", "state_dict")
# Methods of any object that change, save, restore or replace its state, or say how it is used.
EVENTS = re.compile(
    r"^_*(step|train|eval|learn|fit|push|observe|add|partial_fit|normalize\w*|normalise\w*|append|extend|update\w*"
    r"|record\w*|reset\w*|copy_|predict|register_\w+|setdefault|clear|prepare|apply\w*|unscale_|average\w*)$"
    r"|save|load|restore|resume|state|checkpoint|weights|parameters|stats|vec_?norm|set_env|get_env|set_attr|buffer"
)


def call(node: cst.Call, frame: Frame, evaluate: Evaluate) -> Value:
    """Return the value of a call; a dict that is handed to a function may hold more keys after it."""
    value = _call(node, frame, evaluate)
    if frame.contract:
        _open_arguments(node, value, frame)
    return value


def _open_arguments(node: cst.Call, value: Value, frame: Frame) -> None:
    if isinstance(value, Call) and (
        isinstance(value.callee, Name)
        and (value.callee.path in SAVERS or KEEPS_KEYS.search(value.callee.path))
    ):
        return
    for argument in node.args:
        name = argument.value.value if isinstance(argument.value, cst.Name) and not argument.star else ""
        held = frame.state.locals.get(name) if name else None
        if isinstance(held, Record) and not held.open and not _keeps_keys(node):
            frame.follow(held, Record(held.fields, True))


def _keeps_keys(node: cst.Call) -> bool:
    name = node.func.attr.value if isinstance(node.func, cst.Attribute) else getattr(node.func, "value", "")
    return not isinstance(name, str) or KEEPS_KEYS.search(name) is not None


def _call(node: cst.Call, frame: Frame, evaluate: Evaluate) -> Value:
    func = node.func
    if isinstance(func, cst.Attribute):
        attr = _state_attribute(func.value)
        if attr is not None:
            return _on_attribute(attr, func.attr.value, node, frame)
    attr = self_attribute(func)
    if attr is not None:
        return _on_self(attr, SELF, node, frame)
    if isinstance(func, cst.Attribute):
        return _on_value(evaluate(func.value, frame), func, node, frame)
    if isinstance(func, cst.Name) and func.value == "len" and len(node.args) == 1:
        attr = self_attribute(node.args[0].value)
        if attr is not None:
            frame.read(attr, "meta")
            return NUMBER
    callee = evaluate(func, frame)
    args, keywords = arguments(node, frame)
    _note_elements(callee, "element()", frame)
    if isinstance(callee, Name):
        return _global(callee.path, node, args, keywords, frame)
    if isinstance(callee, (Unknown, Const, Number)):
        return UNKNOWN
    value = bounded(Call(callee, args, keywords))
    if frame.contract and isinstance(value, Call):
        frame.flow(callee)
        _site(value, frame)
    return value


def arguments(node: cst.Call, frame: Frame) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]]:
    """Evaluate the arguments; a starred one makes the rest unknown."""
    args: list[Value] = []
    keywords: list[tuple[str, Value]] = []
    for argument in node.args:
        value = ev.evaluate(argument.value, frame)
        if argument.keyword is not None:
            keywords.append((argument.keyword.value, value))
            attr = self_attribute(argument.value)
            if argument.keyword.value == "out" and attr is not None:
                frame.depends.discard(attr)
                frame.write(attr, "inplace", Tensor("data"))
        elif argument.star == "**":
            frame.key(value, "", "wholesale")
            keywords.append(("**", value))
        elif argument.star == "*":
            args.append(Call(Name("*"), (value,)) if isinstance(value, Param) else UNKNOWN)
        else:
            args.append(value)
    return tuple(args), tuple(keywords)


def _state_attribute(node: cst.BaseExpression) -> str | None:
    attr = self_attribute(node)
    if attr is None and isinstance(node, cst.Attribute) and node.attr.value == "data":
        attr = self_attribute(node.value)
    return attr


def _on_attribute(attr: str, method: str, node: cst.Call, frame: Frame) -> Value:
    how = "moved" if method in MOVES else "meta" if method in SHAPE_METHODS else f".{method}"
    inplace = method.endswith("_") and not method.endswith("__") and method not in INPLACE_HARMLESS
    before = set(frame.depends)
    args, keywords = arguments(node, frame)
    if inplace:
        carried = method not in OVERWRITES or method == "set_" and not args
        frame.write(attr, "inplace", args[0] if method == "copy_" and args else Tensor("data"), carried)
        frame.depends |= before
    elif method in GROWS:
        for argument in node.args:
            if isinstance(argument.value, cst.Name):
                frame.aliases.setdefault(argument.value.value, set()).add(attr)
        frame.write(attr, "grow", _grown(method, args, keywords), True)
    elif method == "requires_grad_":
        frame.write(attr, "grad", Tensor(trainable=args[:1] != (Const(False),)))
    frame.read(attr, how)
    if method in ("values", "items", "keys", "copy"):
        return Attr(SELF, attr)
    if method in ("get", "pop") and args:
        _note_get(Attr(SELF, attr), method, args, frame)
    return _event(Call(Attr(Attr(SELF, attr), method), args, keywords), method, frame)


def _grown(method: str, args: Sequence[Value], keywords: Sequence[tuple[str, Value]]) -> Value:
    values = [value for _, value in keywords]
    if not args:
        return join(values) if values else UNKNOWN
    if method in ("extend", "update"):
        first = args[0]
        if isinstance(first, Record):
            return join([field.value for field in first.fields])
        return element_of(first)
    return args[-1]


def _on_self(method: str, base: Value, node: cst.Call, frame: Frame) -> Value:
    if method in REGISTERS:
        return _register(REGISTERS[method], node, frame)
    args, keywords = arguments(node, frame)
    if method == "__setattr__" and len(args) == 2:
        return _set_attribute(node, 0, args[1], frame, ())
    frame.read(method, "call")
    passed = _passed_on(node, args, keywords, frame)
    if passed is not None:
        return passed
    value = bounded(Call(Attr(base, method), args, keywords))
    if isinstance(value, Call):
        frame.flow(value.callee)
        _site(value, frame)
    return value


def _register(kind: str, node: cst.Call, frame: Frame) -> Value:
    args, keywords = arguments(node, frame)
    named = dict(keywords)
    name = pattern_of(args[0] if args else named.get("name", UNKNOWN))
    value = args[1] if len(args) > 1 else named.get(REGISTERED_KEYWORDS[kind], UNKNOWN)
    persistent = (args[2] if len(args) > 2 else named.get("persistent")) != Const(False)
    frame.registers.append(Register(kind, name, value, frame.position, persistent, frame.guards))
    frame.state.written[name] = frozenset()
    return bounded(Call(Attr(SELF, f"register_{kind}"), (Const(name), value)))


def _set_attribute(node: cst.Call, index: int, value: Value, frame: Frame, guards: tuple[str, ...]) -> Value:
    name = pattern_of(ev.evaluate(node.args[index].value, frame))
    if "*" in name or name.startswith("$"):
        frame.registers.append(Register("setattr", name, value, frame.position, True, frame.guards))
    else:
        before = frame.guards
        frame.guards = (*before, *guards)
        frame.write(name, "assign", value)
        frame.guards = before
    return NONE


def _on_value(base: Value, func: cst.Attribute, node: cst.Call, frame: Frame) -> Value:
    method = func.attr.value
    if isinstance(base, Super) and method in REGISTERS:
        return _register(REGISTERS[method], node, frame)
    depends = set(frame.depends)
    args, keywords = arguments(node, frame)
    if method.endswith("_like"):
        frame.depends = depends
    if isinstance(base, (Self, Super)):
        value = bounded(Call(Attr(base, method), args, keywords))
        if isinstance(base, Super) and method == "__setattr__" and len(args) == 2:
            return _set_attribute(node, 0, args[1], frame, ("hidden",))
        if isinstance(value, Call):
            frame.flow(value.callee)
            _site(value, frame)
        return value
    if isinstance(base, Name):
        if base.path == "object" and method == "__setattr__" and len(args) == 3 and args[0] == SELF:
            return _set_attribute(node, 1, args[2], frame, ("hidden",))
        return _global(f"{base.path}.{method}", node, args, keywords, frame)
    passed = _passed_on(node, args, keywords, frame)
    if passed is not None:
        return passed
    _note_elements(base, f"element.{method}", frame)
    _grow_local(func.value, method, args, keywords, frame)
    if method in ("get", "pop") and args:
        _note_get(base, method, args, frame)
    elif method in ("items", "keys", "values"):
        frame.key(base, "", "wholesale")
    return _method(base, method, args, keywords, frame)


def _note_get(base: Value, method: str, args: Sequence[Value], frame: Frame) -> None:
    kind = "defaulted" if len(args) > 1 else "guarded" if method == "get" else "required"
    ev.note_key(frame, base, args[0], kind)


def _grow_local(
    target: cst.BaseExpression,
    method: str,
    args: Sequence[Value],
    keywords: Sequence[tuple[str, Value]],
    frame: Frame,
) -> None:
    if method not in GROWS or not isinstance(target, cst.Name):
        _open_inner(target, method, frame)
        return
    held = frame.state.locals.get(target.value)
    if isinstance(held, Container):
        known = [] if held.size == 0 else [held.of]
        grown = Container(held.kind, join([*known, _grown(method, args, keywords)]))
        frame.bind(
            target.value, bounded(grown), frame.depends | frame.state.taint.get(target.value, frozenset())
        )
    elif isinstance(held, Record):
        added = args[0] if args else Record(tuple(Field(key, value) for key, value in keywords))
        fields = added.fields if isinstance(added, Record) else ()
        opened = held.open or not isinstance(added, Record) or added.open
        grown_record = Record((*held.fields, *fields), opened)
        frame.bind(target.value, grown_record, frame.depends)
        frame.follow(held, grown_record)


def _open_inner(target: cst.BaseExpression, method: str, frame: Frame) -> None:
    """Note that a dict within a payload may hold more keys: `state["config"].update(...)`."""
    while method in GROWS and isinstance(target, cst.Subscript):
        target = target.value
    held = frame.state.locals.get(target.value) if isinstance(target, cst.Name) else None
    if method in GROWS and isinstance(held, Record):
        fields = (Field(each.key, _opened(each.value), each.always) for each in held.fields)
        frame.follow(held, Record(tuple(fields), held.open))


def _opened(value: Value) -> Value:
    if isinstance(value, Record):
        return Record(value.fields, True)
    return UNKNOWN if isinstance(value, Container) else value


def _method(
    base: Value, method: str, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], frame: Frame
) -> Value:
    if isinstance(base, (Tensor, NdArray, Number, Const)):
        return torchlib.call_method(base, method, args)
    if isinstance(base, Module):
        return base if method in MODULE_METHODS else UNKNOWN
    if isinstance(base, Container):
        return (
            base
            if method in ("copy", "values", "items")
            else base.of
            if method in ("get", "pop")
            else UNKNOWN
        )
    if isinstance(base, Record):
        values = [field.value for field in base.fields if args and Const(field.key) == args[0]]
        if method == "copy":
            return Record(base.fields, base.open)
        return values[0] if method in ("get", "pop") and values else UNKNOWN
    if isinstance(base, Unknown):
        if method.startswith(KEPT_METHODS):
            _event(Call(Attr(UNKNOWN, method), args, keywords), method, frame)
        return UNKNOWN
    return _event(Call(Attr(base, method), args, keywords), method, frame)


def _event(value: Call, method: str, frame: Frame) -> Value:
    """Note the call of a method that says something on state, and that what it is given goes into it."""
    if not frame.contract or not EVENTS.search(method):
        return bounded(value)
    noted = trimmed(value)
    if isinstance(noted, Call):
        frame.flow(noted.callee)
        _site(noted, frame)
    return noted


def _global(
    path: str, node: cst.Call, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], frame: Frame
) -> Value:
    builtin = _builtin(path, node, args, keywords, frame)
    if builtin is not None:
        return builtin
    passed = _passed_on(node, args, keywords, frame) if path not in LATER else None
    if passed is not None:
        return passed
    if path in SAVERS:
        value = trimmed(Call(Name(path), args, keywords))
        if isinstance(value, Call):
            _site(value, frame)
        return value
    if path.startswith("torch.nn.init.") and node.args:
        attr = self_attribute(node.args[0].value)
        if attr is not None:
            frame.depends.discard(attr)
            frame.write(attr, "inplace", Tensor("random"))
        return args[0]
    tail = path.rpartition(".")[2].lstrip(":")
    if path.startswith("torch.") and (tail in TENSOR_ONLY) and node.args:
        attr = self_attribute(node.args[0].value)
        if attr is not None:
            frame.read(attr, "tensor")
    if path.startswith("torch.") and tail in COLLECTORS:
        for attr in sorted(each for each in frame.depends if not each.startswith(FLOW)):
            frame.uses.setdefault(attr, {})["cat"] = None
            frame.use_positions.setdefault(attr, frame.position)
    if tail in WRAPPERS or INSTALLERS.search(tail):
        _wrap(node, frame)
    known = torchlib.call_global(path, args, dict(keywords))
    if known is not None:
        return bounded(known)
    if path.startswith("einops."):
        return bounded(Arith(args[:1]))
    value = bounded(Call(Name(path), args, keywords))
    if frame.contract and isinstance(value, Call):
        frame.flow(value.callee)
        _site(value, frame)
    return value


def _passed_on(
    node: cst.Call, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], frame: Frame
) -> Value | None:
    """Return what a function gives that another one is to call: `retry(torch.save, payload, path)`."""
    for index, each in enumerate(args[:-1]):
        if isinstance(each, Name) and each.path in SAVERS:
            return _global(each.path, node, args[index + 1 :], keywords, frame)
    return None


def _wrap(node: cst.Call, frame: Frame) -> None:
    for argument in node.args:
        source = argument.value
        while isinstance(source, cst.Call):
            func = source.func
            source = (
                func.value
                if isinstance(func, cst.Attribute)
                else source.args[0].value
                if source.args
                else func
            )
        name = source.value if isinstance(source, cst.Name) else self_attribute(source)
        if name is not None:
            frame.wrapped[name] = frame.position


def _builtin(
    path: str, node: cst.Call, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], frame: Frame
) -> Value | None:
    if path == "super":
        return Super()
    if path in NUMBER_FUNCTIONS:
        return NUMBER
    if path in CONTAINERS:
        return (
            bounded(Container(CONTAINERS[path], element_of(args[0])))
            if args
            else Container("list", UNKNOWN, 0)
        )
    if path in DICTS:
        for each in args:
            frame.key(each, "", "wholesale")
        return _dict_of(args, keywords)
    if path in ("sum", "max", "min", "abs"):
        return bounded(
            torchlib.combine(
                [element_of(each) if len(args) == 1 and path != "abs" else each for each in args]
            )
        )
    if path in COPIES and args:
        return Record(args[-1].fields, args[-1].open) if isinstance(args[-1], Record) else args[-1]
    if path in ("os.path.join", "pathlib.Path"):
        return bounded(Arith(args)) if args else NUMBER
    if path == "range":
        return Container("list", NUMBER)
    if path == "setattr" and len(args) == 3 and args[0] == SELF:
        return _set_attribute(node, 1, args[2], frame, ())
    if path == "getattr" and len(args) > 1:
        return _get_attribute(args, frame)
    return None


def _dict_of(args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]) -> Value:
    fields = tuple(Field(key, value) for key, value in keywords if key != "**")
    base = args[0] if args else Record(())
    opened = len(fields) != len(keywords)
    if isinstance(base, Record) and (base.fields or fields):
        return Record((*base.fields, *fields), base.open or opened)
    return Container("dict", UNKNOWN, -1 if args or keywords else 0)


def _get_attribute(args: Sequence[Value], frame: Frame) -> Value:
    key = args[1]
    if args[0] == SELF and isinstance(key, Const) and isinstance(key.value, str):
        frame.read(key.value, "plain")
        return Attr(SELF, key.value)
    if isinstance(args[0], (Attr, Local, Param, Call)) and isinstance(key, Const) and isinstance(key.value, str):
        return join([Attr(args[0], key.value), *args[2:]])
    return UNKNOWN


def _note_elements(value: Value, how: str, frame: Frame) -> None:
    base = value.base if isinstance(value, (Element, Item)) else None
    if isinstance(base, Attr) and base.base == SELF:
        frame.read(base.name, how)


def _site(value: Call, frame: Frame) -> None:
    frame.calls.append(Site(value, frame.position, True, frame.guards))
