"""What both wrappers do with the normalizers of a policy: numpy in, numpy out, in training and in evaluation."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from flake8_ckpt.runtime.normalizers.running_mean_std_dict import RunningMeanStdDict


@dataclass(frozen=True)
class Statistics:
    """The normalizers of a policy, as far as it has them; observations and rewards without one pass as they are."""

    observations: RunningMeanStd | RunningMeanStdDict | None
    returns: DiscountedReturnNormalizer | None

    def take_observation(self, observation: Any) -> None:
        """Take the observations of all environments into the statistics."""
        if self.observations is not None:
            with updating(self.observations):
                self.observations.update(tensors(observation, self.observations))

    def normalize_observation(self, observation: Any) -> Any:
        """Return observations in units of their standard deviations, as float32 arrays."""
        if self.observations is None:
            return observation
        with torch.no_grad():
            return arrays(self.observations.normalize(tensors(observation, self.observations)))

    def take_reward(self, reward: Any, done: Any) -> None:
        """Take one step of all environments into the statistics of the discounted return."""
        if self.returns is not None:
            with updating(self.returns):
                self.returns.update(tensors(reward, self.returns), tensors(done, self.returns))

    def normalize_reward(self, reward: Any) -> Any:
        """Return rewards in units of the standard deviation of the discounted return, as a float32 array."""
        if self.returns is None:
            return reward
        with torch.no_grad():
            return arrays(self.returns.normalize(tensors(reward, self.returns)))

    def begin_episodes(self, which: Any = True) -> None:
        """Let the discounted return of all environments, or of some, begin at zero."""
        if self.returns is not None:
            with torch.no_grad():
                chosen = torch.as_tensor(which, dtype=torch.bool, device=self.returns.returns.device)
                self.returns.returns.masked_fill_(chosen, 0)


@contextmanager
def updating(module: nn.Module) -> Iterator[None]:
    """Let a module update for now: a policy is in eval() while it acts, and its statistics would stand still."""
    was = module.training
    module.train()
    try:
        yield
    finally:
        module.train(was)


def tensors(value: Any, module: nn.Module) -> Any:
    """Return arrays as tensors on the device of a module, entry by entry where they are nested."""
    place = next((buffer.device for buffer in module.buffers()), torch.device("cpu"))
    return nested(lambda array: torch.as_tensor(np.asarray(array), device=place), value)


def arrays(value: Any) -> Any:
    """Return tensors as float32 arrays, entry by entry where they are nested."""
    return nested(lambda tensor: tensor.cpu().float().numpy(), value)


def nested(convert: Callable[[Any], Any], value: Any) -> Any:
    """Return a value converted, or a mapping with each entry converted."""
    if isinstance(value, Mapping):
        return {key: nested(convert, item) for key, item in value.items()}
    return convert(value)
