"""Normalization as `(x - shift) * scale + offset` in the dtype of the input, and back.

The float32 mean alone is wrong by half of its last bit, which is many standard deviations for a mean of 1e6 and
a deviation of 1e-2: what it leaves out is the offset. `x - shift` is exact for values near the mean
(Sterbenz, "Floating-Point Computation", 1974).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.moments import TINY
from flake8_ckpt.runtime.normalizers.moments import Moments


class Affine(NamedTuple):
    """What `normalize` computes with, of the shape of a row."""

    shift: Tensor
    scale: Tensor
    offset: Tensor


def write_affine(moments: Moments, epsilon: float, target: Affine) -> None:
    """Write the affine form of the moments to float32 tensors, in place."""
    variance = (moments.m2 / moments.weight.clamp(min=TINY)).add_(epsilon)
    torch.rsqrt(variance, out=target.scale)
    target.shift.copy_(moments.mean)
    torch.mul(target.shift - moments.mean, target.scale, out=target.offset)


def precise_affine(moments: Moments, epsilon: float) -> Affine:
    """Return the affine form of the moments as float64."""
    scale = (moments.m2 / moments.weight.clamp(min=TINY) + epsilon).rsqrt()
    return Affine(moments.mean, scale, torch.zeros_like(scale))


def identity_where(condition: Tensor, affine: Affine) -> Affine:
    """Return the form that changes nothing where a condition of shape `()` holds, else the given one."""
    return Affine(*(torch.where(condition, neutral, each) for neutral, each in zip((0.0, 1.0, 0.0), affine)))


def unless_early(is_early: Tensor, form: Affine, clip: Tensor | None) -> tuple[Affine, Tensor | None]:
    """Return the form and the limit of the result, or the identity without a limit where it is too early."""
    early = identity_where(is_early, form)
    if clip is None:
        return early, None
    limit = torch.where(is_early, math.inf, clip)
    return early, limit.expand(form.shift.shape).contiguous()


def normalize(x: Tensor, affine: Affine, limit: Tensor | float | None) -> Tensor:
    """Return the input in units of standard deviations from the mean, within `limit`: a number or one per value."""
    deviation = x - affine.shift
    # In place where no gradient is asked for: a second large tensor costs more than the arithmetic.
    target = None if deviation.requires_grad else deviation
    y = torch.addcmul(affine.offset, deviation, affine.scale, out=target)
    if isinstance(limit, Tensor):
        return y.clamp_(-limit, limit)
    return y if limit is None else y.clamp_(-limit, limit)


def denormalize(y: Tensor, affine: Affine) -> Tensor:
    """Return the value that the affine form turns into `y`."""
    return (y - affine.offset) / affine.scale + affine.shift
