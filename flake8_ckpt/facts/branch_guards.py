"""Conditions: what holds in the two branches of an `if`, as short words on what runs there.

"none:x" and "some:x" (`self.x is None`), "missing:x" and "has:x" (`hasattr(self, "x")`), "unset:x" and "set:x"
(`not self.x`), "about:x" (a test that looks at x), "tensor:n" and "other:n" (`isinstance(n, Tensor)`),
"absent:n" (a local is None), "key:k" and "nokey:k" (`"k" in mapping`), "branch" (anything else).
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from flake8_ckpt.facts import expressions as ev
from flake8_ckpt.facts.frame import Frame
from flake8_ckpt.facts.path_states import State
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch import TENSOR_CLASSES

Guards = tuple[str, ...]
OPPOSITES = {
    "none": "some",
    "missing": "has",
    "unset": "set",
    "tensor": "other",
    "absent": "present",
    "key": "nokey",
}
OPPOSITES |= {after: before for before, after in OPPOSITES.items()}


def conditions(node: cst.BaseExpression, frame: Frame) -> tuple[Guards, Guards]:
    """Evaluate a test; return what holds where it is true, and where it is false."""
    then, otherwise = _split(node, Quiet(frame))
    about = tuple(f"about:{attr}" for attr in sorted(ev.test(node, frame)))
    return (*then, *about), (*otherwise, *about)


class Quiet:
    """A frame for looking at an expression once more without noting its uses again."""

    def __init__(self, frame: Frame) -> None:
        self.frame = Frame(frame.names, state=State(dict(frame.state.locals)))

    def evaluate(self, node: cst.BaseExpression) -> Value:
        """Evaluate an expression."""
        return ev.evaluate(node, self.frame)


def _split(node: cst.BaseExpression, quiet: Quiet) -> tuple[Guards, Guards]:
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        then, otherwise = _split(node.expression, quiet)
        return otherwise, then
    if isinstance(node, cst.BooleanOperation):
        left, right = _split(node.left, quiet), _split(node.right, quiet)
        if isinstance(node.operator, cst.And):
            return (*left[0], *right[0]), ("branch",)
        return ("branch",), (*left[1], *right[1])
    word = _word(node, quiet)
    if word is None:
        return ("branch",), ("branch",)
    kind, _, name = word.partition(":")
    return (word,), (f"{OPPOSITES[kind]}:{name}",)


def _word(node: cst.BaseExpression, quiet: Quiet) -> str | None:
    attr = self_attribute(node)
    if attr is not None:
        return f"set:{attr}"
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        return _contained(node, quiet) or _compared(node, quiet)
    if isinstance(node, cst.Call):
        return _tested(node, quiet)
    return None


def _contained(node: cst.Comparison, quiet: Quiet) -> str | None:
    operator = node.comparisons[0].operator
    if not isinstance(operator, (cst.In, cst.NotIn)):
        return None
    key = quiet.evaluate(node.left)
    if not isinstance(key, Const) or not isinstance(key.value, str):
        return None
    return f"{'key' if isinstance(operator, cst.In) else 'nokey'}:{key.value}"


def _compared(node: cst.Comparison, quiet: Quiet) -> str | None:
    target = node.comparisons[0]
    other = quiet.evaluate(target.comparator)
    attr = self_attribute(node.left) or _fetched(node.left)
    if attr is None and not isinstance(node.left, cst.Name):
        return None
    equal = isinstance(target.operator, (cst.Is, cst.Equal))
    if not equal and not isinstance(target.operator, (cst.IsNot, cst.NotEqual)):
        return None
    if other == NONE:
        if attr is None and isinstance(node.left, cst.Name):
            return f"{'absent' if equal else 'present'}:{node.left.value}"
        return f"{'none' if equal else 'some'}:{attr}"
    if attr is not None and isinstance(other, Const) and isinstance(other.value, bool):
        return f"{'set' if equal == other.value else 'unset'}:{attr}"
    return None


def _fetched(node: cst.BaseExpression) -> str | None:
    """Return x where a node is `getattr(self, "x", ...)` or `hasattr(self, "x")`."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Name) or len(node.args) < 2:
        return None
    owner, key = node.args[0].value, node.args[1].value
    if node.func.value in ("getattr", "hasattr") and isinstance(owner, cst.Name) and owner.value == "self":
        if isinstance(key, cst.SimpleString) and isinstance(key.evaluated_value, str):
            return key.evaluated_value
    return None


def _tested(node: cst.Call, quiet: Quiet) -> str | None:
    fetched = _fetched(node)
    if fetched is not None:
        return f"{'has' if isinstance(node.func, cst.Name) and node.func.value == 'hasattr' else 'set'}:{fetched}"
    callee = quiet.evaluate(node.func)
    if not isinstance(callee, Name) or not node.args or not isinstance(node.args[0].value, cst.Name):
        return None
    name = node.args[0].value.value
    if callee.path == "torch.is_tensor":
        return f"tensor:{name}"
    if callee.path == "isinstance" and len(node.args) == 2:
        kind = quiet.evaluate(node.args[1].value)
        if isinstance(kind, Name) and kind.path.rpartition(".")[2] in TENSOR_CLASSES:
            return f"tensor:{name}"
        if not isinstance(kind, Container):
            return f"present:{name}" if isinstance(kind, Name) and kind.path == "torch.nn.Module" else None
    return None


def narrow(guards: Sequence[str], frame: Frame) -> None:
    """Bind locals to what a branch knows of them."""
    for guard in guards:
        kind, _, name = guard.partition(":")
        if kind == "tensor":
            frame.state.locals[name] = Tensor("data")
        elif kind == "absent":
            frame.state.locals[name] = NONE
        elif kind == "other":
            frame.state.locals[name] = _without_tensors(frame.state.locals.get(name, UNKNOWN))
        elif kind == "present" and name in frame.state.locals:
            options = [option for option in options_of(frame.state.locals[name]) if option != NONE]
            frame.state.locals[name] = join(options)


def _without_tensors(value: Value) -> Value:
    kept = [option for option in options_of(value) if not isinstance(option, Tensor)]
    return join(list(kept)) if kept else UNKNOWN
