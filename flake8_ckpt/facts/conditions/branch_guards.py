"""Conditions: what holds in the two branches of an `if`, and what a branch knows of locals."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.expressions import test
from flake8_ckpt.facts.evaluator.frame import MAX_DEPTH
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.key_text import as_key
from flake8_ckpt.facts.model import BRANCH
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.model import GuardKind
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.program_text import spans
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import is_text
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.torch_calls import instance_of
from flake8_ckpt.frameworks.torch import TENSOR_CLASSES
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import is_main

UNCLEAR: tuple[Guards, Guards] = ((BRANCH,), (BRANCH,))
OPPOSITES: dict[GuardKind, GuardKind] = {
    "none": "some",
    "missing": "has",
    "unset": "set",
    "tensor": "other",
    "absent": "present",
    "weight": "noweight",
    "key": "nokey",
}
ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
OPPOSITES |= {after: before for before, after in OPPOSITES.items()}


def conditions(node: ast.expr, frame: Frame) -> tuple[Guards, Guards]:
    """Evaluate a test; return what holds where it is true, and where it is false."""
    then, otherwise = _split(node, frame, frame.depth)
    about = tuple(Guard("about", attr) for attr in sorted(test(node, frame)))
    compared = set(_compared_in_order(node)) if spans(node, frame.ordered) else ()
    order = tuple(Guard("order", attr) for attr in sorted(compared))
    return (*then, *about, *order), (*otherwise, *about, *order)


def _compared_in_order(node: ast.expr) -> Iterator[str]:
    """Yield the attributes that a test compares with something by less or greater: a best score, a limit."""
    for each in ast.walk(node):
        if isinstance(each, ast.Compare) and any(isinstance(op, ORDERS) for op in each.ops):
            for part in ast.walk(each):
                attr = self_attribute(part)
                if attr is not None:
                    yield attr


def decided(node: ast.expr) -> bool | None:
    """Tell what a test always gives where a file runs as a program, None where that is not known."""
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = decided(node.operand) if not isinstance(node.operand, ast.UnaryOp) else None
        return None if inner is None else not inner
    if dotted(node) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        return False
    return True if is_main(node) else None


def _option(node: ast.expr) -> str:
    """Return the path that a test asks alone: `args.resume`, also `args.resume is not None` and `!= ""`.

    One that asks which of several modes is chosen ends with the mode: "args.mode.resume".
    """
    mode = ""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.comparators[0], ast.Constant):
        other = node.comparators[0].value
        if isinstance(node.ops[0], ast.Eq) and isinstance(other, str) and "resume" in other:
            mode = f".{other}"
        elif not isinstance(node.ops[0], (ast.IsNot, ast.NotEq)) or other not in (None, "", False, 0, -1):
            return ""
        node = node.left
    if not isinstance(node, ast.Attribute) or self_attribute(node) is not None and not mode:
        return ""
    path = dotted(node)
    return path and f"{path}{mode}"


def _split(node: ast.expr, frame: Frame, depth: int) -> tuple[Guards, Guards]:
    if depth > MAX_DEPTH:
        return UNCLEAR
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        then, otherwise = _split(node.operand, frame, depth + 1)
        return otherwise, then
    if isinstance(node, ast.BoolOp):
        parts = [_split(each, frame, depth + 1) for each in node.values]
        if isinstance(node.op, ast.And):
            return tuple(guard for then, _ in parts for guard in then), (BRANCH,)
        return (BRANCH,), tuple(guard for _, otherwise in parts for guard in otherwise)
    option = _option(node)
    if option:
        return (Guard("option", option),), (BRANCH,)
    guard = _guard(node, frame)
    asked = _resume_flag(node)
    if guard is None:
        return (asked, BRANCH) if asked else (BRANCH,), (BRANCH,)
    return (guard, asked) if asked else (guard,), (Guard(OPPOSITES[guard.kind], guard.name),)


def _resume_flag(node: ast.expr) -> Guard | None:
    """Return the option that a local stands for which says that training goes on: `if is_resume:`."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.IsNot):
        node = node.left
    is_flag = isinstance(node, ast.Name) and "resume" in node.id
    return Guard("option", node.id) if is_flag and isinstance(node, ast.Name) else None


def _guard(node: ast.expr, frame: Frame) -> Guard | None:
    attr = self_attribute(node)
    if attr is not None:
        return Guard("set", attr)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _contained(node, frame) or _compared(node, frame)
    if isinstance(node, ast.Call):
        return _tested(node, frame)
    return None


def _contained(node: ast.Compare, frame: Frame) -> Guard | None:
    if not isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return None
    key = as_key(frame.peek(node.left))
    if not isinstance(key, v.Const) or not isinstance(key.value, str):
        return None
    return Guard("key" if isinstance(node.ops[0], ast.In) else "nokey", key.value)


def _compared(node: ast.Compare, frame: Frame) -> Guard | None:
    attr = self_attribute(node.left) or _fetched(node.left)
    if attr is None and not isinstance(node.left, ast.Name):
        return None
    equal = isinstance(node.ops[0], (ast.Is, ast.Eq))
    if not equal and not isinstance(node.ops[0], (ast.IsNot, ast.NotEq)):
        return None
    other = frame.peek(node.comparators[0])
    if other == v.NONE:
        if attr is None and isinstance(node.left, ast.Name):
            return Guard("absent" if equal else "present", node.left.id)
        return Guard("none" if equal else "some", attr or "")
    if attr is not None and isinstance(other, v.Const) and isinstance(other.value, bool):
        return Guard("set" if equal == other.value else "unset", attr)
    return None


def _fetched(node: ast.expr) -> str | None:
    """Return x where a node is `getattr(self, "x", ...)` or `hasattr(self, "x")`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    given = given_to(node)
    if node.func.id not in ("getattr", "hasattr") or len(given) < 2:
        return None
    owner, key = given[:2]
    if isinstance(owner, ast.Name) and owner.id == "self" and isinstance(key, ast.Constant):
        return key.value if isinstance(key.value, str) and is_text(key.value) else None
    return None


def _tested(node: ast.Call, frame: Frame) -> Guard | None:
    fetched = _fetched(node)
    if fetched is not None:
        asks = isinstance(node.func, ast.Name) and node.func.id == "hasattr"
        return Guard("has" if asks else "set", fetched)
    given = given_to(node)
    if not given or not isinstance(given[0], ast.Name):
        return None
    callee = frame.peek(node.func)
    if not isinstance(callee, v.Name):
        return None
    name = given[0].id
    if callee.path == "torch.is_tensor":
        return Guard("tensor", name)
    if callee.path == "isinstance" and len(given) == 2:
        kind = frame.peek(given[1])
        if isinstance(kind, v.Name) and kind.path.rpartition(".")[2] in TENSOR_CLASSES:
            return Guard("tensor", name)
        if isinstance(kind, v.Name) and kind.path == "torch.nn.Module":
            return Guard("present", name)
        if isinstance(kind, v.Name) and isinstance(instance_of(kind.path), v.Parameter):
            return Guard("weight", name)
    return None


def narrow(guards: Guards, frame: Frame) -> None:
    """Bind locals to what a branch knows of them."""
    held = frame.state.locals
    for guard in guards:
        kind, name = guard.kind, guard.name
        if kind == "tensor":
            frame.state.hold(name, v.Tensor("data"))
        elif kind == "weight":
            frame.state.hold(name, v.Parameter())
        elif kind == "absent":
            frame.state.hold(name, v.NONE)
        elif kind == "other":
            frame.state.hold(name, _without_tensors(held.get(name, v.UNKNOWN)))
        elif kind == "present" and name in held:
            frame.state.hold(name, v.join([each for each in v.options_of(held[name]) if each != v.NONE]))


def _without_tensors(value: v.Value) -> v.Value:
    kept = [option for option in v.options_of(value) if not isinstance(option, v.Tensor)]
    return v.join(list(kept)) if kept else v.UNKNOWN
