"""Numbers that a loop carries on: counters that drive a schedule, and rates that decay, as that of exploration."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
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
# What decays from step to step: `epsilon *= 0.99`, `noise = max(low, noise * decay)`.
RATES = re.compile(
    r"(^|_)(eps|epsilon|explor\w*|noise|temperature|anneal\w*|teacher_forcing)(_|\d*$)", re.IGNORECASE
)
# The lowest, the highest or the rate of change of one of these is no such number: `eps_min`, `noise_decay`.
BOUNDS = re.compile(
    r"(^|_)(min|max|start|end|init|initial|final|decay|steps?|count|dim|shape|fn|vec)(_|$)", re.IGNORECASE
)
BOUNDED = frozenset(["min", "max", "np.clip", "np.maximum", "np.minimum", "numpy.clip", "float"])
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
    yield from _rates(node, bindings, locate)
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


def _rates(node: Function, bindings: Mapping[str, list[Binding]], locate: Locate) -> Iterator[StepCounter]:
    """Yield the rates that begin at a number or a setting, that a loop alone changes, and that something is given."""
    for name, found in bindings.items():
        if RATES.search(name) is None or BOUNDS.search(name) or "." in name:
            continue
        starts = [each for each in found if not _decays(each, name)]
        if len(found) < 2 or len(starts) != 1 or starts[0].in_loop:
            continue
        if not all(each.in_loop for each in found if each is not starts[0]) or not _is_setting(
            starts[0].value
        ):
            continue
        if _is_used(node, name, [each.statement for each in found]):
            yield StepCounter(name, locate(starts[0].statement), decays=True)


def _decays(binding: Binding, name: str) -> bool:
    """Tell whether a statement makes a rate of what it was: `eps -= step`, `eps = max(low, eps * decay)`."""
    if isinstance(binding.statement, ast.AugAssign):
        return isinstance(binding.statement.op, (ast.Mult, ast.Sub, ast.Div, ast.Add))
    return binding.value is not None and _carries(binding.value, name)


def _carries(value: ast.expr, name: str) -> bool:
    """Tell whether arithmetic gives a value, of the name and numbers."""
    if isinstance(value, ast.BinOp):
        return any(_is_named(each, name) or _carries(each, name) for each in (value.left, value.right))
    if isinstance(value, ast.Call) and dotted(value.func) in BOUNDED:
        return any(_is_named(each, name) or _carries(each, name) for each in value.args)
    return False


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_setting(value: ast.expr | None) -> bool:
    """Tell whether a value is a number, or what a constant or a configuration says: `EPS_START`, `args.eps`."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, (int, float)) and not isinstance(value.value, bool)
    return isinstance(value, (ast.Name, ast.Attribute))


def _is_used(node: Function, name: str, own: Collection[ast.stmt]) -> bool:
    """Tell whether a call is given a rate, or it decides or weighs something: to show and to keep it is no use."""
    return any(
        name in (each.id for each in _names_in(part))
        for statement in ast.walk(node)
        if isinstance(statement, ast.stmt) and statement not in own
        for part in ast.iter_child_nodes(statement)
        if isinstance(part, (ast.Call, ast.BinOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Subscript))
    )


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
