"""What a tensor's making says besides its numbers: whether it was put on a device by hand, whether it is 0-dim."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from msgspec.structs import replace

from flake8_ckpt.facts import values as v
from flake8_ckpt.frameworks.torch import DTYPES
from flake8_ckpt.frameworks.torch import MOVES
from flake8_ckpt.frameworks.torch import OPERATIONS

# `torch.tensor(alpha)`: a tensor without dimensions if what it is given is one number.
FROM_NUMBER = frozenset("torch.tensor torch.as_tensor torch.scalar_tensor torch.asarray".split())
# `torch.zeros(())`, `torch.full([], 0.5)`.
BY_SHAPE = frozenset(f"torch.{name}" for name in "zeros ones empty full rand randn".split())
# Functions and methods that give as many dimensions as they are given.
ELEMENTWISE = frozenset(
    "abs add clamp clone contiguous cos detach div double exp float half int log log10 log1p log2 long mul neg"
    " pow reciprocal relu requires_grad_ rsqrt sigmoid sin softplus sqrt square sub tanh to type cpu cuda".split()
)
# Without arguments these reduce everything to one number.
REDUCTIONS = frozenset("max mean min norm prod std sum var".split())


def of_call(made: v.Value, path: str, args: Sequence[v.Value], keywords: Mapping[str, v.Value]) -> v.Value:
    """Return what a function of torch makes, with what its arguments say of device and dimensions."""
    if not isinstance(made, v.Tensor):
        return made
    tensors = [each for each in args if isinstance(each, v.Tensor)]
    name = path.rpartition(".")[2]
    placed = keywords.get("device", v.NONE) != v.NONE or any(each.placed for each in tensors)
    placed = placed or name in OPERATIONS and any(map(_is_handed_in, args))
    whole = name in REDUCTIONS and len(args) == 1 and not keywords
    scalar = (
        whole
        or _is_one_number(path, args)
        or (name in ELEMENTWISE and bool(tensors) and all(each.scalar for each in tensors))
    )
    return replace(made, placed=placed, scalar=scalar) if placed or scalar else made


def _is_handed_in(value: v.Value) -> bool:
    """Tell whether a value was made of what the caller handed in alone: it lies where the caller put it."""
    while not isinstance(value, v.Param):
        if isinstance(value, v.Call) and isinstance(value.callee, v.Attr):
            value = value.callee.base
        elif isinstance(value, (v.Item, v.Element)):
            value = value.base
        else:
            return False
    return value.name not in ("self", "cls")


def _is_one_number(path: str, args: Sequence[v.Value]) -> bool:
    if path in FROM_NUMBER:
        return len(args) > 0 and _is_number(args[0])
    shape = args[0] if path in BY_SHAPE and args else None
    return isinstance(shape, v.Container) and shape.size == 0


def _is_number(value: v.Value) -> bool:
    if isinstance(value, v.Const):
        return isinstance(value.value, (bool, int, float))
    if isinstance(value, v.Arith):
        return all(_is_number(each) for each in value.operands)
    return isinstance(value, v.Number) or _is_bound(value)


def _is_bound(value: v.Value) -> bool:
    """Tell whether a value is one of two numbers that a caller hands in: `bounds[1]`."""
    return (
        isinstance(value, v.Item)
        and isinstance(value.base, v.Param)
        and isinstance(value.key, v.Const)
        and isinstance(value.key.value, int)
    )


def of_method(
    made: v.Value, base: v.Tensor, name: str, args: Sequence[v.Value], keywords: Mapping[str, v.Value]
) -> v.Value:
    """Return what a method of a tensor gives, with what the tensor and the arguments say of device and dimensions."""
    if not isinstance(made, v.Tensor):
        return made
    placed = base.placed or name in MOVES and not _is_cast(name, args, keywords)
    scalar = base.scalar and name in ELEMENTWISE or name in REDUCTIONS and not args and not keywords
    return replace(made, placed=placed, scalar=scalar) if placed or scalar else made


def _is_cast(name: str, args: Sequence[v.Value], keywords: Mapping[str, v.Value]) -> bool:
    """Tell whether `.to(...)` is given a dtype, and no device."""
    if name != "to" or "device" in keywords:
        return False
    return all(isinstance(each, v.Name) and each.path in DTYPES for each in args)


def of_arithmetic(made: v.Value, operands: Sequence[v.Value]) -> v.Value:
    """Return what arithmetic gives, on the device of its operands."""
    if not isinstance(made, v.Tensor):
        return made
    placed = any(isinstance(each, v.Tensor) and each.placed for each in operands)
    scalar = all(each.scalar if isinstance(each, v.Tensor) else _is_number(each) for each in operands)
    return replace(made, placed=placed, scalar=scalar) if placed or scalar else made


def of_part(whole: v.Tensor) -> v.Tensor:
    """Return an item or element of a tensor: it lies where the whole does."""
    return v.Tensor(whole.origin, placed=whole.placed)
