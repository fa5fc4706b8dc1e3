"""How a batch comes into a normalizer: on this process, through those that wait for `sync`, or over all ranks."""

from __future__ import annotations

from typing import Any
from typing import Literal

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers import on_cpu
from flake8_ckpt.runtime.normalizers import on_device
from flake8_ckpt.runtime.normalizers.buffers import Normalizer
from flake8_ckpt.runtime.normalizers.buffers import writable
from flake8_ckpt.runtime.normalizers.distributed import batch_of_ranks
from flake8_ckpt.runtime.normalizers.distributed import check_alone
from flake8_ckpt.runtime.normalizers.distributed import is_shared
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import fold
from flake8_ckpt.runtime.normalizers.on_device import Batch

Nonfinite = Literal["propagate", "skip", "raise"]


def known_count(normalizer: Normalizer) -> int | None:
    """Return how many rows were seen, `None` where only the device knows."""
    return int(normalizer.count) if on_cpu.can_read(normalizer.count) else None


def take_rows(normalizer: Normalizer, rows: Tensor, keep: Tensor | None) -> None:
    """Take rows of shape `(n, *shape)` in, of those a mask, bool of shape `(n,)`, keeps."""
    own = normalizer._buffers
    count, limit, mean, var = own["count"], own["limit"], own["mean"], own["var"]
    batch: Batch | None = None
    if on_cpu.can_read(count):
        if count.item() >= limit.item():
            return
        batch = on_cpu.batch_of(rows, keep, normalizer.nonfinite, normalizer.accumulate_dtype)
    elif rows.shape[0] > 0:
        batch = on_device.batch_of(rows, keep, normalizer.nonfinite, mean, count < limit)
    if batch is not None:
        _take(normalizer, batch)
    elif normalizer.sync_mode == "auto" and is_shared(normalizer.process_group):
        _take(normalizer, Batch(Moments(0, mean.clone(), var.clone()), 0, None))


def take_moments(normalizer: Normalizer, moments: Moments, number: Tensor) -> None:
    """Take rows in of which the moments are known."""
    _take(normalizer, _open_part(normalizer, Batch(moments, number, None)))


def fold_moments(normalizer: Normalizer, moments: Moments, number: Tensor, rejected: Tensor) -> None:
    """Take rows into the statistics here, whatever the other ranks do."""
    _fold(normalizer, Batch(moments, number, -rejected))


def take_pending(normalizer: Normalizer, waiting: Normalizer) -> None:
    """Take the rows of all ranks that wait for `sync` into the statistics."""
    if waiting.mean is None:
        check_alone(normalizer.process_group)
        return
    normalizer._built(waiting.mean[None])
    moments = Moments(waiting.count.clone(), waiting.mean.clone(), waiting.var.clone())
    batch = Batch(moments, waiting.count.clone(), -waiting.rejected)
    if is_shared(normalizer.process_group):
        batch = batch_of_ranks(batch, normalizer.process_group)
    _fold(normalizer, _open_part(normalizer, batch))
    waiting.reset()


def _open_part(normalizer: Normalizer, batch: Batch) -> Batch:
    """Return a batch of tensors, or nothing where the statistics take no more."""
    is_open = normalizer.count < normalizer.limit
    moments, number, refused = batch
    mean, var = (
        torch.where(is_open, new, old) for new, old in zip(moments[1:], (normalizer.mean, normalizer.var))
    )
    return Batch(
        Moments(moments.weight * is_open, mean, var),
        number * is_open,
        None if refused is None else refused * is_open,
    )


def _take(normalizer: Normalizer, batch: Batch) -> None:
    waiting = normalizer.pending
    if waiting is not None:
        if waiting.count.device != normalizer.count.device:
            waiting.to(normalizer.count.device)
        waiting._built(batch.moments.mean[None])
        _fold(waiting, batch)
    elif normalizer.sync_mode == "auto" and is_shared(normalizer.process_group):
        _fold(normalizer, batch_of_ranks(batch, normalizer.process_group))
    else:
        _fold(normalizer, batch)


def _fold(normalizer: Normalizer, batch: Batch) -> None:
    """Write what a batch brings to the buffers."""
    own = normalizer._buffers
    if (
        isinstance(batch.number, int)
        and isinstance(batch.moments.weight, int)
        and own["decay"].device.type == "cpu"
    ):
        if batch.number or batch.refused:
            on_cpu.fold(own, batch)
        return
    count, rejected, decay = own["count"], own["rejected"], own["decay"]
    weight, mean, var = own["weight"], own["mean"], own["var"]
    (added, *_), number, refused = batch
    weight = writable(weight)
    if decay.dim():
        # The decay is a float64 tensor; of two plain numbers `where` makes float32.
        weight.mul_(torch.where(torch.as_tensor(number, device=decay.device) > 0, decay, 1.0))
    weight.add_(added)
    share: Tensor | float = added / (weight if isinstance(added, Tensor) else weight.item())
    fold(writable(mean), writable(var), batch.moments, share)
    count.add_(number)
    if refused is not None:
        rejected.sub_(refused)


def check_moments(mean: Tensor, var: Tensor, count: Any, shape: torch.Size, nonfinite: str) -> None:
    """Raise `ValueError` that names the argument of `update_from_moments` which cannot be what it says."""
    for name, value in (("mean", mean), ("var", var)):
        if value.shape != shape:
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}, but rows here have shape {tuple(shape)}"
            )
        if value.is_complex():
            raise TypeError(f"{name} is complex")
        if nonfinite == "raise" and not bool(value.isfinite().all()):
            raise ValueError(f"{name} holds NaN or infinity")
    if on_cpu.can_read(var) and bool((var < 0).any()):
        raise ValueError("var is negative")
    if isinstance(count, Tensor):
        if count.numel() != 1:
            raise ValueError(f"count has shape {tuple(count.shape)}, not ()")
        if not on_cpu.can_read(count):
            return
    if not 0 <= float(count) < float("inf"):
        raise ValueError(f"count must be at least 0, not {float(count)}")
