"""The mathematics: weight, mean and variance of a sample, and how samples merge.

The merge is the pairwise formula of Chan, Golub and LeVeque (1979), "Updating Formulae and a Pairwise Algorithm
for Computing Sample Variances"; the moments of a batch come from the two-pass algorithm with the correction of
the same paper. No function waits for a device.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Columns of float32 are summed over so few rows at a time, so that the rounding of the sums averages out.
ROWS_OF_PART = 8
# Larger batches are taken piece by piece on a CPU: what does not fit its cache costs more than the arithmetic.
PIECE = 2**18
# The weight of no rows at all: it disappears beside any row, and can be divided by.
TINY = 1e-300


class Moments(NamedTuple):
    """What is known of a sample.

    `weight` is the number of rows: float64 of shape `()`, or a number. `mean` and `var`, the population variance,
    are float64 and have the shape of one row.
    """

    weight: Tensor | float
    mean: Tensor
    var: Tensor


def fold(mean: Tensor, var: Tensor, batch: Moments, share: Tensor | float) -> None:
    """Take a sample into mean and variance, in place; `share` is its part of the weight of both together.

    All may be of shape `()`, or of one shape that they broadcast to.
    """
    delta = batch.mean - mean
    mean.lerp_(batch.mean, share)
    var.lerp_(torch.addcmul(batch.var, delta, batch.mean - mean), share)


def pooled(weights: Tensor, means: Tensor, variances: Tensor) -> Moments:
    """Return the moments of `r` samples together, in as many calls for any `r`; some may be empty, or all.

    `weights` is float64 of shape `(r,)`, the others of shape `(r, *shape)`.
    """
    total = weights.sum()
    share = (weights / total.clamp(min=TINY)).reshape(-1, *[1] * (means.dim() - 1))
    first = means[0]
    mean = first + ((means - first) * share).sum(0)
    spread = means - mean
    return Moments(total, mean, (torch.addcmul(variances, spread, spread) * share).sum(0))


def small_moments(rows: Tensor) -> Moments:
    """Return the moments of at least one row, float64 of shape `(n, *shape)`, in few calls on a CPU."""
    number = rows.shape[0]
    if number == 1:
        return Moments(1, rows[0], torch.zeros_like(rows[0]))
    mean = rows.sum(0).div_(number)
    deviation = rows - mean
    return Moments(number, mean, deviation.mul_(deviation).sum(0).div_(number))


def large_moments(rows: Tensor) -> Moments:
    """Return the moments of at least two rows of float32 or float64, shape `(n, *shape)`, in little memory of a CPU.

    Sums of float32 that overflow are taken again in float64.
    """
    size = max(2, PIECE * rows.shape[0] // max(1, rows.numel()))
    pieces = [_of_piece(piece) for piece in torch.split(rows, size)]
    if len(pieces) == 1:
        return pieces[0]
    weights = torch.tensor([piece.weight for piece in pieces], dtype=torch.float64)
    return pooled(
        weights, torch.stack([each.mean for each in pieces]), torch.stack([each.var for each in pieces])
    )


def _of_piece(rows: Tensor) -> Moments:
    if rows.dtype == torch.float64 or len(rows) < 2:
        return small_moments(rows.double())
    number = rows.shape[0]
    pivot = rows.mean(0)
    deviation = rows - pivot
    shift = column_sums(deviation).div_(number)
    var = column_sums(deviation.square_()).div_(number).addcmul_(shift, shift, value=-1)
    if not bool(var.isfinite().all()):
        return small_moments(rows.double())
    return Moments(number, shift.add_(pivot), var.clamp_(min=0))


def column_sums(rows: Tensor) -> Tensor:
    """Return the sums over the first axis as float64, shape `rows.shape[1:]`."""
    number = rows.shape[0]
    parts = number // ROWS_OF_PART
    if parts < 2 or rows.dtype == torch.float64:
        return rows.sum(0).double()
    whole = parts * ROWS_OF_PART
    total = rows[:whole].reshape(parts, ROWS_OF_PART, *rows.shape[1:]).sum(1).double().sum(0)
    return total if whole == number else total.add_(rows[whole:].sum(0))
