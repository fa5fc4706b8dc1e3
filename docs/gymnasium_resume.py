"""Train on gymnasium environments, stop at any round, and go on to the bit: gymnasium_resume.py FILE ROUNDS."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import torch
from torch import nn

from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import NormalizedVectorEnv
from flake8_ckpt.runtime import RunningMeanStd
from flake8_ckpt.runtime import save_checkpoint

ENVIRONMENTS, STEPS = 4, 32


class Policy(nn.Module):
    """An actor, and the statistics of what it sees and gets."""

    def __init__(self) -> None:
        super().__init__()
        self.observations = RunningMeanStd(3)
        self.returns = DiscountedReturnNormalizer(ENVIRONMENTS)
        self.actor = nn.Linear(3, 1)


def train(file: Path, rounds: int) -> None:
    """Train from the checkpoint, where there is one, to a number of rounds; each begins with new episodes."""
    torch.manual_seed(0)
    policy = Policy()
    optimizer = torch.optim.Adam(policy.actor.parameters(), lr=0.01)
    done = 0
    if file.exists():
        checkpoint = torch.load(file, weights_only=True)
        policy.load_state_dict(checkpoint["policy"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        done = checkpoint["rounds"]
    envs = NormalizedVectorEnv(
        gymnasium.make_vec("Pendulum-v1", num_envs=ENVIRONMENTS), policy.observations, policy.returns
    )
    for each in range(done, rounds):
        torch.manual_seed(each)
        observation, _ = envs.reset(seed=each)
        for _ in range(STEPS):
            mean = policy.actor(torch.as_tensor(observation))
            action = (mean + torch.randn(ENVIRONMENTS, 1)).detach()
            observation, reward, _, _, _ = envs.step(action.numpy())
            loss = ((action - mean).square()[:, 0] * torch.as_tensor(reward)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        state = {"policy": policy.state_dict(), "optimizer": optimizer.state_dict(), "rounds": each + 1}
        save_checkpoint(state, file)


if __name__ == "__main__":
    train(Path(sys.argv[1]), int(sys.argv[2]))
