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
