"""The statistics of a `VecNormalize` of stable-baselines3, read and written; that package is never imported."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.layouts import moments_of_object
from flake8_ckpt.runtime.normalizers.moments import Moments


def observation_statistics(venv: object) -> Any:
    """Return the running statistics of observations, or one for each key; raise `ValueError` where there are none."""
    found = getattr(venv, "obs_rms", None)
    if found is None:
        raise ValueError(f"{type(venv).__name__} keeps no obs_rms: is it a VecNormalize with norm_obs=True?")
    return found


def return_statistics(venv: object) -> Any:
    """Return the running statistics of discounted returns; raise `ValueError` where there are none."""
    found = getattr(venv, "ret_rms", None)
    if found is None:
        raise ValueError(
            f"{type(venv).__name__} keeps no ret_rms: is it a VecNormalize with norm_reward=True?"
        )
    return found


def read(statistics: object) -> tuple[Moments, Tensor]:
    """Return the moments of running statistics, and the number of rows, without the fraction that SB3 starts with."""
    moments = moments_of_object(statistics)
    return moments, torch.as_tensor(moments.weight).round().long()


def write(statistics: Any, mean: Tensor, var: Tensor, weight: Tensor) -> None:
    """Write moments to running statistics, as arrays of float64."""
    if statistics.mean.shape != tuple(mean.shape):
        raise ValueError(
            f"the statistics have shape {statistics.mean.shape}, but rows here {tuple(mean.shape)}"
        )
    statistics.mean = mean.detach().cpu().numpy().copy()
    statistics.var = var.detach().cpu().numpy().copy()
    statistics.count = float(weight)
