# Modelled on a Stable-Baselines3 project with a features extractor of its own.
# The bug: a saved model holds the state_dict of its policy, and these statistics are not in it.
"""A features extractor that standardizes what it sees."""

from __future__ import annotations

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn


class StandardizedExtractor(BaseFeaturesExtractor):
    """Moving standardization, then one layer."""

    def __init__(self, observation_space: spaces.Box, features_dim: int = 64) -> None:
        super().__init__(observation_space, features_dim)
        size = observation_space.shape[0]
        self.running_mean = torch.zeros(size)
        self.running_var = torch.ones(size)
        self.layer = nn.Sequential(nn.Linear(size, features_dim), nn.ReLU())

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        if self.training:
            with torch.no_grad():
                self.running_mean = 0.99 * self.running_mean + 0.01 * observations.mean(dim=0)
                self.running_var = 0.99 * self.running_var + 0.01 * observations.var(dim=0, unbiased=False)
        return self.layer((observations - self.running_mean) / (self.running_var + 1e-8).sqrt())
