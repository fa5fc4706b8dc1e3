"""The layouts in which other normalizers keep their statistics, and how each becomes weight, mean and variance."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.moments import TINY
from flake8_ckpt.runtime.normalizers.moments import Moments

Names = tuple[str, ...]
Convert = Callable[[Tensor, Tensor, Tensor], Moments]


def _from_variance(mean: Tensor, var: Tensor, weight: Tensor) -> Moments:
    return Moments(weight, mean, var)


def _from_deviation(mean: Tensor, std: Tensor, weight: Tensor) -> Moments:
    return Moments(weight, mean, std.square().copysign(std))


def _from_squares(mean: Tensor, m2: Tensor, weight: Tensor) -> Moments:
    return Moments(weight, mean, m2 / weight.clamp(min=TINY))


def _from_sums(total: Tensor, squares: Tensor, weight: Tensor) -> Moments:
    mean = total / weight
    return Moments(weight, mean, (squares / weight - mean.square()).clamp(min=0))


# The keys of each layout, the statistics first; what follows the third key is derived from these and not needed.
LAYOUTS: tuple[tuple[Names, Convert], ...] = (
    # Gymnasium, Stable-Baselines3, ProtoMotions.
    (("mean", "var", "count"), _from_variance),
    # rl_games, then skrl.
    (("running_mean", "running_var", "count"), _from_variance),
    (("running_mean", "running_variance", "current_count"), _from_variance),
    # rsl_rl.
    (("_mean", "_var", "count", "_std"), _from_variance),
    # Sums, as in OpenAI Baselines and its descendants, then those of torchrl's first VecNorm.
    (("_sum", "_sumsq", "_count"), _from_sums),
    (("sum", "ssq", "count"), _from_sums),
    # Brax.
    (("mean", "summed_variance", "count", "std"), _from_squares),
    (("mean", "m2", "count"), _from_squares),
    # torchrl's VecNormV2 as it is saved, and as it is read.
    (("loc", "var", "count"), _from_variance),
    (("loc", "scale", "count"), _from_deviation),
)
# What stands before the names in flat metadata: `obs_normalizer_mean`, `reward_normalizer_mean`.
STEMS = ("obs_normalizer_", "reward_normalizer_", "normalizer_", "obs_rms_", "ret_rms_", "")
# Hyper-parameters that lie beside the statistics and that other normalizers use in another way.
IGNORED = frozenset(["momentum", "epsilon", "eps", "clip", "until", "step", "standard_normal"])
# What torchrl puts between `loc` and the name of the observation.
BRANCH = ".-|-."


def moments_of(state: Mapping[str, Any], *, stem: str | None = None) -> Moments:
    """Return the statistics that a mapping holds in a known layout: tensors, arrays, numbers or lists.

    Raises `ValueError` that lists the keys that were found where none of the layouts fits.
    """
    found = {key.partition(BRANCH)[0]: value for key, value in state.items()}
    for each in STEMS if stem is None else (stem,):
        names = {key.removeprefix(each) for key in found if key.startswith(each)} - IGNORED
        for keys, convert in LAYOUTS:
            if set(keys[:3]) <= names <= set(keys) and len(found) == len(state):
                named = [(each + key, found[each + key]) for key in keys[:3]]
                return _read(named, convert, has_batch_axis="_mean" in keys)
    known = "; ".join(", ".join(keys[:3]) for keys, _ in LAYOUTS)
    raise ValueError(f"no known layout of a normalizer: found {', '.join(sorted(state))}; known are {known}")


def _read(named: list[tuple[str, Any]], convert: Convert, has_batch_axis: bool) -> Moments:
    first, second, weight = (_tensor(key, value) for key, value in named)
    (mean_key, _), (key, _), (count_key, _) = named
    if second.shape != first.shape:
        raise ValueError(f"{key} has shape {tuple(second.shape)}, but {mean_key} {tuple(first.shape)}")
    if weight.numel() != 1:
        raise ValueError(f"{count_key} has shape {tuple(weight.shape)}, not ()")
    shape = first.shape[1:] if has_batch_axis and first.shape[:1] == (1,) else first.shape
    moments = convert(first.reshape(shape), second.reshape(shape), weight.reshape(()))
    _check(moments, key)
    return moments


def moments_of_object(statistics: object) -> Moments:
    """Return the statistics of an object with `mean`, `var` and `count`, such as `obs_rms` of a `VecNormalize`."""
    try:
        return moments_of({name: getattr(statistics, name) for name in ("mean", "var", "count")})
    except AttributeError as error:
        raise ValueError(f"{type(statistics).__name__} has no mean, var and count") from error


def _tensor(key: str, value: Any) -> Tensor:
    try:
        # With the dtype, because numbers and lists would become float32.
        return torch.as_tensor(value, dtype=torch.float64).detach()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key} is a {type(value).__name__}, not a tensor, an array or numbers") from error


def _check(moments: Moments, key: str) -> None:
    weight, mean, var = (torch.as_tensor(each) for each in moments)
    if not all(bool(each.isfinite().all()) for each in (weight, mean, var)):
        raise ValueError("the statistics hold NaN or infinity: nothing is copied")
    if bool((var < 0).any()):
        raise ValueError(f"{key} is negative: nothing is copied")
    if bool(weight < 0):
        raise ValueError("the count is negative: nothing is copied")
