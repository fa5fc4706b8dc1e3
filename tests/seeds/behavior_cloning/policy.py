"""A policy that normalizes observations by statistics of its own."""

from __future__ import annotations

import torch
from torch import nn


class RunningMeanStd(nn.Module):
    """Mean and deviation of everything seen so far."""

    def __init__(self, shape: tuple[int, ...], epsilon: float = 1e-2) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.register_buffer("_sum", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("_sumsq", torch.full(shape, epsilon, dtype=torch.float64))
        self.register_buffer("_count", torch.tensor(epsilon, dtype=torch.float64))

    @property
    def mean(self) -> torch.Tensor:
        return (self._sum / self._count).float()

    @property
    def std(self) -> torch.Tensor:
        variance = self._sumsq / self._count - (self._sum / self._count).square()
        return variance.clamp(min=self.epsilon).sqrt().float()

    def update(self, batch: torch.Tensor) -> None:
        batch = batch.double()
        self._sum += batch.sum(dim=0)
        self._sumsq += batch.square().sum(dim=0)
        self._count += len(batch)


class MlpPolicy(nn.Module):
    """Gaussian policy and value function on normalized observations."""

    def __init__(self, observations: int, actions: int, hidden: int = 64) -> None:
        super().__init__()
        self.ob_rms = RunningMeanStd(shape=(observations,))
        self.vf_net = nn.Sequential(nn.Linear(observations, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        self.pol_net = nn.Sequential(nn.Linear(observations, hidden), nn.Tanh(), nn.Linear(hidden, actions))
        self.pol_logstd = nn.Parameter(torch.zeros(1, actions))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        normalized = (observation - self.ob_rms.mean) / self.ob_rms.std
        return self.pol_net(normalized.clamp(-5.0, 5.0))
