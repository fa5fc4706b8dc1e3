"""Lists, tuples, sets and dicts as they are written, comprehensions, and what loops bind."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Union

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.expressions import test
from flake8_ckpt.facts.evaluator.frame import Evaluate
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import SPREAD
from flake8_ckpt.facts.key_text import as_written_key
from flake8_ckpt.facts.member_values import element_of
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.syntax import without_star
from flake8_ckpt.facts.value_bounds import MAX_FIELDS
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.source.tree import dotted

Comprehension = Union[ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp]
MAX_ITEMS = 16
# Loops over the names of parameters or buffers are a dozen names long.
MAX_NAMES = 32
MIN_BOUNDS = 2
# Settings by which the user of a program says where training goes on: `args.start_epoch`.
BEGINS = re.compile(r"(^|[._])(start|begin|first|init|initial|resume|last)(_\w+)?$", re.IGNORECASE)


def _list(node: ast.List, frame: Frame) -> v.Value:
    return bounded(v.Container("list", *_elements(node.elts, frame)))


def _set(node: ast.Set, frame: Frame) -> v.Value:
    return bounded(v.Container("set", *_elements(node.elts, frame)))


def _tuple(node: ast.Tuple, frame: Frame) -> v.Value:
    values = _values(node.elts, frame)
    starred = any(isinstance(each, ast.Starred) for each in node.elts)
    items = () if starred or len(values) > MAX_ITEMS else tuple(values)
    return bounded(v.Container("tuple", _joined(values), -1 if starred else len(values), items))


def _elements(nodes: list[ast.expr], frame: Frame) -> tuple[v.Value, int]:
    """Return what the elements of a display are, and how many there are, -1 where that is not known."""
    starred = any(isinstance(each, ast.Starred) for each in nodes)
    return _joined(_values(nodes, frame)), -1 if starred else len(nodes)


def _joined(values: list[v.Value]) -> v.Value:
    """Join the elements of a display; of names that are written out, more than of other values."""
    if len(values) <= MAX_NAMES and all(
        isinstance(each, v.Const) and isinstance(each.value, str) for each in values
    ):
        names = tuple(dict.fromkeys(values))
        return v.Join(names) if len(names) > 1 else v.join(values)
    return v.join(values)


def _values(nodes: list[ast.expr], frame: Frame) -> list[v.Value]:
    return [
        element_of(frame.evaluate(each.value)) if isinstance(each, ast.Starred) else frame.evaluate(each)
        for each in nodes
    ]


def _dict(node: ast.Dict, frame: Frame) -> v.Value:
    fields: list[v.Field] = []
    others: list[v.Value] = []
    opened = len(node.keys) > MAX_FIELDS
    for key_node, value_node in zip(node.keys, node.values):
        value = frame.evaluate_kept(value_node)
        if key_node is None:
            frame.key(value, "", "wholesale")
            opened = opened or isinstance(value, v.Record) and value.open
            fields += _spread(value, frame)
            others += () if isinstance(value, v.Record) else (value,)
            continue
        key = as_written_key(frame.evaluate(key_node), frame.contract)
        if isinstance(key, v.Const) and isinstance(key.value, str):
            fields.append(v.Field(key.value, bounded(value), ANY not in key.value))
        else:
            others.append(value)
            fields += (v.Field(ANY, bounded(value), False),) if frame.contract else ()
    if any(each.key != ANY for each in fields) and (frame.contract or not others):
        return v.Record(tuple(fields[:MAX_FIELDS]), opened)
    held = (field.value for field in fields if field.key != SPREAD)
    return bounded(v.Container("dict", v.join([*others, *held]), len(node.values)))


def _spread(value: v.Value, frame: Frame) -> tuple[v.Field, ...]:
    """Return the fields that a spread gives to a display: those of a record, or one that linking may open."""
    if isinstance(value, v.Record):
        return value.fields
    return (v.Field(SPREAD, bounded(value), False),) if frame.contract else ()


def _list_made(node: ast.ListComp | ast.GeneratorExp, frame: Frame) -> v.Value:
    return bounded(v.Container("list", _made(node, node.elt, frame)))


def _set_made(node: ast.SetComp, frame: Frame) -> v.Value:
    return bounded(v.Container("set", _made(node, node.elt, frame)))


def _dict_made(node: ast.DictComp, frame: Frame) -> v.Value:
    names = _names_gone_through(node)
    if names:
        return v.Record(tuple(v.Field(name, _made_for(name, node, frame)) for name in names))
    return bounded(v.Container("dict", _made(node, node.value, frame)))


def _names_gone_through(node: ast.DictComp) -> list[str]:
    """Return the keys of `{name: getattr(self, name) for name in ("a", "b")}`, none where they are not literal."""
    loop = node.generators[0]
    if len(node.generators) > 1 or loop.ifs or not isinstance(loop.iter, (ast.Tuple, ast.List)):
        return []
    if not isinstance(loop.target, ast.Name) or not isinstance(node.key, ast.Name):
        return []
    if node.key.id != loop.target.id:
        return []
    names = [
        each.value
        for each in loop.iter.elts
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    return names if len(names) == len(loop.iter.elts) <= MAX_NAMES else []


def _made_for(name: str, node: ast.DictComp, frame: Frame) -> v.Value:
    """Return what a comprehension puts under one key."""
    frame.state.enter()
    _bind(node.generators[0].target, v.Const(name), frame)
    value = bounded(frame.evaluate(node.value))
    frame.state.leave()
    return value


def _made(node: Comprehension, element: ast.expr, frame: Frame) -> v.Value:
    """Return the elements that a comprehension makes; what its loops bind stays inside."""
    frame.state.enter()
    for loop in node.generators:
        bind_loop(loop.target, loop.iter, frame)
        for condition in loop.ifs:
            test(condition, frame)
    value = frame.evaluate(element)
    for attr, depends in frame.state.leave().written.items():
        frame.state.write(attr, depends)
    return value


def bind_loop(target: ast.expr, iterable: ast.expr, frame: Frame) -> None:
    """Bind a loop's target to the elements of what it iterates over; knows enumerate, zip and items."""
    sources = _loop_sources(iterable, frame)
    if sources and isinstance(target, (ast.Tuple, ast.List)) and len(sources) == len(target.elts):
        for element, source in zip(target.elts, sources):
            if isinstance(source, ast.expr):
                bind_loop(without_star(element), source, frame)
            else:
                _bind(without_star(element), source, frame)
    else:
        if isinstance(target, ast.Name) and isinstance(iterable, ast.Name):
            frame.drawn[target.id] = iterable.id
        _bind(target, _iterated(iterable, frame), frame)


def _iterated(iterable: ast.expr, frame: Frame) -> v.Value:
    """Return the elements of what a loop goes through."""
    attr = self_attribute(iterable)
    if attr is not None:
        frame.read(attr, "iter")
        return element_of(v.Attr(v.SELF, attr))
    value = frame.evaluate(iterable)
    frame.key(value, "", "wholesale")
    begins = _begins_by_option(iterable)
    return v.Arith((frame.evaluate(begins), v.NUMBER)) if begins is not None else element_of(value)


def _begins_by_option(iterable: ast.expr) -> ast.expr | None:
    """Return the setting that says where a loop begins: `range(args.start_epoch, args.epochs)`."""
    if (
        not isinstance(iterable, ast.Call)
        or len(iterable.args) < MIN_BOUNDS
        or dotted(iterable.func) != "range"
    ):
        return None
    first = iterable.args[0]
    is_option = isinstance(first, ast.Attribute) and self_attribute(first) is None
    return first if is_option and BEGINS.search(dotted(first)) is not None else None


def _loop_sources(node: ast.expr, frame: Frame) -> Sequence[v.Value | ast.expr]:
    """Return what a loop takes its elements from, one by one: a value, or what is iterated over in turn."""
    if not isinstance(node, ast.Call):
        return []
    given = given_to(node)
    if isinstance(node.func, ast.Name) and node.func.id == "enumerate" and given:
        return [v.NUMBER, given[0]]
    if isinstance(node.func, ast.Name) and node.func.id == "zip":
        return given
    if isinstance(node.func, ast.Attribute) and node.func.attr == "items":
        value = frame.evaluate(node.func.value)
        frame.key(value, "", "wholesale")
        return [v.NUMBER, element_of(value)]
    return []


def _bind(target: ast.expr, value: v.Value, frame: Frame) -> None:
    """Bind the local names of a target, to another object in each turn."""
    if isinstance(target, ast.Name):
        guards = frame.guards
        frame.guards = tuple(dict.fromkeys((*guards, LOOP)))
        frame.bind(target.id, value, frame.depends)
        frame.guards = guards
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            _bind(without_star(element), element_of(value), frame)


def _named(node: ast.NamedExpr, frame: Frame) -> v.Value:
    value = frame.evaluate(node.value)
    _bind(node.target, value, frame)
    return value


HANDLERS: dict[type, Evaluate] = {
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.ListComp: _list_made,
    ast.SetComp: _set_made,
    ast.GeneratorExp: _list_made,
    ast.DictComp: _dict_made,
    ast.NamedExpr: _named,
}
