"""Metrics that tell whether something is the best so far: compared with a new value, and then set to it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.facts.model import BestMetric
from flake8_ckpt.facts.name_bindings import Binding
from flake8_ckpt.facts.name_bindings import bindings_in
from flake8_ckpt.facts.name_bindings import name_of
from flake8_ckpt.facts.program_text import spans
from flake8_ckpt.facts.progress.verdicts import told_by
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.findings import Position
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements

Locate = Callable[[ast.stmt], Position]
Lines = tuple[int, int]
ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
INFINITE = frozenset(["inf", "infty", "maxsize", "Inf"])
# Calls that make a number of a constant: `float("-inf")`, `torch.tensor(0.0)`.
NUMBERS = frozenset(["float", "int", "tensor", "array", "Decimal"])
# Calls that make a number for each class or task.
ARRAYS = frozenset(["numpy.zeros", "numpy.ones", "np.zeros", "np.ones", "torch.zeros", "torch.ones"])
# `min_delta`, `args.tolerance`, `improvement_threshold`.
MARGINS = re.compile(r"delta|tol|eps|margin|thresh|min_imp", re.I)


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
    body = statements(node.body)
    blocks, flags = _blocks(body, ordered)
    if not blocks:
        return
    bindings: dict[str, list[Binding]] = defaultdict(list)
    for name, binding in bindings_in(node.body, False):
        bindings[name].append(binding)
    for name, binding in bindings_in(script, False) if shared else ():
        if name in shared:
            bindings[name].append(binding)
    for name, (lines, others) in blocks.items():
        starts = [each for each in bindings[name] if _is_start(each.value)]
        rest = [each for each in bindings[name] if each not in starts]
        updates = [each for each in rest if _is_update(each, name, others)]
        tells = told_by(body, frozenset(each for each in flags if name in flags[each]), lines)
        if (lines or tells) and updates and len(updates) == len(rest):
            begins = [locate(each.statement) for each in starts if not each.in_loop]
            if begins or "." in name:
                yield BestMetric(name, begins[0] if begins else None, tuple(lines), False, tells)


def _blocks(
    body: list[ast.stmt], ordered: frozenset[int]
) -> tuple[dict[str, tuple[list[Lines], list[str]]], dict[str, list[str]]]:
    """Return by the name of a metric the lines that a comparison decides, and what it is compared with.

    And by the name of a local that tells the outcome the metrics.
    """
    found: dict[str, tuple[list[Lines], list[str]]] = {}
    flags: dict[str, list[str]] = defaultdict(list)
    renamed: dict[str, str] = {}
    for node in body:
        if not isinstance(node, (ast.If, ast.Assign)):
            continue
        test = node.test if isinstance(node, ast.If) else node.value
        renamed.update(_renamed(node))
        for side, other in _compared(test) if spans(test, ordered) else ():
            name = renamed.get(side, side)
            lines, others = found.setdefault(name, ([], []))
            others.append(other)
            if isinstance(node, ast.If) and name != side:
                lines.append(_lines(node.body))
            elif isinstance(node, ast.If) and not _is_only_set_first(node, name, body):
                setting = [block for block in (node.body, node.orelse) if _sets(block, name)]
                lines += map(_lines, setting or [node.body])
                for flag in _raised(setting):
                    flags[flag].append(name)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                flags[node.targets[0].id].append(name)
    for node in body if flags else ():
        for flag in _flags_in(node):
            for name in flags.get(flag, ()):
                found[name][0].append(_lines(node.body if isinstance(node, ast.If) else [node]))
                for other in _set_for(node, flag):
                    flags[other].append(name)
    return found, flags


def _raised(blocks: list[list[ast.stmt]]) -> Iterator[str]:
    """Yield the locals that some statements set to true: `is_best = True`."""
    for block in blocks:
        for name, binding in bindings_in(block, False):
            if "." not in name and isinstance(binding.value, ast.Constant) and binding.value.value is True:
                yield name


def _is_only_set_first(node: ast.If, name: str, body: list[ast.stmt]) -> bool:
    """Tell whether a comparison is the other side of a test that gives a metric its first value and does no more."""
    return any(
        isinstance(each, ast.If)
        and each.orelse == [node]
        and _is_unset(each.test, name)
        and len(each.body) == 1
        for each in body
    )


def _is_unset(test: ast.expr, name: str) -> bool:
    """Tell whether a test asks for a metric that is not there yet: `best is None`."""
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is) and name_of(test.left) == name


def _renamed(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield the local that keeps the value of an attribute before it is set: `before = self.best`."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = name_of(node.value)
        if name.startswith("self."):
            yield node.targets[0].id, name


def _set_for(node: ast.stmt, flag: str) -> Iterator[str]:
    """Yield the locals that are set where a flag is true, and nothing else: `path = folder / "best.pt"`."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        for name, binding in bindings_in(node.body, False):
            if name != flag and "." not in name and not isinstance(binding.value, ast.Constant):
                yield name


def _compared(test: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the names in the comparisons of a test, each with the expression that it is compared with."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ORDERS):
            for sides in _alike(*_without_margin(*_without_call(node.left, node.comparators[0]))):
                for side, other in (sides, sides[::-1]):
                    name = name_of(side)
                    if name and not isinstance(other, ast.Constant):
                        yield name, ast.dump(other)


def _alike(left: ast.expr, right: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what stands at the same place of two expressions: `(a + b) / 2 < (best_a + best_b) / 2`."""
    if isinstance(left, ast.BinOp) and isinstance(right, ast.BinOp) and type(left.op) is type(right.op):
        yield from _alike(left.left, right.left)
        yield from _alike(left.right, right.right)
    else:
        yield left, right


def _without_margin(left: ast.expr, right: ast.expr) -> tuple[ast.expr, ast.expr]:
    """Return what is compared but for a margin: `loss < best - delta`, `score - best > delta`, `best * 1.01`."""
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub) and _is_margin(right):
        return left.left, left.right
    return _without_factor(left), _without_factor(right)


def _without_factor(node: ast.expr) -> ast.expr:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
        return node
    return node.left if name_of(node.left) and _is_margin(node.right) else node


def _is_margin(node: ast.expr) -> bool:
    """Tell whether an expression is a named margin or a part of a number: `1e-4`, `1 + 0.01`; no count of steps is."""
    if isinstance(node, ast.BinOp):
        return _is_margin(node.left) or _is_margin(node.right)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return MARGINS.search(dotted(node)) is not None
    return isinstance(node, ast.Constant) and (isinstance(node.value, float) or node.value == 0)


def _without_call(left: ast.expr, right: ast.expr) -> tuple[ast.expr, ast.expr]:
    """Return the objects whose means, or the like, are compared: `scores.mean() > best.mean()`."""
    if isinstance(left, ast.Call) and isinstance(right, ast.Call):
        one, other = left.func, right.func
        if isinstance(one, ast.Attribute) and isinstance(other, ast.Attribute) and one.attr == other.attr:
            return one.value, other.value
    return left, right


def _sets(block: list[ast.stmt], name: str) -> bool:
    return any(found == name for found, _ in bindings_in(block, False))


def _flags_in(node: ast.stmt) -> Iterator[str]:
    """Yield the locals that a statement tests, or gives to a call."""
    if isinstance(node, ast.If):
        yield from (each.id for each in ast.walk(node.test) if isinstance(each, ast.Name))
    value = getattr(node, "value", None) if isinstance(node, (ast.Expr, ast.Assign)) else None
    if isinstance(value, ast.Call):
        yield from (each.id for each in given_to(value) if isinstance(each, ast.Name))


def _lines(block: list[ast.stmt]) -> Lines:
    return block[0].lineno, block[-1].end_lineno or block[-1].lineno


def _is_start(value: ast.expr | None) -> bool:
    """Tell whether a value is what a metric starts with: a constant, or an infinite number."""
    if isinstance(value, ast.UnaryOp):
        return _is_start(value.operand)
    if isinstance(value, ast.BinOp):
        return _is_start(value.left) and _is_start(value.right)
    if isinstance(value, ast.Call):
        name = dotted(value.func)
        return name in ARRAYS or name.rpartition(".")[2] in NUMBERS and all(map(_is_start, value.args))
    if isinstance(value, (ast.Name, ast.Attribute)):
        return dotted(value).rpartition(".")[2] in INFINITE
    return isinstance(value, ast.Constant)


def _is_update(binding: Binding, name: str, others: list[str]) -> bool:
    """Tell whether a metric is set to what it was compared with: `best = loss`, `best = max(best, accuracy)`."""
    value = binding.value
    if value is None:
        return False
    if isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] in ("max", "min"):
        return any(name_of(each) == name for each in given_to(value))
    return ast.dump(value) in others or any(ast.dump(each) in others for each in ast.walk(value))
