"""The buffers of a running normalizer, which are all that it knows: how they are made, written and made anew."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime.normalizers.moments import TINY
from flake8_ckpt.runtime.normalizers.settings import Settings

# What each has before the first row, and its dtype; the first two have the shape of a row.
BLANK = {
    "mean": (0, torch.float64),
    "var": (1, torch.float64),
    "count": (0, torch.int64),
    "weight": (TINY, torch.float64),
    "rejected": (0, torch.int64),
}
ROWS = ("mean", "var")
# A `RunningMeanStd`, whose class is made of the files that take one.
Normalizer = Any


def register(module: nn.Module, settings: Settings, device: torch.device | str | None) -> None:
    """Register all buffers: those that have the shape of a row as `None`, the others blank or as their setting."""
    for name, (value, dtype) in BLANK.items():
        buffer = None if name in ROWS else torch.full((), value, dtype=dtype, device=device)
        module.register_buffer(name, buffer)
    for name, tensor in settings.tensors(device).items():
        module.register_buffer(name, tensor)


def give_shape(module: nn.Module, shape: tuple[int, ...], device: torch.device) -> None:
    """Make the buffers that have the shape of a row."""
    # Tensors that are made in inference mode could not be updated outside of it.
    with torch.inference_mode(False):
        for name in ROWS:
            value, dtype = BLANK[name]
            setattr(module, name, torch.full(shape, value, dtype=dtype, device=device))


def renew(module: nn.Module, device: torch.device) -> None:
    """Make all buffers anew where a checkpoint lies, as `assign=True` asks; they never share its memory."""
    for name, buffer in module.named_buffers(recurse=False):
        setattr(module, name, torch.zeros_like(buffer, device=device))


@torch.no_grad()
def clear(module: nn.Module) -> None:
    """Forget all rows, in place."""
    for name, (value, _) in BLANK.items():
        buffer: Tensor | None = getattr(module, name)
        if buffer is not None:
            buffer.fill_(value)


@torch.no_grad()
def set_settings(module: nn.Module, settings: Settings) -> None:
    """Write hyper-parameters, in place where the shape of their buffer allows."""
    for name, value in settings.tensors().items():
        buffer = module.get_buffer(name)
        if buffer.shape == value.shape:
            buffer.copy_(value)
        else:
            setattr(module, name, value.to(buffer.device))


def writable(buffer: Tensor) -> Tensor:
    """Return a buffer in a shape in which compiled code writes it.

    That of torch 2.13 drops writes to float64 tensors of shape () on the CPU.
    """
    return buffer if buffer.dim() else buffer.view(1)
