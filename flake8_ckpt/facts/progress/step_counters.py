"""Counters that drive a schedule: numbers that a loop counts up, and that a rate, a weight or a scheduler is told."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.facts.model import StepCounter
from flake8_ckpt.facts.name_bindings import Binding
from flake8_ckpt.facts.name_bindings import bindings_in
from flake8_ckpt.facts.name_bindings import name_of
from flake8_ckpt.findings import Position
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted

Locate = Callable[[ast.stmt], Position]
# What is told a step of training: `adjust_learning_rate(optimizer, step)`, `eps = 1 - step / 1e5`,
# `group["lr"] = base / step`, `if step < warmup_steps`. Each word as it stands between underscores or dots.
SCHEDULED = re.compile(
    r"(^|[_.])(lr|lrs|learning_?rates?|anneal\w*|warm\w*|decay\w*|beta|eps|epsilon|temp|temperature|tau|ramp\w*"
    r"|sched\w*|curriculum|kl\w*|lambda|momentum|coeff?s?|weight|frac|explor\w*|teacher_forcing)([_.]|\d*$)",
    re.IGNORECASE,
)
# What only tells of it: `writer.add_scalar("lr", lr, step)`, `print(...)`, `progress.set_postfix(lr=...)`.
TELLS = re.compile(
    r"(^|[._])(log\w*|print|add_\w+|write\w*|report\w*|track\w*|wandb|set_\w+fix\w*|save\w*|format|str)$"
)
ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def step_counters(
    node: Function, locate: Locate, script: Sequence[ast.stmt] = (), shared: Collection[str] = ()
) -> Iterator[StepCounter]:
    """Yield the counters of a function that begin at a constant, and that nothing but counting changes.

    One that is `shared` by the function and its file begins in the `script` of the file.
    """
    bindings: dict[str, list[Binding]] = defaultdict(list)
    for name, binding in bindings_in(node.body, False):
        bindings[name].append(binding)
    counted = {name for name, each in bindings.items() if "." not in name and any(map(_counts, each))}
    if not counted:
        return
    for name, binding in bindings_in(script, False) if not counted.isdisjoint(shared) else ():
        if name in shared:
            bindings[name].append(binding)
    begins = {
        name: found for name in counted if (found := _begin(bindings[name], name in shared)) is not None
    }
    driving = _driving(node, begins) if begins else frozenset()
    for name, statement in begins.items():
        if name in driving:
            yield StepCounter(name, locate(statement), name in shared)


def _counts(binding: Binding) -> bool:
    """Tell whether a statement adds to a counter: `step += 1`, `step = step + 1`."""
    node = binding.statement
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Add)
    value = binding.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return False
    return isinstance(node, ast.Assign) and ast.dump(value.left) == _loaded(node.targets[0])


def _loaded(target: ast.expr) -> str:
    return ast.dump(ast.Name(target.id, ast.Load())) if isinstance(target, ast.Name) else ""


def _begin(bindings: list[Binding], is_shared: bool) -> ast.stmt | None:
    """Return the only statement that sets a counter to a number, where all others count it up in a loop."""
    counts = [each for each in bindings if _counts(each)]
    starts = [each for each in bindings if each not in counts]
    if len(starts) != 1 or starts[0].in_loop or not all(each.in_loop or is_shared for each in counts):
        return None
    value = starts[0].value
    is_number = isinstance(value, ast.Constant) and type(value.value) is int
    return starts[0].statement if is_number else None


def _driving(node: Function, counters: Collection[str]) -> frozenset[str]:
    """Return the counters that reach something scheduled."""
    return frozenset(
        name.id
        for each in ast.walk(node)
        for value in _scheduled(each)
        for name in _names_in(value)
        if name.id in counters
    )


def _scheduled(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that give something scheduled its value."""
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if SCHEDULED.search(name) and not TELLS.search(name):
            yield from (*node.args, *(each.value for each in node.keywords))
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None and any(SCHEDULED.search(_word(each)) for each in targets):
            yield node.value
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ORDERS):
        sides = (node.left, node.comparators[0])
        yield from (one for one, other in (sides, sides[::-1]) if SCHEDULED.search(_word(other)))


def _word(node: ast.expr) -> str:
    """Return how the code names something: a local, an attribute, the constant key of an item."""
    if isinstance(node, ast.Subscript):
        return str(node.slice.value) if isinstance(node.slice, ast.Constant) else ""
    return node.attr if isinstance(node, ast.Attribute) else name_of(node)


def _names_in(node: ast.expr) -> Iterator[ast.Name]:
    """Yield the names in an expression, but in texts, remainders and calls that tell of something."""
    if isinstance(node, ast.Name):
        yield node
    is_told = isinstance(node, ast.Call) and TELLS.search(dotted(node.func)) is not None
    is_remainder = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.FloorDiv))
    if not is_told and not is_remainder and not isinstance(node, ast.JoinedStr):
        for each in ast.iter_child_nodes(node):
            if isinstance(each, (ast.expr, ast.keyword)):
                yield from _names_in(each.value if isinstance(each, ast.keyword) else each)
