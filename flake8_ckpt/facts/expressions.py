"""The evaluator: what an expression of libcst's tree may be, as an abstract value.

Both rule families use it. It notes on the frame what it passes: attributes of `self` that are
read, calls that change one in place, registrations, keys taken from mappings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import libcst as cst

from flake8_ckpt.facts import torch_calls as torchlib
from flake8_ckpt.facts.calls import call
from flake8_ckpt.facts.frame import Frame
from flake8_ckpt.facts.member_values import attribute_of
from flake8_ckpt.facts.member_values import element_of
from flake8_ckpt.facts.member_values import item_of
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import NUMBER
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch import NOT_TENSOR_FIELDS

MAX_STRING = 120
MAX_KEYS = 64
MAX_ITEMS = 6
LITERALS = {"None": NONE, "True": Const(True), "False": Const(False)}


def evaluate(node: cst.BaseExpression, frame: Frame) -> Value:
    """Return the value of an expression."""
    handler = HANDLERS.get(type(node))
    return handler(node, frame) if handler else UNKNOWN


def _name(node: cst.Name, frame: Frame) -> Value:
    name = node.value
    if name == "self":
        return SELF
    if name in frame.state.locals:
        return frame.local(name)
    if name in LITERALS:
        return LITERALS[name]
    return Name(frame.names.resolve(name))


def _attribute(node: cst.Attribute, frame: Frame) -> Value:
    attr = node.attr.value
    owner = self_attribute(node.value)
    if owner is not None:
        frame.read(owner, "meta" if attr in NOT_TENSOR_FIELDS else f".{attr}")
        return attribute_of(Attr(SELF, owner), attr)
    base = evaluate(node.value, frame)
    if isinstance(base, (Self, Super)):
        frame.read(attr, "plain")
    return attribute_of(base, attr)


def _call(node: cst.Call, frame: Frame) -> Value:
    return call(node, frame, evaluate)


def _subscript(node: cst.Subscript, frame: Frame) -> Value:
    attr = self_attribute(node.value)
    if attr is not None:
        frame.read(attr, "item")
    base = evaluate(node.value, frame) if attr is None else Attr(SELF, attr)
    key = subscript_key(node, frame)
    sliced = isinstance(node.slice[0].slice, cst.Slice)
    if not sliced:
        note_key(frame, base, key, "required")
    return item_of(base, key, sliced)


def subscript_key(node: cst.Subscript, frame: Frame) -> Value:
    """Evaluate what stands in the brackets; the key itself where it is a single index."""
    keys = [_subscript_part(element.slice, frame) for element in node.slice]
    return keys[0] if len(keys) == 1 else UNKNOWN


def _subscript_part(part: cst.BaseSlice, frame: Frame) -> Value:
    if isinstance(part, cst.Index):
        return evaluate(part.value, frame)
    for bound in (part.lower, part.upper, part.step) if isinstance(part, cst.Slice) else ():
        if bound is not None:
            evaluate(bound, frame)
    return UNKNOWN


def note_key(frame: Frame, base: Value, key: Value, kind: str) -> None:
    """Note that a key, or one of several, is taken from a mapping; a computed string may be any key."""
    for option in options_of(key):
        if isinstance(option, Const):
            if isinstance(option.value, str):
                frame.key(base, option.value, kind)
        elif not isinstance(option, Number) and kind != "guarded":
            frame.key(base, "", "wholesale")


def _string(node: cst.SimpleString, frame: Frame) -> Value:
    text = node.evaluated_value
    return Const(text) if isinstance(text, str) and len(text) <= MAX_STRING else NUMBER


def _concatenated(node: cst.ConcatenatedString, frame: Frame) -> Value:
    return NUMBER


def _formatted(node: cst.FormattedString, frame: Frame) -> Value:
    parts: list[Value] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringExpression):
            evaluate(part.expression, frame)
            parts.append(NUMBER)
        elif isinstance(part, cst.FormattedStringText):
            parts.append(Const(part.value[:MAX_STRING]))
    return Arith(tuple(parts[:MAX_KEYS]))


def _integer(node: cst.Integer, frame: Frame) -> Value:
    digits = node.value
    return Const(int(digits.replace("_", ""), 0)) if len(digits) < 16 and digits.lstrip("0") else Const(0)


def _float(node: cst.Float, frame: Frame) -> Value:
    return NUMBER


def _binary(node: cst.BinaryOperation, frame: Frame) -> Value:
    left, right = evaluate(node.left, frame), evaluate(node.right, frame)
    if isinstance(left, (Container, Record)) or isinstance(right, (Container, Record)):
        repeated = isinstance(node.operator, cst.Multiply) and isinstance(left, Container)
        if repeated and isinstance(left, Container) and isinstance(left.of, Tensor):
            return Container(left.kind, UNKNOWN)
        return _join_containers(left, right)
    if isinstance(node.operator, cst.Divide) and isinstance(right, Const) and isinstance(right.value, str):
        return bounded(Arith((left, right)))
    return bounded(torchlib.combine((left, right)))


def _join_containers(left: Value, right: Value) -> Value:
    if isinstance(left, Record) and isinstance(right, Record):
        return Record((*left.fields, *right.fields), left.open or right.open)
    if not isinstance(left, Container):
        return UNKNOWN if not isinstance(right, Container) or not isinstance(left, (Const, Number)) else right
    return Container(left.kind, join([left.of, right.of]) if isinstance(right, Container) else left.of)


def _unary(node: cst.UnaryOperation, frame: Frame) -> Value:
    value = evaluate(node.expression, frame)
    if isinstance(node.operator, cst.Minus) and isinstance(value, Const) and type(value.value) is int:
        return Const(-value.value)
    return NUMBER if isinstance(node.operator, cst.Not) else torchlib.combine((value,))


def _boolean(node: cst.BooleanOperation, frame: Frame) -> Value:
    first, before = len(frame.key_reads), frame.guards
    left = evaluate(node.left, frame)
    if isinstance(node.operator, cst.And):
        frame.guards = (*before, *asked_keys(first, frame))
    right = evaluate(node.right, frame)
    frame.guards = before
    return join([left, right])


def _comparison(node: cst.Comparison, frame: Frame) -> Value:
    operands = [evaluate_compared(node.left, node, frame)]
    for target in node.comparisons:
        operands.append(evaluate_compared(target.comparator, node, frame))
        if isinstance(target.operator, (cst.In, cst.NotIn)):
            note_key(frame, operands[-1], operands[-2], "guarded")
        if isinstance(target.operator, (cst.In, cst.NotIn, cst.Is, cst.IsNot)):
            return NUMBER
    tensors = [operand for operand in operands if isinstance(operand, Tensor)]
    return Tensor(torchlib.merge_origin(tensors)) if tensors else NUMBER


def evaluate_compared(node: cst.BaseExpression, comparison: cst.Comparison, frame: Frame) -> Value:
    """Evaluate one side of a comparison; `self.x is None` is a use of its own kind."""
    attr = self_attribute(node)
    if attr is not None and isinstance(comparison.comparisons[0].operator, (cst.Is, cst.IsNot)):
        frame.read(attr, "none")
        return Attr(SELF, attr)
    return evaluate(node, frame)


def _conditional(node: cst.IfExp, frame: Frame) -> Value:
    first, before = len(frame.key_reads), frame.guards
    test(node.test, frame)
    frame.guards = (*before, *asked_keys(first, frame))
    given = join([evaluate(node.body, frame), evaluate(node.orelse, frame)])
    frame.guards = before
    return given


def asked_keys(first: int, frame: Frame) -> Iterator[str]:
    """Yield the conditions that a test gives by asking for keys: those noted from an index on."""
    yield from (f"key:{each.key}" for each in frame.key_reads[first:] if each.kind == "guarded")


def test(node: cst.BaseExpression, frame: Frame) -> set[str]:
    """Evaluate a condition and return the attributes it looks at; they flow into no value."""
    before, depends, seen = frame.testing, frame.depends, frame.seen
    frame.testing, frame.depends, frame.seen = True, set(), set()
    evaluate(node, frame)
    looked_at = frame.seen
    frame.testing, frame.depends, frame.seen = before, depends, seen | looked_at
    return looked_at


def _later(node: cst.Lambda | cst.Yield, frame: Frame) -> Value:
    """Leave out what runs later or elsewhere: it may take anything from the payloads that it mentions."""
    for name in dict.fromkeys(re.findall(r"\w+", cst.Module([]).code_for_node(node))) if frame.contract else ():
        frame.key(frame.state.locals.get(name, UNKNOWN), "", "wholesale")
    return UNKNOWN


def _display(kind: str) -> Callable[[Any, Frame], Value]:
    def handler(node: cst.List, frame: Frame) -> Value:
        values = [element_of(evaluate(each.value, frame)) if isinstance(each, cst.StarredElement)
                  else evaluate(each.value, frame) for each in node.elements]  # fmt: skip
        starred = any(isinstance(each, cst.StarredElement) for each in node.elements)
        items = tuple(values) if kind == "tuple" and not starred and len(values) <= MAX_ITEMS else ()
        return bounded(Container(kind, join(values), -1 if starred else len(values), items))

    return handler


def _dict(node: cst.Dict, frame: Frame) -> Value:
    fields: list[Field] = []
    others: list[Value] = []
    opened = False
    for element in node.elements:
        value = evaluate(element.value, frame)
        key = evaluate(element.key, frame) if isinstance(element, cst.DictElement) else UNKNOWN
        if isinstance(element, cst.StarredDictElement):
            frame.key(value, "", "wholesale")
        if isinstance(element, cst.StarredDictElement) and isinstance(value, Record):
            fields += value.fields
            opened = opened or value.open
        elif isinstance(key, Const) and isinstance(key.value, str) and len(fields) < MAX_KEYS:
            fields.append(Field(key.value, bounded(value)))
        else:
            opened = True
            others.append(value)
    if fields and not others:
        return Record(tuple(fields), opened)
    size = len(node.elements)
    return bounded(Container("dict", join([*others, *(field.value for field in fields)]), size))


def _comprehension(kind: str) -> Callable[[Any, Frame], Value]:
    def handler(node: Any, frame: Frame) -> Value:
        saved = frame.state.copy()
        loop(node.for_in, frame)
        value = evaluate(node.value if isinstance(node, cst.DictComp) else node.elt, frame)
        frame.state.locals, frame.state.taint = saved.locals, saved.taint
        return bounded(Container(kind, value))

    return handler


def loop(node: cst.CompFor, frame: Frame) -> None:
    """Bind the targets of a comprehension's loops."""
    bind_loop(node.target, node.iter, frame)
    for condition in node.ifs:
        test(condition.test, frame)
    if node.inner_for_in is not None:
        loop(node.inner_for_in, frame)


def bind_loop(target: cst.BaseExpression, iterable: cst.BaseExpression, frame: Frame) -> None:
    """Bind a loop's target to the elements of what it iterates over; knows enumerate, zip and items."""
    attr = self_attribute(iterable)
    if attr is not None:
        frame.read(attr, "iter")
        bind(target, element_of(Attr(SELF, attr)), frame)
        return
    sources = _loop_sources(iterable, frame)
    if sources and isinstance(target, (cst.Tuple, cst.List)) and len(sources) == len(target.elements):
        for element, source in zip(target.elements, sources):
            bind(element.value, source, frame)
    else:
        value = evaluate(iterable, frame)
        frame.key(value, "", "wholesale")
        bind(target, element_of(value), frame)


def _loop_sources(node: cst.BaseExpression, frame: Frame) -> list[Value]:
    if not isinstance(node, cst.Call):
        return []
    if isinstance(node.func, cst.Name) and node.func.value == "enumerate" and node.args:
        return [NUMBER, element_of(evaluate(node.args[0].value, frame))]
    if isinstance(node.func, cst.Name) and node.func.value == "zip":
        return [element_of(evaluate(each.value, frame)) for each in node.args]
    if isinstance(node.func, cst.Attribute) and node.func.attr.value == "items":
        value = evaluate(node.func.value, frame)
        frame.key(value, "", "wholesale")
        return [NUMBER, element_of(value)]
    return []


def bind(target: cst.BaseExpression, value: Value, frame: Frame) -> None:
    """Bind the local names of a target."""
    if isinstance(target, cst.Name):
        frame.bind(target.value, value, frame.depends)
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            bind(element.value, element_of(value), frame)


def _named(node: cst.NamedExpr, frame: Frame) -> Value:
    value = evaluate(node.value, frame)
    bind(node.target, value, frame)
    return value


def _inner(node: Any, frame: Frame) -> Value:
    expression = getattr(node, "expression", None)
    if isinstance(expression, cst.BaseExpression):
        evaluate(expression, frame)
    return UNKNOWN


HANDLERS: dict[type, Callable[[Any, Frame], Value]] = {
    cst.Name: _name,
    cst.Attribute: _attribute,
    cst.Call: _call,
    cst.Subscript: _subscript,
    cst.SimpleString: _string,
    cst.ConcatenatedString: _concatenated,
    cst.FormattedString: _formatted,
    cst.Integer: _integer,
    cst.Float: _float,
    cst.Imaginary: _float,
    cst.BinaryOperation: _binary,
    cst.UnaryOperation: _unary,
    cst.BooleanOperation: _boolean,
    cst.Comparison: _comparison,
    cst.IfExp: _conditional,
    cst.Lambda: _later,
    cst.Yield: _later,
    cst.List: _display("list"),
    cst.Tuple: _display("tuple"),
    cst.Set: _display("set"),
    cst.Dict: _dict,
    cst.ListComp: _comprehension("list"),
    cst.SetComp: _comprehension("set"),
    cst.GeneratorExp: _comprehension("list"),
    cst.DictComp: _comprehension("dict"),
    cst.NamedExpr: _named,
    cst.Await: _inner,
}
Evaluate = Callable[[cst.BaseExpression, Frame], Value]
Arguments = Sequence[cst.Arg]
