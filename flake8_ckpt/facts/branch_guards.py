"""Conditions: what holds in the two branches of an `if`, as short words on what runs there.

"none:x" and "some:x" (`self.x is None`), "missing:x" and "has:x" (`hasattr(self, "x")`), "unset:x" and "set:x"
(`not self.x`), "about:x" (a test that looks at x), "tensor:n" and "other:n" (`isinstance(n, Tensor)`),
"absent:n" (a local is None), "key:k" and "nokey:k" (`"k" in mapping`), "branch" (anything else).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.expressions import test
from flake8_ckpt.facts.evaluator.frame import MAX_DEPTH
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import is_text
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.frameworks.torch import TENSOR_CLASSES

Guards = tuple[str, ...]
UNCLEAR: tuple[Guards, Guards] = (("branch",), ("branch",))
OPPOSITES = {
    "none": "some",
    "missing": "has",
    "unset": "set",
    "tensor": "other",
    "absent": "present",
    "key": "nokey",
}
OPPOSITES |= {after: before for before, after in OPPOSITES.items()}


def conditions(node: ast.expr, frame: Frame) -> tuple[Guards, Guards]:
    """Evaluate a test; return what holds where it is true, and where it is false."""
    then, otherwise = _split(node, frame, frame.depth)
    about = tuple(f"about:{attr}" for attr in sorted(test(node, frame)))
    return (*then, *about), (*otherwise, *about)


def _split(node: ast.expr, frame: Frame, depth: int) -> tuple[Guards, Guards]:
    if depth > MAX_DEPTH:
        return UNCLEAR
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        then, otherwise = _split(node.operand, frame, depth + 1)
        return otherwise, then
    if isinstance(node, ast.BoolOp):
        parts = [_split(each, frame, depth + 1) for each in node.values]
        if isinstance(node.op, ast.And):
            return tuple(guard for then, _ in parts for guard in then), ("branch",)
        return ("branch",), tuple(guard for _, otherwise in parts for guard in otherwise)
    word = _word(node, frame)
    if word is None:
        return UNCLEAR
    kind, _, name = word.partition(":")
    return (word,), (f"{OPPOSITES[kind]}:{name}",)


def _word(node: ast.expr, frame: Frame) -> str | None:
    attr = self_attribute(node)
    if attr is not None:
        return f"set:{attr}"
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _contained(node, frame) or _compared(node, frame)
    if isinstance(node, ast.Call):
        return _tested(node, frame)
    return None


def _contained(node: ast.Compare, frame: Frame) -> str | None:
    if not isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return None
    key = frame.peek(node.left)
    if not isinstance(key, v.Const) or not isinstance(key.value, str):
        return None
    return f"{'key' if isinstance(node.ops[0], ast.In) else 'nokey'}:{key.value}"


def _compared(node: ast.Compare, frame: Frame) -> str | None:
    attr = self_attribute(node.left) or _fetched(node.left)
    if attr is None and not isinstance(node.left, ast.Name):
        return None
    equal = isinstance(node.ops[0], (ast.Is, ast.Eq))
    if not equal and not isinstance(node.ops[0], (ast.IsNot, ast.NotEq)):
        return None
    other = frame.peek(node.comparators[0])
    if other == v.NONE:
        if attr is None and isinstance(node.left, ast.Name):
            return f"{'absent' if equal else 'present'}:{node.left.id}"
        return f"{'none' if equal else 'some'}:{attr}"
    if attr is not None and isinstance(other, v.Const) and isinstance(other.value, bool):
        return f"{'set' if equal == other.value else 'unset'}:{attr}"
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


def _tested(node: ast.Call, frame: Frame) -> str | None:
    fetched = _fetched(node)
    if fetched is not None:
        return (
            f"{'has' if isinstance(node.func, ast.Name) and node.func.id == 'hasattr' else 'set'}:{fetched}"
        )
    given = given_to(node)
    if not given or not isinstance(given[0], ast.Name):
        return None
    callee = frame.peek(node.func)
    if not isinstance(callee, v.Name):
        return None
    name = given[0].id
    if callee.path == "torch.is_tensor":
        return f"tensor:{name}"
    if callee.path == "isinstance" and len(given) == 2:
        kind = frame.peek(given[1])
        if isinstance(kind, v.Name) and kind.path.rpartition(".")[2] in TENSOR_CLASSES:
            return f"tensor:{name}"
        if isinstance(kind, v.Name) and kind.path == "torch.nn.Module":
            return f"present:{name}"
    return None


def narrow(guards: Sequence[str], frame: Frame) -> None:
    """Bind locals to what a branch knows of them."""
    held = frame.state.locals
    for guard in guards:
        kind, _, name = guard.partition(":")
        if kind == "tensor":
            frame.state.hold(name, v.Tensor("data"))
        elif kind == "absent":
            frame.state.hold(name, v.NONE)
        elif kind == "other":
            frame.state.hold(name, _without_tensors(held.get(name, v.UNKNOWN)))
        elif kind == "present" and name in held:
            frame.state.hold(name, v.join([each for each in v.options_of(held[name]) if each != v.NONE]))


def _without_tensors(value: v.Value) -> v.Value:
    kept = [option for option in v.options_of(value) if not isinstance(option, v.Tensor)]
    return v.join(list(kept)) if kept else v.UNKNOWN
