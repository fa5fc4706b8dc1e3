"""Names, members, literals, arithmetic and conditions: what they may be, and what they look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_ckpt.facts import torch_calls as torchlib
from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Evaluate
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.input_mixing import AS_IT_LIES
from flake8_ckpt.facts.key_text import MAX_STRING
from flake8_ckpt.facts.key_text import as_key
from flake8_ckpt.facts.key_text import formatted
from flake8_ckpt.facts.key_text import string_of
from flake8_ckpt.facts.member_values import attribute_of
from flake8_ckpt.facts.member_values import item_of
from flake8_ckpt.facts.model import BRANCH
from flake8_ckpt.facts.model import NESTED
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.model import KeyKind
from flake8_ckpt.facts.syntax import is_text
from flake8_ckpt.facts.syntax import parameter_names
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.syntax import without_star
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.facts.value_bounds import record_of
from flake8_ckpt.frameworks.torch import NOT_TENSOR_FIELDS

MAX_INTEGER = 1 << 63
# Operators that give a bool whatever they are given; the others give a tensor where an operand is one.
QUESTIONS = (ast.In, ast.NotIn, ast.Is, ast.IsNot)


def _name(node: ast.Name, frame: Frame) -> v.Value:
    if node.id == "self":
        return v.SELF
    if node.id in frame.state.locals:
        return frame.local(node.id)
    constant = frame.names.constant(node.id)
    return frame.names.value(node.id) if constant is None else v.Const(constant)


def _attribute(node: ast.Attribute, frame: Frame) -> v.Value:
    owner = self_attribute(node.value)
    if owner is not None:
        frame.read(owner, "meta" if node.attr in NOT_TENSOR_FIELDS else f".{node.attr}")
        return attribute_of(v.Attr(v.SELF, owner), node.attr)
    before = set(frame.depends) if node.attr in NOT_TENSOR_FIELDS else None
    base = frame.evaluate(node.value)
    if isinstance(base, (v.Self, v.Super)):
        frame.read(node.attr, "plain")
    elif before is not None:
        frame.look_at_shape(before)
    constant = _constant_of(base, node.attr, frame)
    if constant is None and isinstance(base, v.Name) and frame.names.is_variable(base.path):
        return bounded(v.Attr(base, node.attr))
    return attribute_of(base, node.attr) if constant is None else constant


def _constant_of(base: v.Value, attr: str, frame: Frame) -> v.Value | None:
    """Return the string that an attribute of a class or a module of this file names, None for any other."""
    if isinstance(base, v.Name):
        if not frame.names.constants:
            return None
        text = frame.names.constant(f"{base.path.removeprefix(':')}.{attr}")
    elif frame.owner and base in (v.SELF, v.Param("cls")):
        text = frame.names.constant(f"{frame.owner}.{attr}")
    else:
        return v.Const(base.value) if attr == "value" and isinstance(base, v.Const) else None
    return None if text is None else v.Const(text)


def _subscript(node: ast.Subscript, frame: Frame) -> v.Value:
    attr = self_attribute(node.value)
    if attr is not None:
        frame.read(attr, "item")
    base = frame.evaluate(node.value) if attr is None else v.Attr(v.SELF, attr)
    before = set(frame.depends)
    key = subscript_key(node, frame)
    # An index may lie on the host, wherever the tensor lies that it picks from.
    frame.depends -= {each for each in frame.depends - before if each.startswith(AS_IT_LIES)}
    first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    sliced = isinstance(first, ast.Slice)
    if not sliced:
        note_key(frame, base, key, "required")
    named = isinstance(base, v.Name) and isinstance(key, v.Const)
    constant = _constant_of(base, str(key.value), frame) if named and isinstance(key, v.Const) else None
    return item_of(base, key, sliced) if constant is None else constant


def subscript_key(node: ast.Subscript, frame: Frame) -> v.Value:
    """Evaluate what stands in the brackets; the key itself where it is a single index."""
    if not isinstance(node.slice, ast.Tuple):
        return as_key(frame.evaluate(node.slice))
    for each in node.slice.elts:
        frame.evaluate(without_star(each))
    return v.UNKNOWN


def _slice(node: ast.Slice, frame: Frame) -> v.Value:
    for bound in (node.lower, node.upper, node.step):
        if bound is not None:
            frame.evaluate(bound)
    return v.UNKNOWN


def note_key(frame: Frame, base: v.Value, key: v.Value, kind: KeyKind) -> None:
    """Note that a key, or one of several, is taken from a mapping; one that nothing is known of may be any key."""
    for option in v.options_of(as_key(key)):
        if isinstance(option, v.Const):
            if isinstance(option.value, str):
                frame.key(base, option.value, kind)
        elif not isinstance(option, v.Number) and kind != "guarded":
            frame.key(base, "", "wholesale")


def _constant(node: ast.Constant, frame: Frame) -> v.Value:
    value = node.value
    if isinstance(value, str):
        return v.Const(value) if len(value) <= MAX_STRING and is_text(value) else v.NUMBER
    if value is None or isinstance(value, bool):
        return v.Const(value)
    if isinstance(value, int):
        return v.Const(value) if value < MAX_INTEGER else v.NUMBER
    return v.UNKNOWN if value is ... else v.NUMBER


def _formatted(node: ast.JoinedStr, frame: Frame) -> v.Value:
    parts: list[v.Value] = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            parts.append(frame.evaluate(part.value))
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            parts.append(v.Const(part.value[:MAX_STRING]) if is_text(part.value) else v.NUMBER)
    return string_of(parts)


def _binary(node: ast.BinOp, frame: Frame) -> v.Value:
    attr = self_attribute(_counted(node.left)) if isinstance(node.op, ast.Mod) else None
    if attr is not None and frame.testing:
        frame.read(attr, "cadence")
        return bounded(torchlib.combine((v.Attr(v.SELF, attr), frame.evaluate(node.right))))
    left, right = frame.evaluate(node.left), frame.evaluate(node.right)
    if isinstance(node.op, ast.Mod) and isinstance(left, v.Const) and isinstance(left.value, str):
        return formatted(left.value)
    if isinstance(node.op, ast.Add) and _is_string(left, right):
        return string_of([left, right])
    if isinstance(left, (v.Container, v.Record)) or isinstance(right, (v.Container, v.Record)):
        repeated = isinstance(node.op, ast.Mult) and isinstance(left, v.Container)
        if repeated and isinstance(left, v.Container) and isinstance(left.of, v.Tensor):
            return v.Container(left.kind, v.UNKNOWN)
        return join_containers(left, right)
    if isinstance(node.op, ast.Div) and isinstance(right, v.Const) and isinstance(right.value, str):
        return bounded(v.Arith((left, right)))
    return bounded(torchlib.combine((left, right)))


def _counted(node: ast.expr) -> ast.expr:
    """Return n for `n + 1`: the next turn."""
    is_next = isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant)
    return node.left if is_next and isinstance(node.op, (ast.Add, ast.Sub)) else node  # type: ignore[attr-defined]


def _is_string(left: v.Value, right: v.Value) -> bool:
    """Tell whether a sum is one of strings of which nothing but their text is known."""
    literal = any(isinstance(each, v.Const) and isinstance(each.value, str) for each in (left, right))
    return literal and all(isinstance(each, (v.Const, v.Number)) for each in (left, right))


def join_containers(left: v.Value, right: v.Value) -> v.Value:
    """Return what the sum of two values is, at least one of them a container or a record."""
    if isinstance(left, v.Record) and isinstance(right, v.Record):
        return record_of((*left.fields, *right.fields), left.open or right.open)
    if not isinstance(left, v.Container):
        is_number = isinstance(left, (v.Const, v.Number))
        return right if is_number and isinstance(right, v.Container) else v.UNKNOWN
    return v.Container(left.kind, v.join([left.of, right.of]) if isinstance(right, v.Container) else left.of)


def _unary(node: ast.UnaryOp, frame: Frame) -> v.Value:
    value = frame.evaluate(node.operand)
    if isinstance(node.op, ast.USub) and isinstance(value, v.Const) and type(value.value) is int:
        return v.Const(-value.value)
    return v.NUMBER if isinstance(node.op, ast.Not) else torchlib.combine((value,))


def _boolean(node: ast.BoolOp, frame: Frame) -> v.Value:
    first, before = len(frame.key_reads), frame.guards
    value = frame.evaluate(node.values[0])
    for each in node.values[1:]:
        if isinstance(node.op, ast.And):
            frame.guards = (*before, *asked_keys(first, frame))
        value = v.join([value, frame.evaluate(each)])
    frame.guards = before
    return value


def _comparison(node: ast.Compare, frame: Frame) -> v.Value:
    operands = [_compared(node.left, node, frame)]
    for operator, comparator in zip(node.ops, node.comparators):
        operands.append(_compared(comparator, node, frame))
        if isinstance(operator, (ast.In, ast.NotIn)):
            note_key(frame, _mapping_of(operands[-1]), operands[-2], "guarded")
        if isinstance(operator, QUESTIONS):
            return v.NUMBER
    tensors = [operand for operand in operands if isinstance(operand, v.Tensor)]
    return v.Tensor(torchlib.merge_origin(tensors)) if tensors else v.NUMBER


def _mapping_of(keys: v.Value) -> v.Value:
    """Return the mapping whose keys are asked: `"step" in state.keys()`."""
    if isinstance(keys, v.Call) and isinstance(keys.callee, v.Attr) and keys.callee.name == "keys":
        return keys.callee.base
    return keys


def _compared(node: ast.expr, comparison: ast.Compare, frame: Frame) -> v.Value:
    """Evaluate one side of a comparison; `self.x is None` is a use of its own kind."""
    attr = self_attribute(node)
    if attr is not None and isinstance(comparison.ops[0], (ast.Is, ast.IsNot)):
        frame.read(attr, "none")
        return v.Attr(v.SELF, attr)
    return frame.evaluate(node)


def _conditional(node: ast.IfExp, frame: Frame) -> v.Value:
    first, before = len(frame.key_reads), frame.guards
    test(node.test, frame)
    frame.guards = (*before, *asked_keys(first, frame))
    given = v.join([frame.evaluate(node.body), frame.evaluate(node.orelse)])
    frame.guards = before
    return given


def asked_keys(first: int, frame: Frame) -> Iterator[Guard]:
    """Yield the conditions that a test gives by asking for keys: those noted from an index on."""
    yield from (Guard("key", each.key) for each in frame.key_reads[first:] if each.kind == "guarded")


def test(node: ast.expr, frame: Frame) -> set[str]:
    """Evaluate a condition and return the attributes it looks at; they flow into no value."""
    before, depends, seen = frame.testing, frame.depends, frame.seen
    frame.testing, frame.depends, frame.seen = True, set(), set()
    frame.evaluate(node)
    frame.mix()
    looked_at = frame.seen
    frame.testing, frame.depends, frame.seen = before, depends, seen | looked_at
    return looked_at


def _lambda(node: ast.Lambda, frame: Frame) -> v.Value:
    """Walk what a lambda does where saving and loading is followed: it runs later, or not at all."""
    _note_mentioned(node, frame)
    if not frame.contract:
        return v.UNKNOWN
    before = frame.guards
    frame.state.enter()
    frame.guards = (*before, BRANCH, NESTED)
    for name in parameter_names(node.args):
        frame.bind(name, v.UNKNOWN, ())
    frame.evaluate(node.body)
    frame.guards = before
    frame.state.leave()
    return v.UNKNOWN


def _note_mentioned(node: ast.expr, frame: Frame) -> None:
    """Note that an expression which runs later may use all attributes that it mentions."""
    for attr in dict.fromkeys(filter(None, map(self_attribute, ast.walk(node)))):
        frame.read(attr, "plain")


def _later(node: ast.Yield | ast.YieldFrom, frame: Frame) -> v.Value:
    """Leave out what runs elsewhere: it may take anything from the payloads and attributes that it mentions."""
    _note_mentioned(node, frame)
    if frame.contract:
        names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
        names.sort(key=lambda each: (each.lineno, each.col_offset))
        for name in dict.fromkeys(each.id for each in names):
            frame.key(frame.state.locals.get(name, v.UNKNOWN), "", "wholesale")
    return v.UNKNOWN


def _await(node: ast.Await, frame: Frame) -> v.Value:
    frame.evaluate(node.value)
    return v.UNKNOWN


HANDLERS: dict[type, Evaluate] = {
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Constant: _constant,
    ast.JoinedStr: _formatted,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _comparison,
    ast.IfExp: _conditional,
    ast.Lambda: _lambda,
    ast.Yield: _later,
    ast.YieldFrom: _later,
    ast.Await: _await,
}
