"""Targets of assignments, of any shape: what is bound, written, stored or filled."""

from __future__ import annotations

import ast

from flake8_ckpt.facts import torch_calls as torchlib
from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.expressions import join_containers
from flake8_ckpt.facts.evaluator.expressions import subscript_key
from flake8_ckpt.facts.evaluator.frame import MAX_DEPTH
from flake8_ckpt.facts.evaluator.frame import SYMBOLIC
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.inplace_changes import note_item
from flake8_ckpt.facts.evaluator.input_mixing import SOURCE
from flake8_ckpt.facts.evaluator.input_mixing import UNMOVED
from flake8_ckpt.facts.evaluator.sweeps import is_swept
from flake8_ckpt.facts.evaluator.weight_changes import note_weights
from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import as_written_key
from flake8_ckpt.facts.member_values import element_of
from flake8_ckpt.facts.member_values import item_of
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.syntax import without_star
from flake8_ckpt.facts.value_bounds import MAX_FIELDS
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.facts.value_bounds import record_of
from flake8_ckpt.frameworks.torch import VIEWS
from flake8_ckpt.source.tree import dotted


def assign(target: ast.expr, value: v.Value, source: ast.expr | None, frame: Frame) -> None:
    """Assign a value, which `source` gives, to a target."""
    attr = self_attribute(target)
    if attr is not None:
        if isinstance(source, ast.Name):
            frame.aliases.setdefault(source.id, set()).add(attr)
        moved = source is not None and _is_moved(source, attr)
        frame.write(attr, "moved" if moved else "assign", bounded(value))
    elif isinstance(target, ast.Name):
        frame.bind(target.id, value, frame.depends)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(target, value, source, frame)
    elif isinstance(target, ast.Subscript):
        frame.leave_behind(UNMOVED)  # it is copied to where the target lies
        owner = self_attribute(target.value)
        if owner is not None and isinstance(source, ast.Name):
            frame.aliases.setdefault(source.id, set()).add(owner)
        _assign_item(target, value, frame)
    elif isinstance(target, ast.Attribute):
        _assign_field(target, value, frame)


def count_by(attr: str, iterable: ast.expr, frame: Frame) -> None:
    """Set the attribute by which a loop goes, where it begins and in the loop: `for self.epoch in range(9):`."""
    begins = _first_of(iterable, frame)
    frame.write(attr, "assign", begins)
    if begins != v.UNKNOWN:
        around = frame.guards
        frame.guards = (*around, LOOP)
        frame.write(attr, "assign", v.UNKNOWN)
        frame.guards = around


def _first_of(iterable: ast.expr, frame: Frame) -> v.Value:
    """Return the first number that a loop counts."""
    if not isinstance(iterable, ast.Call) or not iterable.args:
        return v.UNKNOWN
    name = dotted(iterable.func).rpartition(".")[2]
    if name == "tqdm":
        return _first_of(iterable.args[0], frame)
    if name not in ("range", "trange"):
        return v.UNKNOWN
    return v.Const(0) if len(iterable.args) == 1 else frame.evaluate(iterable.args[0])


def augment(target: ast.expr, value: v.Value, frame: Frame) -> None:
    """Add a value to a target, or combine it with it in another way: `+=`, `*=` and the like."""
    attr = self_attribute(target)
    if attr is not None:
        frame.read_own(attr)
        if isinstance(value, v.Container):
            frame.write(attr, "grow", element_of(value), True)
        else:
            combined = torchlib.combine((v.Attr(v.SELF, attr), value))
            frame.write(attr, "augment", bounded(combined), True)
    elif isinstance(target, ast.Name):
        held = frame.local(target.id)
        is_container = isinstance(held, v.Container)
        combined = join_containers(held, value) if is_container else torchlib.combine((held, value))
        frame.bind(target.id, bounded(combined), frame.depends)
    elif isinstance(target, ast.Subscript):
        _assign_item(target, value, frame, True)
    elif isinstance(target, ast.Attribute) and target.attr == "data":
        attr = self_attribute(target.value)
        if attr is not None:
            frame.write(attr, "inplace", bounded(value), True)
        else:
            note_weights(frame.evaluate(target.value), frame)
    elif isinstance(target, ast.Attribute):
        note_weights(frame.peek(target), frame)
        if frame.contract:
            _augment_field(target, value, frame)


def _augment_field(target: ast.Attribute, value: v.Value, frame: Frame) -> None:
    """Add a value to a field of another object: `self.progress.step += 1`."""
    held = frame.evaluate(target)
    if isinstance(held, v.Attr):
        frame.store(held, bounded(torchlib.combine((held, value))))


def _unpack(target: ast.Tuple | ast.List, value: v.Value, source: ast.expr | None, frame: Frame) -> None:
    paired = isinstance(source, ast.Tuple) and len(source.elts) == len(target.elts)
    sources = source.elts if paired and isinstance(source, ast.Tuple) else None
    depends = set(frame.depends)
    for index, element in enumerate(target.elts):
        if sources is not None:
            frame.depends = set()
            frame.mix()
            each = frame.evaluate(without_star(sources[index]))
        else:
            each = v.UNKNOWN if isinstance(element, ast.Starred) else item_of(value, v.Const(index))
        assign(without_star(element), each, None, frame)
        frame.depends = set(depends)


def _is_moved(source: ast.expr, attr: str) -> bool:
    node = source
    if isinstance(node, ast.Call) and dotted(node.func).endswith("as_tensor"):
        return bool(node.args) and self_attribute(node.args[0]) == attr
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in VIEWS:
            return False
        node = node.func.value
    return node is not source and self_attribute(node) == attr


def _assign_item(target: ast.Subscript, value: v.Value, frame: Frame, carried: bool = False) -> None:
    root: ast.expr = target.value
    while isinstance(root, ast.Subscript) or isinstance(root, ast.Attribute) and root.attr == "data":
        root = root.value
    attr = self_attribute(root)
    before = set(frame.depends)
    key = as_written_key(subscript_key(target, frame), frame.contract)
    frame.depends -= {each for each in frame.depends - before if each.startswith(SOURCE)}
    if attr is not None:
        if carried:
            frame.depends.add(f"{SOURCE}{attr}")
        whole = _is_whole(target) or is_swept(target, frame)
        frame.write(attr, "item", bounded(value), carried or not whole)
        if whole and not carried:
            frame.state.write(attr, frozenset(frame.depends))
    elif isinstance(root, ast.Name) and root.id in frame.state.locals:
        held = frame.local(root.id)
        whole = _is_whole(target) or is_swept(target, frame)
        note_item(held, bounded(value), carried or not whole, frame)
        if target.value is root and isinstance(held, (v.Record, v.Container)):
            frame.store(v.Item(v.Local(root.id, v.UNKNOWN), key), bounded(value))
        if not isinstance(held, SYMBOLIC):
            filled = _with_items(held, (*_outer_keys(target.value, frame), key), value)
            frame.bind(root.id, filled, frame.depends)
            frame.follow(held, filled)
    else:
        note_weights(frame.peek(root), frame)
    if frame.contract:
        base = frame.peek(target.value)
        if isinstance(base, SYMBOLIC) and isinstance(key, v.Const):
            frame.store(v.Item(base, key), bounded(value))


def _is_whole(target: ast.Subscript) -> bool:
    if isinstance(target.slice, ast.Slice):
        return target.slice.lower is None and target.slice.upper is None
    return isinstance(target.slice, ast.Constant) and target.slice.value is ...


def _outer_keys(node: ast.expr, frame: Frame) -> tuple[v.Value, ...]:
    """Return the keys that lead to a dict within a dict: a and b for `state[a][b]`."""
    keys: list[v.Value] = []
    while isinstance(node, ast.Subscript):
        keys.append(
            v.UNKNOWN
            if isinstance(node.slice, ast.Tuple)
            else as_written_key(frame.peek(node.slice), frame.contract)
        )
        node = node.value
    return tuple(reversed(keys))


def _with_items(held: v.Value, keys: tuple[v.Value, ...], value: v.Value) -> v.Value:
    """Return what a local holds when something is set under a key, or under keys one within another."""
    if len(keys) == 1 or len(keys) > MAX_DEPTH or not isinstance(held, v.Record):
        return _with_item(held, keys[-1], value)
    return _with_item(held, keys[0], _with_items(item_of(held, keys[0]), keys[1:], value))


def _with_item(held: v.Value, key: v.Value, value: v.Value) -> v.Value:
    if isinstance(held, v.Record) and held.open and len(held.fields) == MAX_FIELDS:
        return held
    if isinstance(key, v.Const) and isinstance(key.value, str):
        fields = held.fields if isinstance(held, v.Record) else ()
        if isinstance(held, v.Record) or held == v.Container("dict", v.UNKNOWN, 0):
            kept = tuple(field for field in fields if field.key != key.value)
            opened = held.open if isinstance(held, v.Record) else False
            return record_of((*kept, v.Field(key.value, bounded(value), ANY not in key.value)), opened)
    if isinstance(held, v.Record):
        return v.Record(held.fields, True)
    if isinstance(held, v.Container):
        return bounded(v.Container(held.kind, v.join([value] if held.size == 0 else [held.of, value])))
    return held


def _assign_field(target: ast.Attribute, value: v.Value, frame: Frame) -> None:
    attr = self_attribute(target.value)
    name = target.attr
    if attr is not None and name == "data":
        frame.write(attr, "inplace", bounded(value))
    elif attr is not None and name == "requires_grad":
        frame.write(attr, "grad", v.Tensor(trainable=value != v.Const(False)))
    elif isinstance(target.value, ast.Name) and name == "requires_grad":
        held = frame.state.locals.get(target.value.id)
        if isinstance(held, v.Tensor):
            frame.state.hold(target.value.id, v.Tensor(held.origin, value != v.Const(False)))
    else:
        depends = set(frame.depends)  # what the field is set to does not depend on whose field it is
        base = frame.evaluate(target.value)
        frame.depends = depends
        note_weights(v.Attr(base, name), frame)
        if isinstance(base, SYMBOLIC) or isinstance(base, v.Module):
            frame.store(v.Attr(base, name), bounded(value))
