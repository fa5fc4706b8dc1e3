"""Input as a tensor, checked against the shape of a row, and batches as rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def as_tensor(x: Any, device: torch.device) -> Tensor:
    """Return a tensor as it is, and an array, a number or a nested list as a tensor on a device."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (list, tuple)) and x and not isinstance(x[0], (bool, int, float)):
        return torch.stack([as_tensor(each, device) for each in x])
    # An array that cannot be written, or runs backwards, has no tensor of the same memory.
    flags = getattr(x, "flags", None)
    if flags is not None and not (flags.writeable and all(step >= 0 for step in x.strides)):
        x = x.copy()
    try:
        return torch.as_tensor(x, device=device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(
            f"input is a tensor, an array or a list of numbers, not a {type(x).__name__}"
        ) from error


def check_device(x: Tensor, device: torch.device) -> None:
    """Raise `ValueError` where a tensor does not lie where the statistics do."""
    if x.device != device:
        raise ValueError(
            f"the input is on {x.device}, the statistics are on {device}: move one of them with .to()"
        )


def check_real(x: Tensor) -> None:
    """Raise `TypeError` where a tensor is complex."""
    if x.is_complex():
        raise TypeError("complex input has no order to normalize by: give its real and imaginary parts")


def check_rows(x: Tensor, shape: torch.Size) -> None:
    """Raise `ValueError` where a tensor does not end in the shape of a row, `TypeError` where it is complex."""
    check_real(x)
    # While `torch.jit.trace` runs, sizes are tensors, and to compare them is a warning.
    if torch._C._get_tracing_state() is None and x.shape[x.dim() - len(shape) :] != shape:
        raise ValueError(f"rows of shape {tuple(shape)} are needed, but the input has shape {tuple(x.shape)}")


def as_rows(x: Tensor, shape: torch.Size) -> Tensor:
    """Return a batch, shape `(*batch, *shape)`, as rows, shape `(n, *shape)`."""
    axes = x.dim() - len(shape)
    return x if axes == 1 else x.reshape(x.shape[:axes].numel(), *shape)


def check_mask(mask: Tensor | None, x: Tensor, shape: torch.Size) -> None:
    """Raise `ValueError` where a mask does not have one value for each row, `TypeError` where it is not bool."""
    if mask is None:
        return
    if mask.dtype != torch.bool:
        raise TypeError(f"a mask is bool, not {mask.dtype}")
    batch = x.shape[: x.dim() - len(shape)]
    if mask.shape != batch:
        raise ValueError(f"the mask has shape {tuple(mask.shape)}, but the batch {tuple(batch)}")
