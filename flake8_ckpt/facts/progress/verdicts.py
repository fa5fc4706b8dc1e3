"""What functions tell of a best metric, and what their callers decide by it: `is_best = tracker.update(loss)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.facts.model import WHOLE
from flake8_ckpt.facts.model import Verdict
from flake8_ckpt.facts.program_text import spans
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.findings import Position
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements

Locate = Callable[[ast.stmt], Position]
Lines = tuple[int, int]
# What saves nothing by a verdict is without any of these.
SAVES = re.compile(r"save|copy|dump|checkpoint", re.I)
# Of what a call that saves is given these say how good it is: `save(net, is_best)`.
FLAGS = re.compile(r"best|better|improve", re.I)


def told_by(body: Sequence[ast.stmt], flags: frozenset[str], blocks: Sequence[Lines]) -> tuple[int, ...]:
    """Return at which places of its result a function tells that a value is the best, `WHOLE` for all of it.

    It gives one of some `flags` back, or True in one of the lines that a better value decides.
    """
    found: dict[int, None] = {}
    for node in body:
        if isinstance(node, ast.Return) and node.value is not None:
            inside = any(first <= node.lineno <= last for first, last in blocks)
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for index, part in enumerate(parts):
                is_true = inside and isinstance(part, ast.Constant) and part.value is True
                if is_true or isinstance(part, ast.Name) and part.id in flags:
                    found[index if isinstance(node.value, ast.Tuple) else WHOLE] = None
    return tuple(found)


def saving_in(lines: list[str]) -> frozenset[int]:
    """Return the numbers of the lines that may save something."""
    return frozenset(number for number, line in enumerate(lines, 1) if SAVES.search(line) is not None)


def verdicts(node: Function, saving: frozenset[int], locate: Locate) -> Iterator[Verdict]:
    """Yield the calls of a function whose result, or a part of it, decides by itself what runs and saves.

    Nothing is saved but in the lines that are `saving`.
    """
    if not spans(node, saving):
        return
    body = [each for each in statements(node.body) if isinstance(each, (ast.Assign, ast.If, ast.Expr))]
    asked: dict[str, list[tuple[Position, int]]] = {}
    for each in body:
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call) and len(each.targets) == 1:
            for name, index in _names(each.targets[0]):
                asked.setdefault(name, []).append((locate(each), index))
    for each in body:
        if not spans(each, saving):
            continue
        names = (part.id for part in _deciding(each) if isinstance(part, ast.Name))
        found = [where for name in names for where in asked.get(name, ())]
        found += [(locate(each), WHOLE) for part in _deciding(each) if isinstance(part, ast.Call)]
        block = _saving_block(each) if found else None
        if block is not None:
            yield from (Verdict(position, index, block) for position, index in found)


def _names(target: ast.expr) -> Iterator[tuple[str, int]]:
    """Yield the locals that a result is bound to, each with its place in it."""
    if isinstance(target, ast.Name):
        yield target.id, WHOLE
    elif isinstance(target, ast.Tuple):
        yield from ((each.id, index) for index, each in enumerate(target.elts) if isinstance(each, ast.Name))


def _saving_block(node: ast.stmt) -> Lines | None:
    """Return the lines of a statement that a test decides, or of a call that is given a flag, where these may save."""
    block: list[ast.stmt] = node.body if isinstance(node, ast.If) else [node]
    if isinstance(node, ast.If):
        calls = [each for one in block for each in ast.walk(one) if isinstance(each, ast.Call)]
    else:
        calls = [node.value] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else []
    if not any(SAVES.search(dotted(each.func).rpartition(".")[2]) for each in calls):
        return None
    return block[0].lineno, block[-1].end_lineno or block[-1].lineno


def _deciding(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield what must be true for a block to run, or what a call is given."""
    if isinstance(node, ast.If):
        is_all = isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And)
        yield from node.test.values if is_all else [node.test]  # type: ignore[attr-defined]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield from (
            each for each in given_to(node.value) if isinstance(each, ast.Name) and FLAGS.search(each.id)
        )
