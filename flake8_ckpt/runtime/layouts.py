"""The layouts in which other normalizers keep their statistics, and how each becomes weight, mean and m2."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from flake8_ckpt.runtime.moments import Moments

Names = tuple[str, ...]


def _from_variance(mean: Tensor, var: Tensor, weight: Tensor) -> Moments:
    return Moments(weight, mean, var * weight)


def _from_deviations(mean: Tensor, m2: Tensor, weight: Tensor) -> Moments:
    return Moments(weight, mean, m2)


def _from_sums(total: Tensor, squares: Tensor, weight: Tensor) -> Moments:
    mean = total / weight
    return Moments(weight, mean, (squares - total * mean).clamp(min=0))


# The keys of each layout, the statistics first; what follows the third key is derived from these and not needed.
LAYOUTS: tuple[tuple[Names, Callable[[Tensor, Tensor, Tensor], Moments]], ...] = (
    # Gymnasium, Stable-Baselines3, ProtoMotions.
    (("mean", "var", "count"), _from_variance),
    # rl_games, then skrl.
    (("running_mean", "running_var", "count"), _from_variance),
    (("running_mean", "running_variance", "current_count"), _from_variance),
    # rsl_rl.
    (("_mean", "_var", "count", "_std"), _from_variance),
    # Sums, as in OpenAI Baselines and its descendants.
    (("_sum", "_sumsq", "_count"), _from_sums),
    (("mean", "m2", "count"), _from_deviations),
)
# What stands before the names in flat metadata: `obs_normalizer_mean`, `reward_normalizer_mean`.
STEMS = ("obs_normalizer_", "reward_normalizer_", "normalizer_", "obs_rms_", "ret_rms_", "")
# Hyper-parameters that lie beside the statistics and that other normalizers use in another way.
IGNORED = frozenset(["momentum", "epsilon", "eps", "clip", "until", "step"])


def moments_of(state: Mapping[str, Any], *, stem: str | None = None) -> Moments:
    """Return the statistics that a mapping holds in a known layout: tensors, arrays, numbers or lists.

    Raises `ValueError` that lists the keys that were found where none of the layouts fits.
    """
    for each in STEMS if stem is None else (stem,):
        names = {key.removeprefix(each) for key in state if key.startswith(each)} - IGNORED
        for keys, convert in LAYOUTS:
            if set(keys[:3]) <= names <= set(keys):
                first, second, weight = (_tensor(state[each + key]) for key in keys[:3])
                shape = first.shape[1:] if "_mean" in keys and first.shape[:1] == (1,) else first.shape
                moments = convert(first.reshape(shape), second.reshape(shape), weight.reshape(()))
                _check(moments, each + keys[1])
                return moments
    known = "; ".join(", ".join(keys[:3]) for keys, _ in LAYOUTS)
    raise ValueError(f"no known layout of a normalizer: found {', '.join(sorted(state))}; known are {known}")


def moments_of_object(statistics: object) -> Moments:
    """Return the statistics of an object with `mean`, `var` and `count`, such as `obs_rms` of a `VecNormalize`."""
    try:
        return moments_of({name: getattr(statistics, name) for name in ("mean", "var", "count")})
    except AttributeError as error:
        raise ValueError(f"{type(statistics).__name__} has no mean, var and count") from error


def _tensor(value: Any) -> Tensor:
    return torch.as_tensor(value).detach().to(torch.float64)


def _check(moments: Moments, key: str) -> None:
    if not all(bool(each.isfinite().all()) for each in moments):
        raise ValueError("the statistics hold NaN or infinity: nothing is copied")
    if bool((moments.m2 < 0).any()):
        raise ValueError(f"{key} is negative: nothing is copied")
    if bool(moments.weight < 0):
        raise ValueError("the count is negative: nothing is copied")
