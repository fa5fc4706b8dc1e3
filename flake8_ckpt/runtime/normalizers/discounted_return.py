"""Reward normalization by the running standard deviation of the discounted return."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime.normalizers.casting import as_floating
from flake8_ckpt.runtime.normalizers.casting import without_casts
from flake8_ckpt.runtime.normalizers.loading import read_state
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd


class DiscountedReturnNormalizer(nn.Module):
    """Divide rewards by the standard deviation of the discounted returns of all environments.

    At each step `returns = gamma * returns + reward` goes into the statistics; only then is it set to zero where an
    episode is over, so that the last reward counts for its own episode. The mean is not subtracted: that would
    change which policy is best.

    Args:
        num_envs: the number of environments of this process.
        gamma: the discount factor, from 0 to 1.
        options: the other arguments are those of `RunningMeanStd`, except `shape`.

    Buffers: `returns`, float64 of shape `(num_envs,)`, which a resumed run needs as it was; `gamma`, float64;
    and those of `statistics`. `returns` belongs to one process: wrap with `broadcast_buffers=False` for DDP, and
    save it on each rank.
    """

    # Where a pickle of a whole module finds the class, wherever it lives in here.
    __module__ = "flake8_ckpt.runtime"

    returns: Tensor
    gamma: Tensor

    def __init__(self, num_envs: int, *, gamma: float = 0.99, **options: Any) -> None:
        super().__init__()
        if not 0 <= gamma <= 1:
            raise ValueError(f"gamma must be from 0 to 1, not {gamma}")
        self.statistics = RunningMeanStd((), **options)
        device = options.get("device")
        self.register_buffer("returns", torch.zeros(num_envs, dtype=torch.float64, device=device))
        self.register_buffer("gamma", torch.tensor(gamma, dtype=torch.float64, device=device))

    def forward(self, reward: Tensor) -> Tensor:
        """Return the normalized reward; the statistics stay as they are."""
        return self.normalize(reward)

    @torch.no_grad()
    def update(self, reward: Tensor, done: Tensor) -> None:
        """Take one step of all environments in: `reward` and `done` (terminated or truncated), shape `(num_envs,)`.

        A reward that is not finite is folded in as zero where `nonfinite` is "skip".
        """
        if not self.training:
            return
        for name, value in (("reward", reward), ("done", done)):
            if value.shape != self.returns.shape:
                raise ValueError(f"{name} has shape {tuple(value.shape)}, not {tuple(self.returns.shape)}")
        given = reward.detach().double()
        returns = self.returns * self.gamma
        if self.statistics.nonfinite == "propagate":
            returns += given
            self.statistics.update(returns)
        else:
            finite = given.isfinite()
            returns += torch.where(finite, given, 0)
            self.statistics.update(torch.where(finite, returns, torch.nan))
        self.returns.copy_(returns.masked_fill_(done.bool(), 0))

    def update_and_normalize(self, reward: Tensor, done: Tensor) -> Tensor:
        """Take one step in, then return its normalized rewards."""
        self.update(reward, done)
        return self.normalize(reward)

    def normalize(self, reward: Tensor) -> Tensor:
        """Return the reward in units of the standard deviation of returns, clipped; dtype of the input."""
        given = as_floating(reward)
        settings = self.statistics.settings
        scaled = (given.double() * (self.statistics.var + settings.epsilon).rsqrt()).to(given.dtype)
        if settings.clip != math.inf:
            scaled = scaled.clamp(-settings.clip, settings.clip)
        return torch.where(self.statistics.count < settings.min_count, given, scaled)

    def reset(self) -> None:
        """Forget all returns and statistics; hyper-parameters stay."""
        self.returns.zero_()
        self.statistics.reset()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> DiscountedReturnNormalizer:
        super()._apply(without_casts(fn), recurse)  # type: ignore[no-untyped-call]
        return self

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Check the returns and gamma, then copy them; another gamma than the constructor's wins, with a warning.

        Raises `RuntimeError` at once for bad ones, so that the statistics are not copied either.
        """
        start = f"{prefix}statistics."
        own = {key.removeprefix(start): value for key, value in state_dict.items() if key.startswith(start)}
        try:
            read_state(own, torch.Size())
        except ValueError:
            # The statistics are loaded next, and say themselves what is wrong.
            return
        for name, buffer in (("returns", self.returns), ("gamma", self.gamma)):
            _check(f"{prefix}{name}", state_dict.get(f"{prefix}{name}"), buffer)
        gamma = state_dict.get(f"{prefix}gamma")
        if gamma is not None and not self.gamma.is_meta and gamma.item() != self.gamma.item():
            warnings.warn(
                f"the checkpoint wins: gamma {gamma.item()} (not {self.gamma.item()})", stacklevel=2
            )
        arguments = (local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        super()._load_from_state_dict(state_dict, prefix, *arguments)
        if local_metadata.get("assign_to_params_buffers", False):
            self.returns, self.gamma = self.returns.clone(), self.gamma.clone()


def _check(key: str, value: Tensor | None, buffer: Tensor) -> None:
    if value is None:
        return
    if value.shape != buffer.shape:
        raise RuntimeError(
            f"{key} has shape {tuple(value.shape)}, but here {tuple(buffer.shape)}: nothing is copied"
        )
    if value.dtype != torch.float64 or not bool(value.isfinite().all()):
        raise RuntimeError(f"{key} is not finite float64: nothing is copied")
