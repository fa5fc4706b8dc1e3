"""What a checkpoint says of a normalizer, checked as a whole before anything of it is copied."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers import buffers
from flake8_ckpt.runtime.normalizers.buffers import BLANK
from flake8_ckpt.runtime.normalizers.buffers import ROWS
from flake8_ckpt.runtime.normalizers.layouts import moments_of
from flake8_ckpt.runtime.normalizers.moments import TINY
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.notices import warn_of_nonfinite
from flake8_ckpt.runtime.normalizers.settings import DTYPES
from flake8_ckpt.runtime.normalizers.settings import VERSION
from flake8_ckpt.runtime.normalizers.settings import Settings

KEYS = {**{name: dtype for name, (_, dtype) in BLANK.items()}, **DTYPES}
# What 0.1.0 saved.
FIRST_KEYS = {
    "mean": torch.float64,
    "m2": torch.float64,
    "count": torch.int64,
    "weight": torch.float64,
    "rejected": torch.int64,
    "epsilon": torch.float64,
    "clip": torch.float64,
    "until": torch.int64,
    "decay": torch.float64,
    "min_count": torch.int64,
    "frozen": torch.bool,
    "version": torch.int64,
}


@dataclass(frozen=True)
class State:
    """A valid state; `moments` is `None` where no row was seen before the shape was known."""

    moments: Moments | None
    count: Tensor
    rejected: Tensor
    settings: Settings | None = None
    missing: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()


def read_state(state: Mapping[str, Any], shape: torch.Size | None, allows_nan: bool = True) -> State:
    """Return what the state says, in our layout or a foreign one; raise `ValueError` that names the bad key.

    Statistics that are NaN or infinite are what `update` made of such rows: they are refused where rows are.
    """
    tensors = {key: value for key, value in state.items() if isinstance(value, Tensor)}
    if any(value.is_meta for value in tensors.values()):
        raise ValueError("the state lies on the meta device, where tensors have no values")
    if "version" not in tensors:
        return _read_foreign(state, shape)
    # Copies, because the state may be that of the normalizer itself.
    tensors = {key: value.detach().clone() for key, value in tensors.items()}
    version = int(tensors["version"])
    if version > VERSION:
        raise ValueError(f"version {version} is newer than {VERSION}: update flake8-ckpt")
    keys = KEYS if version == VERSION else FIRST_KEYS
    _check_dtypes(tensors, keys)
    missing = _missing(tensors, keys, shape)
    if missing:
        return State(None, torch.tensor(0), torch.tensor(0), missing=missing, known=frozenset(keys))
    _check_values(tensors, shape, allows_nan)
    if version != VERSION:
        tensors = _upgraded(tensors)
    moments = None
    if "mean" in tensors:
        moments = Moments(tensors["weight"].clamp(min=TINY), tensors["mean"], tensors["var"])
    return State(moments, tensors["count"], tensors["rejected"], Settings.of(tensors), known=frozenset(keys))


def _check_dtypes(tensors: Mapping[str, Tensor], keys: Mapping[str, torch.dtype]) -> None:
    for key, dtype in keys.items():
        if key in tensors and tensors[key].dtype != dtype:
            raise ValueError(
                f"{key} is {tensors[key].dtype}, not {dtype}: was the state cast before it was saved?"
            )


def _missing(
    tensors: Mapping[str, Tensor], keys: Mapping[str, torch.dtype], shape: torch.Size | None
) -> tuple[str, ...]:
    is_blank = shape is None or "count" in tensors and not tensors["count"]
    lazy = {"m2", *ROWS} if is_blank and "mean" not in tensors else set()
    return tuple(key for key in keys if key not in tensors and key not in lazy)


def _upgraded(first: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of 0.1.0 in the layout of today."""
    settings = Settings(
        epsilon=first["epsilon"].item(),
        clip=first["clip"].item(),
        until=int(first["until"]),
        decay=first["decay"].item(),
        min_count=int(first["min_count"]),
        frozen=bool(first["frozen"]),
    )
    state = {**{key: first[key] for key in BLANK if key in first}, **settings.tensors()}
    if "m2" in first:
        weight = first["weight"]
        state["var"] = torch.where(weight > 0, first["m2"] / weight.clamp(min=TINY), 1.0)
    return state


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
    state_dict: Mapping[str, Any],
    prefix: str,
    shape: torch.Size | None,
    may_wait: bool,
    allows_nan: bool = True,
) -> list[Part]:
    """Return what a state_dict says of a normalizer, then, if it may have such, of its rows that wait for `sync`."""
    own = {key.removeprefix(prefix): value for key, value in state_dict.items() if key.startswith(prefix)}
    names = [key for key in own if may_wait and key.startswith("pending.")]
    waiting = {key.removeprefix("pending."): own.pop(key) for key in names}
    parts = [_part(prefix, own, shape, allows_nan)]
    return [*parts, _part(f"{prefix}pending.", waiting, shape, allows_nan)] if waiting else parts


def _part(prefix: str, state: Mapping[str, Any], shape: torch.Size | None, allows_nan: bool) -> Part:
    try:
        return Part(prefix, tuple(state), read_state(state, shape, allows_nan))
    except ValueError as error:
        problem = f"{prefix.rstrip('.') or 'RunningMeanStd'}: {error}"
        return Part(prefix, tuple(state), State(None, torch.tensor(0), torch.tensor(0)), problem)


def _read_foreign(state: Mapping[str, Any], shape: torch.Size | None) -> State:
    if not state:
        return State(None, torch.tensor(0), torch.tensor(0), missing=tuple(KEYS))
    moments = moments_of(state)
    _check_shape("mean", moments.mean, shape)
    weight = torch.as_tensor(moments.weight)
    count = weight.round().long()
    return State(
        moments._replace(weight=weight.clamp(min=TINY)), count, torch.tensor(0), known=frozenset(state)
    )


def _check_values(values: Mapping[str, Tensor], shape: torch.Size | None, allows_nan: bool) -> None:
    for key in ("count", "weight", "rejected", "m2", "var"):
        if key in values and bool((values[key] < 0).any()):
            raise ValueError(f"{key} is negative")
    for key in (KEYS.keys() | FIRST_KEYS.keys()) & values.keys() - {"mean", "var", "m2"}:
        _check_number(key, values[key], "until" in values)
    if not bool(values["weight"].isfinite()):
        raise ValueError("weight holds NaN or infinity")
    spread = "m2" if "m2" in values else "var"
    for key in ("mean", spread):
        if key not in values:
            continue
        _check_shape(key, values[key], shape)
        if not allows_nan and not bool(values[key].isfinite().all()):
            raise ValueError(f"{key} holds NaN or infinity")
    if "mean" in values and spread in values and values["mean"].shape != values[spread].shape:
        raise ValueError(
            f"{spread} has shape {tuple(values[spread].shape)}, but mean {tuple(values['mean'].shape)}"
        )


def _check_number(key: str, value: Tensor, is_first: bool) -> None:
    pairs = key == "clip" and not is_first
    if value.shape != ((2,) if pairs else ()) and not (key == "decay" and value.shape == (1,)):
        raise ValueError(f"{key} has shape {tuple(value.shape)}, not {(2,) if pairs else ()}")


def _check_shape(key: str, value: Tensor, shape: torch.Size | None) -> None:
    if shape is not None and value.shape != shape:
        raise ValueError(f"{key} has shape {tuple(value.shape)}, but rows here have shape {tuple(shape)}")


def warn_of_difference(loaded: Settings, given: Settings) -> None:
    """Warn that a checkpoint has other hyper-parameters than the constructor was given: the checkpoint wins."""
    if loaded != given:
        warnings.warn(f"the checkpoint of the normalizer wins: {loaded.difference(given)}", stacklevel=2)


@torch.no_grad()
def adopt(module: Any, state: State, assign: bool) -> None:
    """Write a valid state to the buffers; to new ones, where the checkpoint lies, for `assign=True`."""
    if state.settings is not None and not module.count.is_meta:
        warn_of_difference(state.settings, module.settings)
    if assign:
        settings = state.settings or module.settings
        buffers.renew(module, state.count.device)
        buffers.set_settings(module, settings)
    elif state.settings is not None:
        buffers.set_settings(module, state.settings)
    buffers.clear(module)
    if state.moments is not None:
        module._built(state.moments.mean[None].to(module.count.device))
        for buffer, value in zip((module.weight, module.mean, module.var), state.moments):
            buffer.copy_(torch.as_tensor(value).clamp(min=TINY) if buffer is module.weight else value)
        warn_of_nonfinite(state.moments.mean, state.moments.var)
    module.count.copy_(state.count)
    module.rejected.copy_(state.rejected)


def upgrade_module(module: Any) -> None:
    """Bring a pickle of a whole module that 0.1.0 wrote to the layout of today."""
    old = {
        key: value for key, value in module._buffers.items() if value is not None and not key.startswith("_")
    }
    state = read_state(old, None)
    module._buffers.clear()
    module._non_persistent_buffers_set.clear()
    module.__dict__.pop("settings", None)
    module.__dict__.pop("_known", None)
    buffers.register(module, state.settings or Settings(), old["count"].device)
    adopt(module, state, False)
