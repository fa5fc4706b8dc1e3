"""What a checkpoint says of a normalizer, checked as a whole before anything of it is copied."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.layouts import moments_of
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.settings import DTYPES
from flake8_ckpt.runtime.normalizers.settings import Settings

STATISTICS = {
    "mean": torch.float64,
    "m2": torch.float64,
    "count": torch.int64,
    "weight": torch.float64,
    "rejected": torch.int64,
}
KEYS = {**STATISTICS, **DTYPES}


@dataclass(frozen=True)
class State:
    """A valid state; `moments` is `None` where no row was seen before the shape was known."""

    moments: Moments | None
    count: Tensor
    rejected: Tensor
    settings: Settings | None = None
    missing: tuple[str, ...] = ()
    known: frozenset[str] = frozenset(KEYS)


def read_state(state: Mapping[str, Tensor], shape: torch.Size | None) -> State:
    """Return what the state says, in our layout or a foreign one; raise `ValueError` that names the bad key."""
    if any(value.is_meta for value in state.values()):
        raise ValueError("the state lies on the meta device, where tensors have no values")
    # Copies, because the state may be that of the normalizer itself.
    state = {key: value.detach().clone() for key, value in state.items()}
    if "version" not in state:
        return _read_foreign(state, shape)
    if int(state["version"]) > Settings.version:
        raise ValueError(
            f"version {int(state['version'])} is newer than {Settings.version}: update flake8-ckpt"
        )
    for key, dtype in KEYS.items():
        if key in state and state[key].dtype != dtype:
            raise ValueError(
                f"{key} is {state[key].dtype}, not {dtype}: was the state cast before it was saved?"
            )
    values = {key: state[key] for key in KEYS if key in state}
    lazy = {"mean", "m2"} if shape is None or "count" in values and not values["count"] else set()
    missing = tuple(key for key in KEYS if key not in values and key not in lazy)
    if missing:
        return State(None, values.get("count", torch.tensor(0)), torch.tensor(0), missing=missing)
    _check_values(values, shape)
    numbers: dict[str, Any] = {key: values[key].item() for key in DTYPES}
    settings = Settings(**numbers)
    moments = Moments(values["weight"], values["mean"], values["m2"]) if "mean" in values else None
    return State(moments, values["count"], values["rejected"], settings)


@dataclass(frozen=True)
class Part:
    """What a state_dict says of one normalizer, under a prefix; `problem` says why it says nothing valid."""

    prefix: str
    keys: tuple[str, ...]
    state: State
    problem: str = ""

    @property
    def missing(self) -> list[str]:
        """Return the keys that the state_dict lacks."""
        return [f"{self.prefix}{key}" for key in self.state.missing]

    @property
    def unexpected(self) -> list[str]:
        """Return the keys that say nothing here."""
        return [f"{self.prefix}{key}" for key in self.keys if key not in self.state.known]


def read_parts(
    state_dict: Mapping[str, Tensor], prefix: str, shape: torch.Size | None, may_wait: bool
) -> list[Part]:
    """Return what a state_dict says of a normalizer, then, if it may have such, of its rows that wait for `sync`."""
    own = {key.removeprefix(prefix): value for key, value in state_dict.items() if key.startswith(prefix)}
    names = [key for key in own if may_wait and key.startswith("pending.")]
    waiting = {key.removeprefix("pending."): own.pop(key) for key in names}
    parts = [_part(prefix, own, shape)]
    return [*parts, _part(f"{prefix}pending.", waiting, shape)] if waiting else parts


def _part(prefix: str, state: Mapping[str, Tensor], shape: torch.Size | None) -> Part:
    try:
        return Part(prefix, tuple(state), read_state(state, shape))
    except ValueError as error:
        problem = f"{prefix.rstrip('.') or 'RunningMeanStd'}: {error}"
        return Part(prefix, tuple(state), State(None, torch.tensor(0), torch.tensor(0)), problem)


def _read_foreign(state: Mapping[str, Tensor], shape: torch.Size | None) -> State:
    if not state:
        return State(None, torch.tensor(0), torch.tensor(0), missing=tuple(KEYS))
    moments = moments_of(state)
    _check_shape("mean", moments.mean, shape)
    return State(moments, moments.weight.round().long(), torch.tensor(0), known=frozenset(state))


def _check_values(values: Mapping[str, Tensor], shape: torch.Size | None) -> None:
    for key in ("count", "weight", "rejected", "m2"):
        if key in values and bool((values[key] < 0).any()):
            raise ValueError(f"{key} is negative")
    for key in ("mean", "m2", "weight"):
        if key in values:
            _check_shape(key, values[key], torch.Size() if key == "weight" else shape)
            if not bool(values[key].isfinite().all()):
                raise ValueError(f"{key} holds NaN or infinity")
    if "mean" in values and "m2" in values and values["mean"].shape != values["m2"].shape:
        raise ValueError(f"m2 has shape {tuple(values['m2'].shape)}, but mean {tuple(values['mean'].shape)}")


def _check_shape(key: str, value: Tensor, shape: torch.Size | None) -> None:
    if shape is not None and value.shape != shape:
        raise ValueError(f"{key} has shape {tuple(value.shape)}, but rows here have shape {tuple(shape)}")


def warn_of_difference(loaded: Settings, given: Settings) -> None:
    """Warn that a checkpoint has other hyper-parameters than the constructor was given: the checkpoint wins."""
    if loaded != given:
        warnings.warn(f"the checkpoint of the normalizer wins: {loaded.difference(given)}", stacklevel=2)
