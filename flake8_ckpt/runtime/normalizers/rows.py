"""Batches as rows: checked, and in the dtype in which they are summed."""

from __future__ import annotations

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.casting import check_real

# Up to this many numbers, sums in float64 cost no more than in float32.
SMALL = 2**17
# Larger batches of these are summed as float32, which holds each value exactly; all others as float64.
EXACT = frozenset(
    [torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.uint8, torch.int8, torch.int16]
)


def check_rows(x: Tensor, shape: torch.Size) -> None:
    """Raise `ValueError` where a tensor does not end in the shape of a row, `TypeError` where it is complex."""
    check_real(x)
    if x.shape[x.dim() - len(shape) :] != shape:
        raise ValueError(f"rows of shape {tuple(shape)} are needed, but the input has shape {tuple(x.shape)}")


def as_rows(x: Tensor, shape: torch.Size, dtype: torch.dtype | None) -> Tensor:
    """Return a batch, shape `(*batch, *shape)`, as rows, shape `(n, *shape)`; float64 for `None` if that is cheap."""
    check_rows(x, shape)
    if dtype is None:
        dtype = torch.float32 if x.numel() > SMALL and x.dtype in EXACT else torch.float64
    axes = x.dim() - len(shape)
    rows = x.to(dtype)
    return rows if axes == 1 else rows.reshape(x.shape[:axes].numel(), *shape)


def as_column(mask: Tensor, rows: Tensor) -> Tensor:
    """Return a mask over rows, shape `(n,)`, in a shape that broadcasts over what is in a row."""
    return mask.reshape(-1, *[1] * (rows.dim() - 1))


def check_mask(mask: Tensor | None, x: Tensor, shape: torch.Size) -> None:
    """Raise `ValueError` where a mask does not have one value for each row, `TypeError` where it is not bool."""
    if mask is None:
        return
    if mask.dtype != torch.bool:
        raise TypeError(f"a mask is bool, not {mask.dtype}")
    batch = x.shape[: x.dim() - len(shape)]
    if mask.shape != batch:
        raise ValueError(f"the mask has shape {tuple(mask.shape)}, but the batch {tuple(batch)}")
