# Modelled on a motion-tracking code base whose normalizers learn their shape from the first batch.
# The bugs: a fresh instance has no buffers, so it refuses its own checkpoint; and the discounted
# return starts as None and is never a buffer, so a resumed run begins it anew.
"""Running statistics, gathered over all processes."""

from __future__ import annotations

import functools
from typing import Any
from typing import Optional

import torch
from lightning.fabric import Fabric
from torch import nn

Moments = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class RunningMeanStd(nn.Module):
    """Mean, variance and count, of a shape that may be known late."""

    def __init__(
        self, fabric: Fabric, shape: Optional[tuple[int, ...]] = None, epsilon: float = 1e-5
    ) -> None:
        super().__init__()
        self.fabric = fabric
        self.epsilon = epsilon
        self.shape = shape
        self._initialized = False
        if shape is not None:
            self._create_buffers(shape)
            self._initialized = True

    def _create_buffers(self, shape: tuple[int, ...]) -> None:
        self.register_buffer("mean", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("var", torch.ones(shape, dtype=torch.float64))
        self.register_buffer("count", torch.ones((), dtype=torch.long))
        self.shape = shape

    def _lazy_init(self, batch: torch.Tensor) -> None:
        if not self._initialized:
            self._create_buffers(tuple(batch.shape[1:]))
            self._initialized = True

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        if f"{prefix}mean" in state_dict:
            self._initialized = True

    @torch.no_grad()
    def record_moments(self, batch: torch.Tensor) -> None:
        self._lazy_init(batch)
        parts: list[Moments] = [
            (batch.mean(dim=0), batch.var(dim=0, unbiased=False), torch.tensor(len(batch)))
        ]
        if self.fabric.world_size > 1:
            parts = list(zip(*(self.fabric.all_gather(moment) for moment in parts[0])))
        mean, var, count = functools.reduce(combine, parts, (self.mean, self.var, self.count))
        self.mean.copy_(mean)
        self.var.copy_(var)
        self.count.fill_(count)

    def normalize(self, batch: torch.Tensor) -> torch.Tensor:
        self._lazy_init(batch)
        return (batch - self.mean.float()) / (self.var.float() + self.epsilon).sqrt()


class RewardRunningMeanStd(RunningMeanStd):
    """Scales rewards by the deviation of their discounted return."""

    def __init__(self, fabric: Fabric, shape: tuple[int, ...], gamma: float) -> None:
        super().__init__(fabric, shape)
        self.gamma = gamma
        self.discounted_reward: Optional[torch.Tensor] = None

    def record_reward(self, reward: torch.Tensor, terminated: torch.Tensor) -> None:
        if self.discounted_reward is None:
            self.discounted_reward = reward.clone()
        else:
            self.discounted_reward = (
                self.discounted_reward * self.gamma * (1 - terminated.float()) + reward.clone()
            )
        self.record_moments(self.discounted_reward)

    def normalize(self, batch: torch.Tensor) -> torch.Tensor:
        return batch / (self.var.float() + self.epsilon).sqrt()


def combine(a: Moments, b: Moments) -> Moments:
    """Merge two sets of moments by the parallel algorithm of Chan et al."""
    count = a[2] + b[2]
    delta = b[0] - a[0]
    mean = a[0] + delta * (b[2] / count)
    m2 = a[1] * a[2] + b[1] * b[2] + delta.square() * (a[2] * b[2] / count)
    return mean, (m2 / count).clamp(min=0.0), count
