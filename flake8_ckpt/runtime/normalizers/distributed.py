"""Statistics over all ranks: one packed collective, merged alike everywhere, so that every rank gets the same bits."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import ProcessGroup

from flake8_ckpt.runtime.normalizers.moments import pooled
from flake8_ckpt.runtime.normalizers.on_device import Batch


def is_shared(group: ProcessGroup | None) -> bool:
    """Tell whether there are other ranks to agree with."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size(group) > 1


def check_alone(group: ProcessGroup | None) -> None:
    """Raise `ValueError` where other ranks wait for the moments of one that has none yet."""
    if is_shared(group):
        raise ValueError("sync() before the first batch needs the shape of a row: RunningMeanStd(shape)")


def batch_of_ranks(own: Batch, group: ProcessGroup | None) -> Batch:
    """Return what the batches of all ranks bring together.

    Every rank of the group must call it, one with an empty batch too.
    """
    mean = own.moments.mean
    numbers = [own.moments.weight, own.number, 0 if own.refused is None else own.refused]
    head = torch.stack([_as_float(each, mean) for each in numbers])
    packed = torch.cat([head, mean.flatten(), own.moments.var.flatten()])
    gathered = packed.new_empty(dist.get_world_size(group) * packed.numel())
    dist.all_gather_into_tensor(gathered, packed, group=group)
    return merge_packed(gathered.reshape(-1, packed.numel()), mean.shape)


def merge_packed(gathered: Tensor, shape: torch.Size) -> Batch:
    """Return what all rows bring together, one for each rank: weight, number, minus rejected, mean and variance."""
    size, ranks = shape.numel(), gathered.shape[0]
    means, variances = gathered[:, 3 : 3 + size], gathered[:, 3 + size :]
    total = pooled(gathered[:, 0], means.reshape(ranks, *shape), variances.reshape(ranks, *shape))
    counts = gathered[:, 1:3].sum(0).long()
    return Batch(total, counts[0], counts[1])


def _as_float(number: Tensor | float, like: Tensor) -> Tensor:
    # Filled on the device: a copy of a number to a GPU waits for it.
    return number.double().reshape(()) if isinstance(number, Tensor) else like.new_full((), number)
