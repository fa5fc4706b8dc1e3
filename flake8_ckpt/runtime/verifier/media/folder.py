"""Folders: distributed checkpoints of torch, and what `save_pretrained` writes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flake8_ckpt.runtime.verifier.media.medium import Loaded
from flake8_ckpt.runtime.verifier.media.medium import NotCheckable
from flake8_ckpt.runtime.verifier.media.medium import mapping_of
from flake8_ckpt.runtime.verifier.media.medium import put_state


@contextmanager
def alone() -> Iterator[None]:
    """Let torch not warn that there is one process, which is meant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is", UserWarning)
        yield


def save_distributed(source: Any, path: Path) -> None:
    """Write a distributed checkpoint from this one process."""
    from torch.distributed.checkpoint.state_dict_saver import save

    with alone():
        save(mapping_of(source), checkpoint_id=path)


def load_distributed(target: Any, path: Path) -> Loaded:
    """Read a distributed checkpoint into the tensors of a target, in place.

    `load_state_dict` is called only where something of the state is no memory of the target's own.
    """
    from torch.distributed.checkpoint.state_dict_loader import load

    state = mapping_of(target)
    with alone():
        load(state, checkpoint_id=path)
    if isinstance(target, nn.Module) and is_there(state, target.state_dict()):
        return Loaded(target, None)
    return put_state(target, state)


def is_there(state: dict[str, Any], now: dict[str, Any]) -> bool:
    """Return whether the tensors of a state are those of another, so that reading in place was enough."""
    return state.keys() == now.keys() and all(
        isinstance(value, torch.Tensor) and isinstance(now[key], torch.Tensor) and value.is_set_to(now[key])
        for key, value in state.items()
    )


def save_pretrained(source: Any, path: Path) -> None:
    """Let an object write itself as its library does."""
    if not hasattr(source, "save_pretrained") or not hasattr(type(source), "from_pretrained"):
        raise NotCheckable(f"{type(source).__name__} has no save_pretrained and from_pretrained")
    source.save_pretrained(path)


def load_pretrained(target: Any, path: Path) -> Loaded:
    """Return what `from_pretrained` of the target's class makes of the folder."""
    loaded = type(target).from_pretrained(path)
    return Loaded(loaded.train(target.training) if isinstance(loaded, nn.Module) else loaded, None)
