"""A gymnasium vector wrapper that normalizes with the statistics of a policy."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from gymnasium.vector import VectorWrapper

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from flake8_ckpt.runtime.normalizers.running_mean_std_dict import RunningMeanStdDict
from flake8_ckpt.runtime.wrappers.statistics import Statistics


class NormalizedVectorEnv(VectorWrapper[Any, Any, Any, Any, Any]):
    """Normalize the observations and rewards of a vector environment with modules of the policy.

    `NormalizedVectorEnv(envs, policy.observations, policy.returns)` does what `NormalizeObservation` and
    `NormalizeReward` do, but the statistics are in `policy.state_dict()`, so a checkpoint of the policy is whole.
    In `training` they are updated by each reset and step, also while the policy is in `eval()`; set it to False
    to evaluate. Either module may be None, and what it normalizes passes as it is. The discounted return of an
    environment begins at zero with each episode.

    `final_obs` of an environment that resets itself within a step is normalized too.
    """

    __module__ = "flake8_ckpt.runtime"

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        observations: RunningMeanStd | RunningMeanStdDict | None = None,
        returns: DiscountedReturnNormalizer | None = None,
    ) -> None:
        super().__init__(env)
        self.statistics = Statistics(observations, returns)
        self.training = True
        if observations is not None:
            self.single_observation_space = unbounded(env.single_observation_space)
            self.observation_space = unbounded(env.observation_space)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset the environments, those that `reset_mask` of the options names, and return normalized observations."""
        # The environments take the mask out of the options.
        self.statistics.begin_episodes((options or {}).get("reset_mask", True))
        observation, info = self.env.reset(seed=seed, options=options)
        return self._seen(observation), info

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step the environments, and return normalized observations and rewards."""
        observation, reward, terminated, truncated, info = self.env.step(actions)
        if self.training:
            self.statistics.take_reward(reward, np.logical_or(terminated, truncated))
        reward = self.statistics.normalize_reward(reward)
        observation = self._seen(observation)
        return observation, reward, terminated, truncated, self._with_final(info)

    def _seen(self, observation: Any) -> Any:
        if self.training:
            self.statistics.take_observation(observation)
        return self.statistics.normalize_observation(observation)

    def _with_final(self, info: dict[str, Any]) -> dict[str, Any]:
        final = info.get("final_obs")
        if final is None:
            return info
        last = np.empty_like(final)
        for index, observation in enumerate(final):
            last[index] = None if observation is None else self.statistics.normalize_observation(observation)
        return info | {"final_obs": last}


def unbounded(space: Space[Any]) -> Space[Any]:
    """Return the space of normalized observations: float32 without bounds, also in a mapping of spaces."""
    if isinstance(space, spaces.Dict):
        return spaces.Dict({key: unbounded(item) for key, item in space.spaces.items()})
    return spaces.Box(-np.inf, np.inf, space.shape or (), np.float32)
