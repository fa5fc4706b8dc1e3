"""A batch on the CPU, where numbers can be read: rows that do not count are left out, large batches go by pieces."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.moments import PIECE
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import large_moments
from flake8_ckpt.runtime.normalizers.moments import small_moments
from flake8_ckpt.runtime.normalizers.on_device import Batch

# Up to this many numbers, float64 costs no more than float32.
SMALL = 2**15
# Larger batches of these are summed as float32, which holds each value exactly; all others as float64.
EXACT = frozenset(
    [torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.uint8, torch.int8, torch.int16]
)


def can_read(tensor: Tensor) -> bool:
    """Tell whether a number can be read from a tensor for nothing, and stays true for what is done with it.

    So it is on the CPU, but not while code is compiled, exported, traced, or transformed by `torch.func`.
    """
    return (
        tensor.device.type == "cpu"
        and not torch.compiler.is_compiling()
        and not is_transformed()
        and torch._C._len_torch_dispatch_stack() == 0
        and type(tensor) is Tensor
    )


def is_transformed() -> bool:
    """Tell whether calls are traced by `torch.jit.trace` or transformed by `torch.func`."""
    return (
        torch._C._get_tracing_state() is not None or torch._C._functorch.peek_interpreter_stack() is not None
    )


def batch_of(rows: Tensor, keep: Tensor | None, nonfinite: str, dtype: torch.dtype | None) -> Batch | None:
    """Return what the rows bring that a mask, bool of shape `(n,)`, keeps; `None` where there are none of them.

    `dtype` is that of the sums over large batches, `None` for what is exact enough. Raises `ValueError` for rows that
    are not finite where that is to be raised.
    """
    if keep is not None:
        rows = rows[keep]
    offered = rows.shape[0]
    if nonfinite != "propagate":
        rows = _finite_rows(rows, nonfinite)
    number = rows.shape[0]
    if offered == 0:
        return None
    if number == 0:
        return Batch(Moments(0, rows.sum(0).double(), rows.sum(0).double()), 0, -offered)
    return Batch(_moments_of(rows, dtype), number, number - offered)


def _moments_of(rows: Tensor, dtype: torch.dtype | None) -> Moments:
    if rows.numel() <= SMALL:
        return small_moments(rows.double())
    if dtype is None:
        dtype = torch.float32 if rows.dtype in EXACT else torch.float64
    return large_moments(rows.to(dtype))


def _finite_rows(rows: Tensor, nonfinite: str) -> Tensor:
    sums = rows.flatten(1).sum(1) if rows.dim() > 1 else rows
    if bool(sums.isfinite().all()):
        return rows
    # A sum may overflow where no value does.
    finite = rows.isfinite().flatten(1).all(1) if rows.dim() > 1 else rows.isfinite()
    number = int(finite.sum())
    if number == len(rows):
        return rows
    if nonfinite == "raise":
        raise ValueError(f"{len(rows) - number} of {len(rows)} rows hold NaN or infinity")
    return rows[finite]


def fold(own: Any, batch: Batch) -> None:
    """Write what a batch brings to the buffers, as `updating.fold_batch` does, with numbers."""
    (added, mean, var), number, refused = batch
    decay, weight, count = own["decay"], own["weight"], own["count"]
    old = weight.item() * (decay.item() if number and decay.dim() else 1.0)
    share = added / (old + added)
    delta = mean - own["mean"]
    own["mean"].add_(delta, alpha=share)
    own["var"].lerp_(var, share) if number > 1 else own["var"].mul_(1 - share)
    own["var"].addcmul_(delta, delta, value=share * (1 - share))
    weight.fill_(old + added)
    count.fill_(count.item() + number)
    if refused:
        own["rejected"].sub_(refused)


def normalize(own: Any, x: Tensor) -> Tensor:
    """Return input of a floating dtype, that asks for no gradient, as `on_device.normalize` does."""
    if own["count"].item() < own["min_count"].item():
        return x.clone()
    mean = own["mean"]
    least, most = own["clip"].tolist()
    scale = torch.add(own["var"], own["epsilon"]).rsqrt_()
    if x.numel() > SMALL and x.dtype != torch.float64 and mean.dim() > 0:
        return _normalize_many(x, mean, scale, least, most)
    deviation = x - mean if x.dtype == torch.float64 else x.double().sub_(mean)
    return deviation.mul_(scale).clamp_(least, most).to(x.dtype)


def _normalize_many(x: Tensor, mean: Tensor, scale: Tensor, least: float, most: float) -> Tensor:
    """Compute in float32, what is large by pieces that fit a cache.

    The float32 mean alone is wrong by half of its last bit, which is many deviations for a mean of 1e6 and a
    deviation of 1e-2: what it leaves out is added as an offset. `x - shift` is exact for values near the mean
    (Sterbenz, "Floating-Point Computation", 1974). Where the mean is less than a deviation, `x * scale` is near
    enough to the result to need no shift.
    """
    offset = mean * -scale
    shift = None if bool((offset.abs() <= 1).all()) else mean.float()
    if shift is not None:
        offset = (shift - mean).mul_(scale)
    offset, scale = offset.float(), scale.float()
    if x.numel() < 4 * PIECE:
        deviation = x if shift is None else x - shift
        y = torch.addcmul(offset, deviation, scale, out=None if shift is None else deviation)
        return y.clamp_(least, most).to(x.dtype)
    y = torch.empty(x.shape, dtype=torch.float32)
    size = max(1, PIECE * x.shape[0] // x.numel())
    for source, target in zip(torch.split(x, size), torch.split(y, size)):
        if shift is not None:
            source = torch.sub(source, shift, out=target)
        torch.addcmul(offset, source, scale, out=target).clamp_(least, most)
    return y.to(x.dtype)
