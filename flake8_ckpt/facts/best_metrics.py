"""Metrics that tell whether something is the best so far: compared with a new value, and then set to it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from flake8_ckpt.facts.model import BestMetric
from flake8_ckpt.facts.program_text import spans
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.findings import Position
from flake8_ckpt.source.tree import BLOCKS
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements

Locate = Callable[[ast.stmt], Position]
Lines = tuple[int, int]
ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
INFINITE = frozenset(["inf", "infty", "maxsize", "Inf"])
# Calls that make a number of a constant: `float("-inf")`, `torch.tensor(0.0)`.
NUMBERS = frozenset(["float", "int", "tensor", "array", "Decimal"])


@dataclass(frozen=True)
class _Binding:
    """A name is bound by a statement: to a value, None where that is not one expression."""

    statement: ast.stmt
    value: ast.expr | None
    in_loop: bool


def best_metrics(
    node: Function,
    ordered: frozenset[int],
    locate: Locate,
    script: Sequence[ast.stmt] = (),
    shared: Collection[str] = (),
) -> Iterator[BestMetric]:
    """Yield the metrics of a function with the lines that run, or are told, where a new value is better.

    Nothing is compared but in the lines that are `ordered`. A metric that is `shared` by the function and its file
    begins in the `script` of the file.
    """
    if not spans(node, ordered):
        return
    blocks = _blocks(statements(node.body), ordered)
    if not blocks:
        return
    bindings: dict[str, list[_Binding]] = defaultdict(list)
    for name, binding in _bindings(node.body, False):
        bindings[name].append(binding)
    for name, binding in _bindings(script, False) if shared else ():
        if name in shared:
            bindings[name].append(binding)
    for name, (lines, others) in blocks.items():
        starts = [each for each in bindings[name] if _is_start(each.value)]
        rest = [each for each in bindings[name] if each not in starts]
        updates = [each for each in rest if _is_update(each, name, others)]
        if lines and updates and len(updates) == len(rest):
            begins = [locate(each.statement) for each in starts if not each.in_loop]
            if begins or "." in name:
                yield BestMetric(name, begins[0] if begins else None, tuple(lines))


def _blocks(body: list[ast.stmt], ordered: frozenset[int]) -> dict[str, tuple[list[Lines], list[str]]]:
    """Return by the name of a metric the lines that a comparison decides, and what it is compared with."""
    found: dict[str, tuple[list[Lines], list[str]]] = {}
    flags: dict[str, list[str]] = defaultdict(list)
    for node in body:
        if not isinstance(node, (ast.If, ast.Assign)):
            continue
        test = node.test if isinstance(node, ast.If) else node.value
        for name, other in _compared(test) if spans(test, ordered) else ():
            lines, others = found.setdefault(name, ([], []))
            others.append(other)
            if isinstance(node, ast.If):
                lines += [_lines(block) for block in (node.body, node.orelse) if _sets(block, name)]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                flags[node.targets[0].id].append(name)
    for node in body if flags else ():
        for flag in _flags_in(node):
            for name in flags.get(flag, ()):
                found[name][0].append(_lines(node.body if isinstance(node, ast.If) else [node]))
    return found


def _compared(test: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the names in the comparisons of a test, each with the expression that it is compared with."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ORDERS):
            sides = (node.left, node.comparators[0])
            for side, other in (sides, sides[::-1]):
                name = _name(side)
                if name and not isinstance(other, ast.Constant):
                    yield name, ast.dump(other)


def _sets(block: list[ast.stmt], name: str) -> bool:
    return any(found == name for found, _ in _bindings(block, False))


def _flags_in(node: ast.stmt) -> Iterator[str]:
    """Yield the locals that a statement tests, or gives to a call."""
    if isinstance(node, ast.If):
        yield from (each.id for each in ast.walk(node.test) if isinstance(each, ast.Name))
    value = getattr(node, "value", None) if isinstance(node, (ast.Expr, ast.Assign)) else None
    if isinstance(value, ast.Call):
        yield from (each.id for each in given_to(value) if isinstance(each, ast.Name))


def _lines(block: list[ast.stmt]) -> Lines:
    return block[0].lineno, block[-1].end_lineno or block[-1].lineno


def _bindings(body: Sequence[ast.stmt], in_loop: bool) -> Iterator[tuple[str, _Binding]]:
    """Yield what the statements of a body bind, and those in their blocks."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _bound(target, node.value, node, in_loop)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            value = node.value if isinstance(node, ast.AnnAssign) else None
            yield from _bound(node.target, value, node, in_loop)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            yield from _bound(node.target, None, node, True)
        for name in BLOCKS.get(type(node), ()):
            for block in _inner(getattr(node, name), name):
                yield from _bindings(block, in_loop or isinstance(node, LOOPS))


def _inner(block: list[ast.stmt], name: str) -> list[list[ast.stmt]]:
    return [each.body for each in block] if name in ("handlers", "cases") else [block]  # type: ignore[attr-defined]


def _bound(
    target: ast.expr, value: ast.expr | None, node: ast.stmt, in_loop: bool
) -> Iterator[tuple[str, _Binding]]:
    if isinstance(target, (ast.Tuple, ast.List)):
        values = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
        for index, each in enumerate(target.elts):
            yield from _bound(each, values[index] if values else None, node, in_loop)
    elif _name(target):
        yield _name(target), _Binding(node, value, in_loop)


def _name(node: ast.expr) -> str:
    """Return x for a local and `self.x` for an attribute of the object."""
    attr = self_attribute(node)
    return f"self.{attr}" if attr is not None else node.id if isinstance(node, ast.Name) else ""


def _is_start(value: ast.expr | None) -> bool:
    """Tell whether a value is what a metric starts with: a constant, or an infinite number."""
    if isinstance(value, ast.UnaryOp):
        return _is_start(value.operand)
    if isinstance(value, ast.Call):
        return dotted(value.func).rpartition(".")[2] in NUMBERS and all(map(_is_start, value.args))
    if isinstance(value, (ast.Name, ast.Attribute)):
        return dotted(value).rpartition(".")[2] in INFINITE
    return isinstance(value, ast.Constant)


def _is_update(binding: _Binding, name: str, others: list[str]) -> bool:
    """Tell whether a metric is set to what it was compared with: `best = loss`, `best = max(best, accuracy)`."""
    value = binding.value
    if value is None:
        return False
    if isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] in ("max", "min"):
        return any(_name(each) == name for each in given_to(value))
    return ast.dump(value) in others or any(ast.dump(each) in others for each in ast.walk(value))
