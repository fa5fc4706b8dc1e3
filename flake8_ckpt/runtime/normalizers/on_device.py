"""A batch where no number may be read: on a GPU, on `meta`, and while code is compiled, exported or transformed.

Everything stays a tensor, so that nothing waits for the device, in as few calls as there can be: on a GPU a call
costs more than its arithmetic. Sums are taken in float64. Whether a batch counts at all is decided on the device.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers import compiled
from flake8_ckpt.runtime.normalizers.moments import Moments

# As a tensor, because `where` makes one of a number at each call; on the CPU, where one of shape `()` goes anywhere.
ZERO = torch.zeros((), device="cpu")


class Batch(NamedTuple):
    """What a batch brings: its moments, how many rows count, and minus how many were rejected, `None` for none.

    The numbers are int64 of shape `()`, or `int`. Minus, because that is one call less.
    """

    moments: Moments
    number: Tensor | int
    refused: Tensor | int | None


def batch_of(rows: Tensor, keep: Tensor | None, nonfinite: str, mean: Tensor, is_open: Tensor) -> Batch:
    """Return what the rows bring, of which a mask, bool of shape `(n,)`, keeps some; none where it is not open.

    Raises `ValueError` for rows that are not finite where that is to be raised, which waits for the device.
    """
    if nonfinite == "propagate" or not rows.is_floating_point():
        return batch_of_all(rows, mean, is_open) if keep is None else batch_of_kept(rows, keep & is_open)
    finite = is_finite(rows)
    if nonfinite == "raise" and not bool((finite if keep is None else finite | ~keep).all()):
        raise ValueError(f"{int((~finite).sum())} of {len(rows)} rows hold NaN or infinity")
    batch = batch_of_kept(rows, finite & is_open if keep is None else finite & keep & is_open)
    if keep is None:
        return batch._replace(refused=torch.add(batch.number, is_open, alpha=-len(rows)))
    return batch._replace(refused=batch.number - (keep & is_open).sum())


def batch_of_all(rows: Tensor, mean: Tensor, is_open: Tensor) -> Batch:
    """Return what the rows bring, none where `is_open`, bool of shape `()`, is false."""
    number = is_open * rows.shape[0]
    if compiled.is_for_cpu(rows):
        center, var = compiled.mean_and_var(rows)
        return Batch(
            Moments(number, torch.where(is_open, center, mean), torch.where(is_open, var, 0.0)), number, None
        )
    # Rows that do not count become the mean, and so bring nothing, not even their NaN; `where` makes float64 too.
    var, center = torch.var_mean(torch.where(is_open, rows, _in_axes(mean)), 0, correction=0)
    return Batch(Moments(number, center, var), number, None)


def batch_of_kept(rows: Tensor, keep: Tensor) -> Batch:
    """Return what the rows bring that a mask, bool of shape `(n,)`, keeps."""
    number = keep.sum()
    column = keep.reshape(-1, *[1] * (rows.dim() - 1))
    divisor = number.clamp(min=1)
    center = torch.where(column, rows, ZERO).sum(0, dtype=torch.float64) / divisor
    # The other rows deviate by nothing. What is subtracted from the number of rows leaves the sum undivided.
    squares = torch.where(column, rows, _in_axes(center)).var(0, correction=rows.shape[0] - 1)
    return Batch(Moments(number, center, squares / divisor), number, None)


def is_finite(rows: Tensor) -> Tensor:
    """Return which rows hold neither NaN nor infinity, bool of shape `(n,)`."""
    largest = (
        torch.linalg.vector_norm(rows, math.inf, tuple(range(1, rows.dim())))
        if rows.dim() > 1
        else rows.abs()
    )
    return largest < math.inf


def _in_axes(row: Tensor) -> Tensor:
    # Of shape `()`, it would not decide the dtype of the result.
    return row.unsqueeze(0)


def normalize(
    x: Tensor, mean: Tensor, var: Tensor, count: Tensor, epsilon: Tensor, clip: Tensor, min_count: Tensor
) -> Tensor:
    """Return the input in units of standard deviations from the mean, within `clip`; itself below `min_count` rows."""
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        if mean.dim() > 0 and compiled.is_for_cpu(x):
            return compiled.normalize(x, mean, var, count, epsilon, clip, min_count)
    wide = x if x.is_floating_point() and mean.dim() > 0 else x.double()
    y = torch.clamp((wide - mean) * (var + epsilon).rsqrt(), clip[0], clip[1])
    return torch.where(count < min_count, wide, y).to(x.dtype if x.is_floating_point() else torch.float32)


def denormalize(
    y: Tensor, mean: Tensor, var: Tensor, count: Tensor, epsilon: Tensor, min_count: Tensor
) -> Tensor:
    """Return the value that `normalize` turns into `y`, as far as it did not clip."""
    wide = y.double()
    x = torch.where(count < min_count, wide, torch.addcmul(mean, wide, (var + epsilon).sqrt()))
    return x.to(y.dtype if y.is_floating_point() else torch.float32)
