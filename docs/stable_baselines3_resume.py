"""Train with stable-baselines3, stop at any round, and go on to the bit: stable_baselines3_resume.py FILE ROUNDS."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.policies import ActorCriticPolicy

from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import NormalizedVecEnv
from flake8_ckpt.runtime import RunningMeanStd

ENVIRONMENTS, STEPS = 4, 32


class Policy(ActorCriticPolicy):
    """The policy of stable-baselines3, and the statistics of what it sees and gets."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.observations = RunningMeanStd(self.observation_space.shape)
        self.returns = DiscountedReturnNormalizer(ENVIRONMENTS)


def train(file: Path, rounds: int) -> None:
    """Train from the saved model, where there is one, to a number of rounds; each begins with new episodes."""
    environment = NormalizedVecEnv(make_vec_env("Pendulum-v1", n_envs=ENVIRONMENTS))
    if file.exists():
        model = PPO.load(file, env=environment, device="cpu")
    else:
        model = PPO(Policy, environment, n_steps=STEPS, batch_size=STEPS, n_epochs=2, seed=0, device="cpu")
    environment.attach(model.policy.observations, model.policy.returns)
    for each in range(model.num_timesteps // (STEPS * ENVIRONMENTS), rounds):
        model.set_env(environment, force_reset=True)
        model.set_random_seed(each)
        model.learn(STEPS * ENVIRONMENTS, reset_num_timesteps=False)
        model.save(file)


if __name__ == "__main__":
    train(Path(sys.argv[1]), int(sys.argv[2]))
