# Modelled on a PPO code base: the resume path wants normalizer statistics, and the save call gives none.
"""Train with normalized observations and rewards, and resume."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import torch
from vectorized_ppo.normalization import RewardNormalizer
from vectorized_ppo.normalization import RunningMeanStd
from vectorized_ppo.ppo import PPOAgent


def train_vectorized(episodes: int, resume_path: Optional[Path], save_path: Optional[Path]) -> PPOAgent:
    agent = PPOAgent(observations=8, actions=2)
    obs_normalizer = RunningMeanStd((8,))
    reward_normalizer = RewardNormalizer()
    start = 0
    if resume_path is not None:
        metadata = agent.load(resume_path)
        if "obs_normalizer_mean" in metadata:
            obs_normalizer.mean = torch.tensor(metadata["obs_normalizer_mean"])
            obs_normalizer.var = torch.tensor(metadata["obs_normalizer_var"])
            obs_normalizer.count = torch.tensor(metadata["obs_normalizer_count"])
        if "reward_normalizer_mean" in metadata:
            reward_normalizer.mean = metadata["reward_normalizer_mean"]
            reward_normalizer.m2 = metadata["reward_normalizer_m2"]
            reward_normalizer.count = metadata["reward_normalizer_count"]
        if "n_episodes" in metadata:
            start = metadata["n_episodes"]
    for _ in range(start, episodes):
        observations = torch.randn(64, 8) * 3.0 + 5.0
        obs_normalizer.update(observations)
        rewards = [reward_normalizer.normalize(float(row.sum())) for row in observations]
        agent.update(obs_normalizer(observations), torch.tensor(rewards))
    if save_path is not None:
        agent.save(save_path)
    return agent
