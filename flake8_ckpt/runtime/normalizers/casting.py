"""Casts of a whole module, such as `.half()`, move statistics to the device and leave their dtype alone."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def without_casts(fn: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return a function for `nn.Module._apply` that moves tensors as the given one does, in the dtype they have."""

    def move(tensor: Tensor) -> Tensor:
        moved = fn(tensor)
        return moved if moved.dtype == tensor.dtype else tensor.to(moved.device)

    return move


def as_floating(x: Tensor) -> Tensor:
    """Return the tensor itself, or as float32 where its dtype is not a floating one."""
    check_real(x)
    return x if x.is_floating_point() else x.float()


def check_real(x: Tensor) -> None:
    """Raise `TypeError` where a tensor is complex."""
    if x.is_complex():
        raise TypeError("complex input has no order to normalize by: give its real and imaginary parts")
