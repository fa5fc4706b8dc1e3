"""The buffers of a running normalizer: how they are made, given a shape, written and made anew."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.settings import Settings

STATISTICS = ("mean", "m2")
# What `normalize` computes with; it follows from the statistics, so no checkpoint holds it.
DERIVED = ("_shift", "_scale", "_offset")


def register(module: nn.Module, settings: Settings, device: torch.device | str | None) -> None:
    """Register all buffers: those that have the shape of a row as `None`, the others as zero or their setting."""
    for name in STATISTICS:
        module.register_buffer(name, None)
    for name, dtype in (("count", torch.int64), ("weight", torch.float64), ("rejected", torch.int64)):
        module.register_buffer(name, torch.zeros((), dtype=dtype, device=device))
    for name, value in settings.tensors(device).items():
        module.register_buffer(name, value)
    for name in DERIVED:
        module.register_buffer(name, None, persistent=False)


def give_shape(module: nn.Module, shape: tuple[int, ...], device: torch.device) -> None:
    """Make the buffers that have the shape of a row, all zero."""
    # Tensors that are made in inference mode could not be updated outside of it.
    with torch.inference_mode(False):
        for name in STATISTICS:
            setattr(module, name, torch.zeros(shape, dtype=torch.float64, device=device))
        for name in DERIVED:
            setattr(module, name, torch.zeros(shape, dtype=torch.float32, device=device))


def renew(module: nn.Module, device: torch.device) -> None:
    """Make all buffers anew where a checkpoint lies, as `assign=True` asks; they never share its memory."""
    for name, buffer in module.named_buffers(recurse=False):
        setattr(module, name, torch.zeros_like(buffer, device=device))


@torch.no_grad()
def clear(module: nn.Module, settings: Mapping[str, float]) -> None:
    """Set the statistics to zero, in place, and the buffers of the hyper-parameters to these."""
    for name, value in settings.items():
        module.get_buffer(name).fill_(value)
    for name in ("count", "weight", "rejected", *STATISTICS):
        buffer: Tensor | None = getattr(module, name)
        if buffer is not None:
            buffer.zero_()


def write(buffers: Moments, values: Iterable[Tensor]) -> None:
    """Copy moments into buffers."""
    for buffer, value in zip(buffers, values):
        # Through a view: compiled code of torch 2.13 drops writes to float64 tensors of shape () on the CPU.
        (buffer if buffer.dim() else buffer.view(1)).copy_(value)
