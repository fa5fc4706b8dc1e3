"""Reward normalization by the running standard deviation of the discounted return."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime.normalizers import rows
from flake8_ckpt.runtime.normalizers import sb3
from flake8_ckpt.runtime.normalizers.casting import without_casts
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
    and those of `statistics`. A checkpoint of another number of environments restores all but `returns`, which
    start at zero, with a warning. `returns` belongs to one process: wrap with `broadcast_buffers=False` for DDP, and
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

    @classmethod
    def from_sb3(cls, venv: object, **options: Any) -> DiscountedReturnNormalizer:
        """Make one of the rewards of a `VecNormalize` of stable-baselines3, its running returns included."""
        moments, count = sb3.read(sb3.return_statistics(venv))
        own = vars(venv)
        given: Any = {"gamma": own["gamma"], "epsilon": own["epsilon"], "clip": own["clip_reward"], **options}
        normalizer = cls(len(own["returns"]), **given)
        normalizer.statistics._set(moments, count)
        normalizer.returns.copy_(torch.as_tensor(own["returns"]))
        return normalizer

    def to_sb3(self, venv: Any) -> None:
        """Write statistics and running returns to a `VecNormalize` of stable-baselines3."""
        sb3.write(sb3.return_statistics(venv), self.mean, self.var, self.statistics.weight)
        venv.returns = self.returns.cpu().numpy().copy()

    @property
    def mean(self) -> Tensor:
        """Return the mean of the discounted returns, float64 of shape `()`."""
        return self.statistics.mean

    @property
    def var(self) -> Tensor:
        """Return the variance of the discounted returns, float64 of shape `()`."""
        return self.statistics.var

    @property
    def std(self) -> Tensor:
        """Return the standard deviation of the discounted returns, float64 of shape `()`."""
        return self.statistics.std

    @property
    def count(self) -> Tensor:
        """Return the number of steps of all environments, int64 of shape `()`."""
        return self.statistics.count

    def forward(self, reward: Tensor) -> Tensor:
        """Return the normalized reward; the statistics stay as they are."""
        return self.normalize(reward)

    def update(self, reward: Any, done: Any) -> None:
        """Take one step of all environments in: `reward` and `done` (terminated or truncated), shape `(num_envs,)`.

        A reward that is not finite is folded in as zero where `nonfinite` is "skip".
        """
        reward, done = self._input(reward).detach(), self._input(done)
        for name, value in (("reward", reward), ("done", done)):
            if value.shape != self.returns.shape:
                raise ValueError(f"{name} has shape {tuple(value.shape)}, not {tuple(self.returns.shape)}")
            rows.check_real(value)
            rows.check_device(value, self.returns.device)
        if not self.training:
            self.statistics.update(reward)
            return
        if self.statistics.nonfinite == "propagate":
            returns = self.returns * self.gamma + reward
            self.statistics.update(returns)
        else:
            finite = reward.isfinite()
            returns = self.returns * self.gamma + torch.where(finite, reward, 0)
            self.statistics.update(torch.where(finite, returns, torch.nan))
        self.returns.copy_(returns.masked_fill_(done.bool(), 0))

    def update_and_normalize(self, reward: Any, done: Any) -> Tensor:
        """Take one step in, then return its normalized rewards."""
        reward = self._input(reward)
        self.update(reward, done)
        return self.normalize(reward)

    def update_from_moments(self, mean: Any, var: Any, count: Any) -> None:
        """Take `count` returns into the statistics of which only mean and population variance are known."""
        self.statistics.update_from_moments(mean, var, count)

    def merge(self, other: DiscountedReturnNormalizer) -> None:
        """Take the returns that another normalizer has seen into the statistics; `returns` stay those of here."""
        self.statistics.merge(other.statistics)

    def normalize(self, reward: Any) -> Tensor:
        """Return the reward in units of the standard deviation of returns, clipped; dtype of the input."""
        given = self._floating(reward)
        own = self.statistics
        # A factor of shape `()` would not make float16 more exact.
        scaled = (given.double() * (own.var + own.epsilon).rsqrt()).clamp(own.clip[0], own.clip[1])
        return torch.where(own.count < own.min_count, given, scaled.to(given.dtype))

    def denormalize(self, reward: Any) -> Tensor:
        """Return what `normalize` turns into a reward, as far as it did not clip."""
        given = self._floating(reward)
        own = self.statistics
        wide = (given.double() * (own.var + own.epsilon).sqrt()).to(given.dtype)
        return torch.where(own.count < own.min_count, given, wide)

    def sync(self) -> None:
        """Merge what all ranks have seen, for `sync="manual"`."""
        self.statistics.sync()

    def reset(self) -> None:
        """Forget all returns and statistics; hyper-parameters stay."""
        self.returns.zero_()
        self.statistics.reset()

    def freeze(self) -> None:
        """Let the statistics stay as they are, also after a reload; `returns` still follow the rewards."""
        self.statistics.freeze()

    def unfreeze(self) -> None:
        """Let the statistics follow the returns again."""
        self.statistics.unfreeze()

    def _input(self, x: Any) -> Tensor:
        return rows.as_tensor(x, self.returns.device)

    def _floating(self, x: Any) -> Tensor:
        given = self._input(x)
        rows.check_real(given)
        rows.check_device(given, self.returns.device)
        return given if given.is_floating_point() else given.float()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> DiscountedReturnNormalizer:
        super()._apply(without_casts(fn), recurse)  # type: ignore[no-untyped-call]
        return self

    def _load_from_state_dict(
        self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], strict: bool, *found: list[str]
    ) -> None:
        """Check the returns and gamma, then copy them; another gamma than the constructor's wins, with a warning.

        Raises `RuntimeError` at once for bad ones, so that the statistics are not copied either.
        """
        if any(part.problem for part in self.statistics._parts(state, f"{prefix}statistics.")):
            # The statistics are loaded next, and say themselves what is wrong.
            return
        keys = {name: f"{prefix}{name}" for name in ("returns", "gamma")}
        given = {name: state[key] for name, key in keys.items() if key in state}
        for name, value in given.items():
            _check(keys[name], value, self.get_buffer(name))
        if "gamma" in given and not self.gamma.is_meta and given["gamma"].item() != self.gamma.item():
            warnings.warn(
                f"the checkpoint wins: gamma {given['gamma'].item()} (not {self.gamma.item()})", stacklevel=2
            )
        if "returns" in given and given["returns"].shape != self.returns.shape:
            warnings.warn(
                f"{keys['returns']} is of {len(given['returns'])} environments, here are {len(self.returns)}:"
                " their returns start at zero",
                stacklevel=2,
            )
            state = {**state, keys["returns"]: given["returns"].new_zeros(self.returns.shape)}
        super()._load_from_state_dict(state, prefix, metadata, strict, *found)
        if metadata.get("assign_to_params_buffers", False):
            self.returns, self.gamma = self.returns.clone(), self.gamma.clone()


def _check(key: str, value: Tensor, buffer: Tensor) -> None:
    if value.dim() != buffer.dim():
        raise RuntimeError(
            f"{key} has shape {tuple(value.shape)}, but here {tuple(buffer.shape)}: nothing is copied"
        )
    if value.dtype != torch.float64 or not bool(value.isfinite().all()):
        raise RuntimeError(f"{key} is not finite float64: nothing is copied")
