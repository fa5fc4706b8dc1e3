"""Calls: what they give, and what they do to `self` (change, register, save, load)."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence

import libcst as cst

from flake8_ckpt.facts import evaluate as ev
from flake8_ckpt.facts import torchlib
from flake8_ckpt.facts.access import element_of
from flake8_ckpt.facts.frame import Frame
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import Site
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
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Unknown
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import bounded
from flake8_ckpt.facts.values import join

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
SAVERS = frozenset(
    "torch.save torch.load torch.jit.load pickle.dump pickle.load pickle.dumps pickle.loads joblib.dump"
    " joblib.load numpy.savez numpy.savez_compressed numpy.save numpy.load safetensors.torch.save_file"
    " safetensors.torch.load_file cloudpickle.dump cloudpickle.load dill.dump dill.load".split()
)
CONTRACT_METHODS = frozenset(
    "save load state_dict load_state_dict save_checkpoint load_checkpoint save_state load_state"
    " get_weights set_weights get_parameters set_parameters restore resume".split()
)


def call(node: cst.Call, frame: Frame, evaluate: Evaluate) -> Value:
    """Return the value of a call."""
    func = node.func
    if isinstance(func, cst.Attribute):
        attr = _state_attribute(func.value)
        if attr is not None:
            return _on_attribute(attr, func.attr.value, node, frame)
    attr = ev.self_attribute(func)
    if attr is not None:
        return _on_self(attr, SELF, node, frame)
    if isinstance(func, cst.Attribute):
        return _on_value(evaluate(func.value, frame), func, node, frame)
    if isinstance(func, cst.Name) and func.value == "len" and len(node.args) == 1:
        attr = ev.self_attribute(node.args[0].value)
        if attr is not None:
            frame.read(attr, "meta")
            return NUMBER
    callee = evaluate(func, frame)
    args, keywords = arguments(node, frame)
    _note_elements(callee, "element()", frame)
    if isinstance(callee, Name):
        return _global(callee.path, node, args, keywords, frame)
    return UNKNOWN if isinstance(callee, (Unknown, Const, Number)) else bounded(Call(callee, args, keywords))


def arguments(node: cst.Call, frame: Frame) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]]:
    """Evaluate the arguments; a starred one makes the rest unknown."""
    args: list[Value] = []
    keywords: list[tuple[str, Value]] = []
    for argument in node.args:
        value = ev.evaluate(argument.value, frame)
        if argument.keyword is not None:
            keywords.append((argument.keyword.value, value))
            attr = ev.self_attribute(argument.value)
            if argument.keyword.value == "out" and attr is not None:
                frame.depends.discard(attr)
                frame.write(attr, "inplace", Tensor("data"))
        elif argument.star == "**":
            keywords.append(("**", value))
        elif argument.star == "*":
            args.append(UNKNOWN)
        else:
            args.append(value)
    return tuple(args), tuple(keywords)


def _state_attribute(node: cst.BaseExpression) -> str | None:
    attr = ev.self_attribute(node)
    if attr is None and isinstance(node, cst.Attribute) and node.attr.value == "data":
        attr = ev.self_attribute(node.value)
    return attr


def _on_attribute(attr: str, method: str, node: cst.Call, frame: Frame) -> Value:
    how = "moved" if method in torchlib.MOVES else "meta" if method in SHAPE_METHODS else f".{method}"
    inplace = method.endswith("_") and not method.endswith("__") and method not in torchlib.INPLACE_HARMLESS
    before = set(frame.depends)
    args, keywords = arguments(node, frame)
    if inplace:
        carried = method not in torchlib.OVERWRITES or method == "set_" and not args
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
    if method in ("get", "pop") and frame.contract and args and isinstance(args[0], Const):
        _note_get(Attr(SELF, attr), method, args, frame)
    value = Call(Attr(Attr(SELF, attr), method), args, keywords)
    if method in CONTRACT_METHODS:
        _site(value, frame)
    return bounded(value)


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
    value = bounded(Call(Attr(base, method), args, keywords))
    if isinstance(value, Call):
        _site(value, frame)
    return value


def _register(kind: str, node: cst.Call, frame: Frame) -> Value:
    args, keywords = arguments(node, frame)
    named = dict(keywords)
    name = ev.pattern_of(args[0] if args else named.get("name", UNKNOWN))
    value = args[1] if len(args) > 1 else named.get(REGISTERED_KEYWORDS[kind], UNKNOWN)
    persistent = (args[2] if len(args) > 2 else named.get("persistent")) != Const(False)
    frame.registers.append(Register(kind, name, value, frame.position, persistent, frame.guards))
    frame.state.written[name] = frozenset()
    return bounded(Call(Attr(SELF, f"register_{kind}"), (Const(name), value)))


def _set_attribute(node: cst.Call, index: int, value: Value, frame: Frame, guards: tuple[str, ...]) -> Value:
    name = ev.pattern_of(ev.evaluate(node.args[index].value, frame))
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
            _site(value, frame)
        return value
    if isinstance(base, Name):
        if base.path == "object" and method == "__setattr__" and len(args) == 3 and args[0] == SELF:
            return _set_attribute(node, 1, args[2], frame, ("hidden",))
        return _global(f"{base.path}.{method}", node, args, keywords, frame)
    _note_elements(base, f"element.{method}", frame)
    _grow_local(func.value, method, args, keywords, frame)
    if method in ("get", "pop") and frame.contract and args:
        _note_get(base, method, args, frame)
    return _method(base, method, args, keywords, frame)


def _note_get(base: Value, method: str, args: Sequence[Value], frame: Frame) -> None:
    key = args[0]
    if isinstance(key, Const) and isinstance(key.value, str):
        kind = "defaulted" if len(args) > 1 else "guarded" if method == "get" else "required"
        ev.note_key(frame, base, key.value, kind)


def _grow_local(
    target: cst.BaseExpression,
    method: str,
    args: Sequence[Value],
    keywords: Sequence[tuple[str, Value]],
    frame: Frame,
) -> None:
    if method not in GROWS or not isinstance(target, cst.Name):
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
        frame.bind(target.value, Record((*held.fields, *fields), opened), frame.depends)


def _method(
    base: Value, method: str, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], frame: Frame
) -> Value:
    if isinstance(base, (Tensor, NdArray, Number, Const)):
        return torchlib.call_method(base, method, args)
    if isinstance(base, Module):
        return base if method in torchlib.MODULE_METHODS else UNKNOWN
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
        return values[0] if method in ("get", "pop") and values else base if method == "copy" else UNKNOWN
    if isinstance(base, Unknown):
        return UNKNOWN
    value = bounded(Call(Attr(base, method), args, keywords))
    if method in CONTRACT_METHODS and frame.contract and isinstance(value, Call):
        _site(value, frame)
    return value


def _global(
    path: str, node: cst.Call, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], frame: Frame
) -> Value:
    builtin = _builtin(path, node, args, keywords, frame)
    if builtin is not None:
        return builtin
    if path in SAVERS:
        value = bounded(Call(Name(path), args, keywords))
        if isinstance(value, Call):
            _site(value, frame)
        return value
    if path.startswith("torch.nn.init.") and node.args:
        attr = ev.self_attribute(node.args[0].value)
        if attr is not None:
            frame.depends.discard(attr)
            frame.write(attr, "inplace", Tensor("random"))
        return args[0]
    tail = path.rpartition(".")[2].lstrip(":")
    if path.startswith("torch.") and (tail in torchlib.TENSOR_ONLY) and node.args:
        attr = ev.self_attribute(node.args[0].value)
        if attr is not None:
            frame.read(attr, "tensor")
    if path.startswith("torch.") and tail in COLLECTORS:
        for attr in sorted(frame.depends):
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
        _site(value, frame)
    return value


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
        name = source.value if isinstance(source, cst.Name) else ev.self_attribute(source)
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
        fields = tuple(Field(key, value) for key, value in keywords)
        return Record(fields) if fields and not args else Container("dict", UNKNOWN, -1 if args else 0)
    if path in ("sum", "max", "min", "abs"):
        return bounded(
            torchlib.combine(
                [element_of(each) if len(args) == 1 and path != "abs" else each for each in args]
            )
        )
    if path in COPIES and args:
        return args[-1]
    if path == "range":
        return Container("list", NUMBER)
    if path == "setattr" and len(args) == 3 and args[0] == SELF:
        return _set_attribute(node, 1, args[2], frame, ())
    if path == "getattr" and len(args) > 1:
        return _get_attribute(args, frame)
    return None


def _get_attribute(args: Sequence[Value], frame: Frame) -> Value:
    key = args[1]
    if args[0] == SELF and isinstance(key, Const) and isinstance(key.value, str):
        frame.read(key.value, "plain")
        return Attr(SELF, key.value)
    return UNKNOWN


def _note_elements(value: Value, how: str, frame: Frame) -> None:
    base = value.base if isinstance(value, (Element, Item)) else None
    if isinstance(base, Attr) and base.base == SELF:
        frame.read(base.name, how)


def _site(value: Call, frame: Frame) -> None:
    frame.calls.append(Site(value, frame.position, "", frame.guards))
