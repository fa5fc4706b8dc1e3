"""The mathematics: weight, mean and sum of squared deviations of a sample, and how two samples merge.

The merge is the pairwise formula of Chan, Golub and LeVeque (1979), "Updating Formulae and a Pairwise Algorithm
for Computing Sample Variances"; the moments of a batch come from the two-pass algorithm with the correction of
the same paper. Every function is pure, never synchronizes with the device, and takes an empty sample.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

# Columns of float32 are summed over so few rows at a time, so that the rounding of the sums averages out.
ROWS_OF_PART = 8
# Larger batches are taken piece by piece on a CPU: fresh memory costs more there than the arithmetic.
PIECE = 2**20
# Below any weight: dividing zero by it gives zero.
TINY = 1e-300


class Moments(NamedTuple):
    """What is known of a sample: all float64.

    `weight` is the number of rows, shape `()`; `mean` and `m2`, the sum of squared deviations from the mean,
    have the shape of one row.
    """

    weight: Tensor
    mean: Tensor
    m2: Tensor


def batch_moments(rows: Tensor) -> Moments:
    """Return the moments of the rows of a batch, float32 or float64 of shape `(n, *shape)`."""
    if rows.device.type == "cpu" and not torch.compiler.is_compiling() and rows.numel() >= 2 * PIECE:
        pieces = torch.split(rows, max(2, PIECE * rows.shape[0] // rows.numel()))
        return merge_all(map(_piece_moments, pieces))
    return _piece_moments(rows)


def _piece_moments(rows: Tensor) -> Moments:
    number = rows.shape[0]
    weight = torch.full((), number, dtype=torch.float64, device=rows.device)
    if number < 2:
        mean = rows.sum(0).double()
        return Moments(weight, mean, torch.zeros_like(mean))
    mean = rows.mean(0)
    deviation = rows - mean
    if rows.dtype == torch.float64:
        return Moments(weight, mean, deviation.square_().sum(0))
    shift = column_sums(deviation)
    squares = column_sums(deviation.square_())
    return Moments(weight, mean + shift / number, (squares - shift * shift / number).clamp_(min=0))


def masked_moments(rows: Tensor, mask: Tensor) -> Moments:
    """Return the moments of the rows that a mask, bool of shape `(n,)`, keeps; all must be finite.

    The rows are overwritten: one large temporary tensor is as slow as all of the arithmetic.
    """
    kept = mask.to(rows.dtype).reshape(-1, *[1] * (rows.dim() - 1))
    weight = mask.sum().double()
    number = weight.clamp(min=1)
    # Not as a product with the mask: autocast would round it to bfloat16.
    pivot = rows.mul_(kept).sum(0).div_(number)
    deviation = rows.sub_(pivot).mul_(kept)
    shift = column_sums(deviation)
    squares = column_sums(deviation.square_())
    return Moments(weight, pivot + shift / number, (squares - shift * shift / number).clamp(min=0))


def column_sums(rows: Tensor) -> Tensor:
    """Return the sums over the first axis as float64, shape `rows.shape[1:]`."""
    number = rows.shape[0]
    parts = number // ROWS_OF_PART
    if parts < 2 or rows.dtype == torch.float64:
        return rows.sum(0).double()
    whole = parts * ROWS_OF_PART
    total = rows[:whole].reshape(parts, ROWS_OF_PART, *rows.shape[1:]).sum(1).double().sum(0)
    return total if whole == number else total.add_(rows[whole:].sum(0))


def merge(first: Moments, second: Moments) -> Moments:
    """Return the moments of two samples together; an empty one changes nothing, to the bit."""
    weight = first.weight + second.weight
    delta = second.mean - first.mean
    mean = torch.addcmul(first.mean, delta, second.weight / weight.clamp(min=TINY))
    return Moments(
        weight, mean, torch.addcmul(first.m2 + second.m2, delta, (second.mean - mean) * second.weight)
    )


def merge_all(samples: Iterable[Moments]) -> Moments:
    """Return the moments of several samples together, merged from the first to the last."""
    return reduce(merge, samples)
