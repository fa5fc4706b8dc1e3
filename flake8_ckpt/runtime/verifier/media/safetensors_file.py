"""Files that hold tensors by name and nothing else."""

from __future__ import annotations

from pathlib import Path

import torch

from flake8_ckpt.runtime.verifier.media.medium import Loaded
from flake8_ckpt.runtime.verifier.media.medium import NotCheckable
from flake8_ckpt.runtime.verifier.media.medium import put_state
from flake8_ckpt.runtime.verifier.media.medium import state_of


def save_safetensors(source: object, path: Path) -> None:
    """Write the state, each tensor as a copy of its own; raise NotCheckable where it holds something else."""
    from safetensors.torch import save_file

    state = state_of(source)
    if not isinstance(state, dict):
        raise NotCheckable(f"the state is a {type(state).__name__}, the format holds tensors by name")
    for name, value in state.items():
        if not isinstance(value, torch.Tensor) or hasattr(value, "__tensor_flatten__"):
            raise NotCheckable(f"{name!r} is a {type(value).__name__}, the format holds plain tensors only")
    try:
        save_file({name: value.detach().clone().contiguous() for name, value in state.items()}, path)
    except (ValueError, KeyError, RuntimeError) as error:
        raise NotCheckable(str(error).splitlines()[0]) from error


def load_safetensors(target: object, path: Path) -> Loaded:
    """Load the state from a safetensors file; its tensors come back on the CPU."""
    from safetensors.torch import load_file

    return put_state(target, load_file(path))
