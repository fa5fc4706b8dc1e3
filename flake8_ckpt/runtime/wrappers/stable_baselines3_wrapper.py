"""A stable-baselines3 wrapper that normalizes with the statistics of a policy."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env import VecEnvWrapper

from flake8_ckpt.runtime.wrappers.statistics import Statistics


class NormalizedVecEnv(VecEnvWrapper):
    """Normalize the observations and rewards of a vector environment with modules of the policy.

    It does what `VecNormalize` does, but the statistics are in the policy, so `model.save` writes them and
    `PPO.load` brings them back. A model makes its policy after its environment, hence two steps::

        environment = NormalizedVecEnv(venv)
        model = PPO(Policy, environment)
        environment.attach(model.policy.observations, model.policy.returns)

    In `training` the statistics are updated by each reset and step; set it to False to evaluate. For agents that
    are trained on the data of their own rollouts: a replay buffer would keep normalized observations.
    """

    __module__ = "flake8_ckpt.runtime"

    def __init__(self, venv: VecEnv) -> None:
        super().__init__(venv)
        self.training = True
        self.statistics: Statistics | None = None

    def attach(self, observations: Any = None, returns: Any = None) -> None:
        """Take the modules to normalize with: `RunningMeanStd` or `RunningMeanStdDict`, `DiscountedReturnNormalizer`.

        What has none passes as it is.
        """
        self.statistics = Statistics(observations, returns)

    def reset(self) -> Any:
        """Reset all environments, and return normalized observations."""
        observation = self.venv.reset()
        self._attached().begin_episodes()
        return self._seen(observation)

    def step_wait(self) -> Any:
        """Wait for a step, and return normalized observations and rewards."""
        observation, reward, done, infos = self.venv.step_wait()
        statistics = self._attached()
        if self.training:
            statistics.take_reward(reward, done)
        reward, observation = statistics.normalize_reward(reward), self._seen(observation)
        return observation, reward, done, [self._with_terminal(info) for info in infos]

    def normalize_obs(self, observation: Any) -> Any:
        """Return observations as the policy takes them; the statistics stay as they are."""
        return self._attached().normalize_observation(observation)

    def _attached(self) -> Statistics:
        if self.statistics is None:
            message = (
                "NormalizedVecEnv has no statistics yet: call attach(policy.observations, policy.returns)"
            )
            raise RuntimeError(message)
        return self.statistics

    def _seen(self, observation: Any) -> Any:
        if self.training:
            self._attached().take_observation(observation)
        return self.normalize_obs(observation)

    def _with_terminal(self, info: dict[str, Any]) -> dict[str, Any]:
        terminal = info.get("terminal_observation")
        if terminal is None:
            return info
        batch = nested_batch(terminal)
        return info | {"terminal_observation": nested_first(self.normalize_obs(batch))}


def nested_batch(observation: Any) -> Any:
    """Return one observation as a batch of one."""
    if isinstance(observation, dict):
        return {key: nested_batch(value) for key, value in observation.items()}
    return np.asarray(observation)[None]


def nested_first(batch: Any) -> Any:
    """Return the one observation of a batch."""
    if isinstance(batch, dict):
        return {key: nested_first(value) for key, value in batch.items()}
    return batch[0]
