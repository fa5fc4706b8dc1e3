"""Which rows of a batch count, and how much: masks, rows that are not finite, the end and the decay of weights."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import batch_moments
from flake8_ckpt.runtime.normalizers.moments import masked_moments
from flake8_ckpt.runtime.normalizers.rows import as_column

Nonfinite = Literal["propagate", "skip", "raise"]


def moments_of_rows(rows: Tensor, keep: Tensor | None, nonfinite: Nonfinite) -> tuple[Moments, Tensor | None]:
    """Return the moments of the rows that a mask, bool of shape `(n,)`, keeps, and how many were rejected.

    With "propagate" none is rejected; with "raise" it is a `ValueError`, which synchronizes with the device.
    """
    if nonfinite != "propagate":
        return _finite_moments(rows, keep, nonfinite)
    if keep is None:
        return batch_moments(rows), None
    return masked_moments(torch.where(as_column(keep, rows), rows, 0), keep), None


def _finite_moments(rows: Tensor, keep: Tensor | None, nonfinite: Nonfinite) -> tuple[Moments, Tensor]:
    # A sum over a row is not finite if one of its values is not, or if their squares could not be summed.
    finite = (rows.flatten(1).sum(1) if rows.dim() > 1 else rows).isfinite()
    if nonfinite == "raise" and not bool((finite if keep is None else finite | ~keep).all()):
        raise ValueError(f"{int((~finite).sum())} of {len(rows)} rows hold NaN or infinity")
    rejected = (~finite if keep is None else keep & ~finite).sum()
    kept = finite if keep is None else keep & finite
    return masked_moments(rows.nan_to_num(0.0, 0.0, 0.0), kept), rejected


def taken_before(batch: Moments, count: Tensor, until: int) -> Moments:
    """Return the batch, or an empty one where `until` rows were seen already; below 0 it has no end."""
    if until < 0:
        return batch
    is_open = count < until
    return Moments(batch.weight * is_open, *(torch.where(is_open, each, 0) for each in batch[1:]))


def decayed(old: Moments, batch: Moments, decay: Tensor) -> Moments:
    """Return the earlier moments with the weight that a batch leaves them: an empty one all of it."""
    # The decay is a float64 buffer; of two plain numbers `where` makes float32.
    factor = torch.where(batch.weight > 0, decay, 1.0)
    return Moments(old.weight * factor, old.mean, old.m2 * factor)
