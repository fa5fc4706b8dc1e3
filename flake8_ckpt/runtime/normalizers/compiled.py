"""What `torch.compile` runs on a CPU: sums and values in float32, where float64 is half as fast.

Sums of squares overflow there at 1e19: what is to take such values is better not compiled, or runs on a GPU.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.moments import column_sums

# Up to this many numbers, float64 costs no more than float32.
SMALL = 2**15
# Each value of these is one of float32.
EXACT = frozenset([torch.float32, torch.float16, torch.bfloat16])


def is_for_cpu(x: Tensor) -> bool:
    """Tell whether code is compiled for large batches on a CPU; what is exported must run where this package is not."""
    return (
        torch.compiler.is_compiling()
        and not getattr(torch.compiler, "is_exporting", lambda: True)()
        and x.device.type == "cpu"
        and x.dtype in EXACT
        and x.numel() > SMALL
    )


def mean_and_var(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and population variance of the rows, float64, by two passes with a correction."""
    number = rows.shape[0]
    pivot = rows.float().mean(0)
    deviation = rows - pivot
    shift = column_sums(deviation) / number
    return shift + pivot, (column_sums(deviation.square()) / number - shift.square()).clamp(min=0)


def affine(mean: Tensor, var: Tensor, epsilon: Tensor) -> Tensor:
    """Return shift, scale and offset as float32, stacked, as `on_cpu.normalize` uses them.

    A call of its own, because compiled code would compute all three again for each value.
    """
    scale = (var + epsilon).rsqrt()
    shift = mean.float()
    return torch.stack([shift, scale.float(), ((shift - mean) * scale).float()])


def _empty_affine(mean: Tensor, var: Tensor, epsilon: Tensor) -> Tensor:
    return mean.new_empty((3, *mean.shape), dtype=torch.float32)


OPERATIONS: Any = torch.library.Library("flake8_ckpt", "FRAGMENT")  # type: ignore[no-untyped-call]
# A module that is imported anew, as tests and notebooks do, finds what it defined the first time.
with contextlib.suppress(RuntimeError):
    OPERATIONS.define("affine(Tensor mean, Tensor var, Tensor epsilon) -> Tensor")
    OPERATIONS.impl("affine", affine, "CPU")
    torch.library.register_fake("flake8_ckpt::affine", _empty_affine, lib=OPERATIONS)


def normalize(
    x: Tensor, mean: Tensor, var: Tensor, count: Tensor, epsilon: Tensor, clip: Tensor, min_count: Tensor
) -> Tensor:
    """Return what `on_device.normalize` does."""
    shift, scale, offset = torch.ops.flake8_ckpt.affine(mean, var, epsilon).unbind()
    least, most = clip.float().unbind()
    y = torch.clamp((x - shift) * scale + offset, least, most)
    return torch.where(count < min_count, x, y.to(x.dtype))
