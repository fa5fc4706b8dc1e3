"""Values that are plainly tables of integers or bools: `.to(dtype)` of a module leaves these as they are."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from flake8_ckpt.confirm.expressions import last_name

DTYPES = frozenset("bool int8 int16 int32 int64 uint8 short int long".split())
CASTS = frozenset("long bool int short byte".split())
# These take floats as well, and give integers or bools.
GIVE_INTEGERS = frozenset(
    "randperm argmax argmin argsort nonzero bucketize searchsorted tril_indices triu_indices bincount "
    "isnan isinf isfinite eq ne lt le gt ge logical_and logical_or logical_not".split()
)
# The dtype is that of what they are given first, or are called on.
KEEP = frozenset(
    "view reshape unsqueeze squeeze expand repeat flatten unflatten contiguous clone t transpose permute tril triu "
    "flip roll stack cat cumsum diag masked_fill repeat_interleave zeros_like ones_like detach cpu cuda".split()
)
FACTORIES = frozenset("zeros ones full empty eye tensor as_tensor arange linspace randint".split())
MAX_DEPTH = 8

Lookup = Callable[[str], "cst.BaseExpression | None"]


def is_integer(node: cst.BaseExpression, local: Lookup, depth: int = 0) -> bool:
    """Tell whether an expression gives a tensor of integers or bools; `local` gives the value of a local."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(node, cst.Comparison):
        return True
    if isinstance(node, cst.Name):
        value = local(node.value)
        return value is not None and is_integer(value, local, depth + 1)
    if isinstance(node, cst.Subscript):
        return is_integer(node.value, local, depth + 1)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, (cst.BitInvert, cst.Minus)):
        return is_integer(node.expression, local, depth + 1)
    if isinstance(node, cst.BinaryOperation) and isinstance(
        node.operator, (cst.BitAnd, cst.BitOr, cst.BitXor)
    ):
        return True
    return isinstance(node, cst.Call) and _is_integer_call(node, local, depth)


def _is_integer_call(call: cst.Call, local: Lookup, depth: int) -> bool:
    name, cast = last_name(call.func), _dtype_of(call)
    if cast:
        return cast in DTYPES
    if name in CASTS or name in GIVE_INTEGERS:
        return True
    if name in KEEP:
        given = _given(call)
        return given is not None and is_integer(given, local, depth + 1)
    if name in FACTORIES:
        return name in ("arange", "tensor", "as_tensor", "randint") and all(
            _are_integers(each.value) for each in call.args if each.keyword is None
        ) and any(each.keyword is None for each in call.args)  # fmt: skip
    return False


def _dtype_of(call: cst.Call) -> str:
    """Return the dtype that a call names: `dtype=torch.long`, `.to(torch.bool)`, `.type(torch.int)`."""
    for each in call.args:
        is_named = each.keyword is not None and each.keyword.value == "dtype"
        is_given = each.keyword is None and last_name(call.func) in ("to", "type")
        if is_named or is_given and isinstance(each.value, cst.Attribute):
            return last_name(each.value) or "unknown"
    return ""


def _given(call: cst.Call) -> cst.BaseExpression | None:
    """Return the tensor that a call begins with: the first argument of `torch.f(x)`, or the x of `x.f()`."""
    if isinstance(call.func, cst.Attribute) and last_name(call.func.value) not in ("torch", "np"):
        return call.func.value
    if not call.args:
        return None
    first = call.args[0].value
    if isinstance(first, (cst.List, cst.Tuple)):
        return first.elements[0].value if first.elements else None
    return first


def _are_integers(node: cst.BaseExpression) -> bool:
    """Tell whether an expression is whole numbers or bools, or nested lists of these, as it stands."""
    if isinstance(node, (cst.List, cst.Tuple)):
        return bool(node.elements) and all(_are_integers(each.value) for each in node.elements)
    if isinstance(node, cst.UnaryOperation):
        return isinstance(node.operator, cst.Minus) and _are_integers(node.expression)
    if isinstance(node, cst.BinaryOperation):
        is_whole = isinstance(node.operator, (cst.Add, cst.Subtract, cst.Multiply, cst.FloorDivide))
        return is_whole and _are_integers(node.left) and _are_integers(node.right)
    if isinstance(node, cst.Call):
        return last_name(node.func) in ("len", "int")
    if isinstance(node, cst.Attribute):
        return False
    return isinstance(node, cst.Integer) or isinstance(node, cst.Name) and node.value in ("True", "False")
