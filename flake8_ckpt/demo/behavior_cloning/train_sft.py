# Modelled on an imitation-learning code base: supervised training on recorded state and action pairs.
# The second bug: nothing ever updates the statistics that the policy normalizes with.
"""Fit the policy to expert actions and save it."""

from __future__ import annotations

import torch
from behavior_cloning.policy import MlpPolicy
from torch import nn
from torch import optim


def train(states: torch.Tensor, actions: torch.Tensor, path: str, epochs: int = 10) -> MlpPolicy:
    policy = MlpPolicy(states.shape[1], actions.shape[1])
    optimizer = optim.Adam(policy.parameters(), lr=1e-3)
    for _ in range(epochs):
        loss = nn.functional.mse_loss(policy(states), actions)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save(policy.state_dict(), path)
    return policy


def load(observations: int, actions: int, path: str) -> MlpPolicy:
    policy = MlpPolicy(observations, actions)
    policy.load_state_dict(torch.load(path, weights_only=True))
    return policy
