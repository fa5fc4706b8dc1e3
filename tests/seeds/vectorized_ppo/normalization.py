"""Normalizers of observations and rewards."""

from __future__ import annotations

import torch
from torch import nn


class RunningMeanStd(nn.Module):
    """Moving mean and variance of observations."""

    def __init__(self, shape: tuple[int, ...], momentum: float = 0.99) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("var", torch.ones(shape))
        self.register_buffer("count", torch.tensor(1e-4))

    @torch.no_grad()
    def update(self, batch: torch.Tensor) -> None:
        self.mean = self.momentum * self.mean + (1 - self.momentum) * batch.mean(dim=0)
        self.var = self.momentum * self.var + (1 - self.momentum) * batch.var(dim=0, unbiased=False)
        self.count += len(batch)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        return ((observation - self.mean) / (self.var + 1e-8).sqrt()).clamp(-10.0, 10.0)


class RewardNormalizer:
    """Welford statistics of scalar rewards."""

    def __init__(self, clip: float = 10.0) -> None:
        self.clip = clip
        self.mean = 0.0
        self.m2 = 0.0
        self.count = 0

    def normalize(self, reward: float) -> float:
        self.count += 1
        delta = reward - self.mean
        self.mean += delta / self.count
        self.m2 += delta * (reward - self.mean)
        std = max(1e-4, (self.m2 / max(self.count - 1, 1)) ** 0.5)
        return max(-self.clip, min(self.clip, reward / std))
