"""Statistics over all ranks: one packed collective, merged in rank order, so that every rank gets the same bits."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import ProcessGroup

from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import merge_all


def is_shared(group: ProcessGroup | None) -> bool:
    """Tell whether there are other ranks to agree with."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size(group) > 1


def check_alone(group: ProcessGroup | None) -> None:
    """Raise `ValueError` where other ranks wait for the moments of one that has none yet."""
    if is_shared(group):
        raise ValueError("sync() before the first batch needs the shape of a row: RunningMeanStd(shape)")


def shared_moments(
    own: Moments, rejected: Tensor | None, group: ProcessGroup | None
) -> tuple[Moments, Tensor | None]:
    """Return the moments and the rejected rows of all ranks; those given where there is no other rank."""
    if not is_shared(group):
        return own, rejected
    return moments_of_all(own, own.weight.new_zeros(()).long() if rejected is None else rejected, group)


def moments_of_all(own: Moments, rejected: Tensor, group: ProcessGroup | None) -> tuple[Moments, Tensor]:
    """Return the moments of the samples of all ranks together, and the sum of the rejected rows.

    Every rank of the group must call it, one with an empty sample too.
    """
    packed = torch.cat([torch.stack([own.weight, rejected.double()]), own.mean.flatten(), own.m2.flatten()])
    gathered = [torch.empty_like(packed) for _ in range(dist.get_world_size(group))]
    dist.all_gather(gathered, packed, group=group)
    size, shape = own.mean.numel(), own.mean.shape
    ranks = [
        Moments(row[0], row[2 : 2 + size].reshape(shape), row[2 + size :].reshape(shape)) for row in gathered
    ]
    return merge_all(ranks), torch.stack(gathered)[:, 1].sum().long()
