# Modelled on a PPO code base: the agent can write metadata beside its weights, if its caller gives any.
"""The agent and its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from typing import Optional

import torch
from torch import nn
from torch import optim


class PPOAgent:
    """A network, its optimizer, and how both are written to disk."""

    def __init__(self, observations: int, actions: int) -> None:
        self.network = nn.Sequential(nn.Linear(observations, 64), nn.Tanh(), nn.Linear(64, actions))
        self.optimizer = optim.Adam(self.network.parameters(), lr=3e-4)
        self.train_steps = 0

    def update(self, observations: torch.Tensor, advantages: torch.Tensor) -> float:
        loss = -(self.network(observations).mean(dim=-1) * advantages).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.train_steps += 1
        return float(loss)

    def save(self, path: Path, metadata: Optional[dict[str, Any]] = None) -> None:
        checkpoint: dict[str, Any] = {
            "network_state_dict": self.network.state_dict(),
            "optimizer_state_dict": self.optimizer.state_dict(),
            "train_steps": self.train_steps,
        }
        if metadata:
            checkpoint["metadata"] = metadata
        torch.save(checkpoint, path)

    def load(self, path: Path) -> dict[str, Any]:
        checkpoint = torch.load(path, weights_only=True)
        self.network.load_state_dict(checkpoint["network_state_dict"])
        self.optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
        self.train_steps = checkpoint["train_steps"]
        metadata: dict[str, Any] = checkpoint.get("metadata", {})
        return metadata
