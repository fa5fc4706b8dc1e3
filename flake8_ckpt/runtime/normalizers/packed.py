"""Several normalizers as one on a GPU: their columns lie side by side, so that the calls do not grow with their number.

A call costs more there than the arithmetic of a few columns. The statistics stay where they are, in the buffers of
each; what is packed here lives for one call.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers import on_cpu
from flake8_ckpt.runtime.normalizers import on_device
from flake8_ckpt.runtime.normalizers.distributed import is_shared
from flake8_ckpt.runtime.normalizers.moments import fold
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd

Entries = Sequence[RunningMeanStd]


def can_pack(entries: Entries, values: Sequence[Tensor]) -> bool:
    """Tell whether these normalizers can normalize these values together."""
    if len(entries) < 2 or _is_cpu(values[0]) or _is_traced():
        return False
    alike = {(x.dtype, x.device, _batch_shape(x, entry)) for entry, x in zip(entries, values)}
    return len(alike) == 1 and values[0].is_floating_point()


def can_pack_update(entries: Entries, values: Sequence[Tensor]) -> bool:
    """Tell whether these normalizers can take these values in together: plain ones, each in training mode."""
    return can_pack(entries, values) and all(map(_is_plain, entries)) and values[0].numel() > 0


def _is_cpu(x: Tensor) -> bool:
    return x.device.type == "cpu"


def _is_traced() -> bool:
    return torch.compiler.is_compiling() or on_cpu.is_transformed()


def _is_plain(entry: RunningMeanStd) -> bool:
    is_alone = entry.sync_mode == "off" or entry.sync_mode == "auto" and not is_shared(entry.process_group)
    return entry.training and is_alone and entry.nonfinite == "propagate" and entry.decay.dim() == 0


def _batch_shape(x: Tensor, entry: RunningMeanStd) -> torch.Size:
    return x.shape[: x.dim() - entry.mean.dim()]


def update(entries: Entries, values: Sequence[Tensor]) -> None:
    """Take one value for each normalizer, all of the same batch axes, into its statistics."""
    x = _columns_of(entries, [value.detach() for value in values])
    mean, var, count, weight, limit = (
        _column(entries, name) for name in ("mean", "var", "count", "weight", "limit")
    )
    moments, number, _ = on_device.batch_of_all(x, mean, count < limit)
    weight.add_(number)
    fold(mean, var, moments, number / weight)
    count.add_(number)
    widths = [entry.mean.numel() for entry in entries]
    floats = [
        *(
            (entry.mean, piece.view_as(entry.mean))
            for entry, piece in zip(entries, torch.split(mean, widths))
        ),
        *((entry.var, piece.view_as(entry.var)) for entry, piece in zip(entries, torch.split(var, widths))),
        *((entry.weight, piece[0]) for entry, piece in zip(entries, torch.split(weight, widths))),
    ]
    torch._foreach_copy_([target for target, _ in floats], [source for _, source in floats])
    torch._foreach_copy_(
        [entry.count for entry in entries], [piece[0] for piece in torch.split(count, widths)]
    )


def normalize(entries: Entries, values: Sequence[Tensor]) -> list[Tensor]:
    """Return one normalized value for each normalizer; they are views of one tensor."""
    names = ("mean", "var", "count", "epsilon", "clip", "min_count")
    y = on_device.normalize(_columns_of(entries, values), *(_column(entries, name) for name in names))
    widths = [entry.mean.numel() for entry in entries]
    return [piece.reshape(value.shape) for value, piece in zip(values, torch.split(y, widths, 1))]


def _columns_of(entries: Entries, values: Sequence[Tensor]) -> Tensor:
    number = _batch_shape(values[0], entries[0]).numel()
    return torch.cat([value.reshape(number, entry.mean.numel()) for entry, value in zip(entries, values)], 1)


def _column(entries: Entries, name: str) -> Tensor:
    """Return the buffers of a name, each repeated for the columns of its normalizer; `clip` as two rows."""
    found = []
    for entry in entries:
        buffer, width = entry.get_buffer(name), entry.mean.numel()
        is_row = name in ("mean", "var")
        found.append(buffer.reshape(-1) if is_row else buffer.unsqueeze(-1).expand(*buffer.shape, width))
    return torch.cat(found, -1)
