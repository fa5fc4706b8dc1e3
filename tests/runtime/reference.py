"""What statistics should be: a float64 two-pass over all rows, and exact comparison of what modules hold."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd

Held = dict[str, Tensor]


def draw(number: int, width: int, mean: float, std: float, device: torch.device, seed: int = 0) -> Tensor:
    """Return float32 rows that are the same on all devices."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(number, width, generator=generator, dtype=torch.float64) * std + mean
    return rows.float().to(device)


def two_pass(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation, float64 on the CPU."""
    exact = rows.cpu().double()
    mean = exact.mean(0)
    mean = mean + (exact - mean).mean(0)
    return mean, (exact - mean).square().mean(0).sqrt()


def mean_error(given: Tensor, mean: Tensor, std: Tensor) -> float:
    """Return the largest error of a mean, relative to the larger of itself and the deviation."""
    return ((given.cpu() - mean).abs() / torch.maximum(mean.abs(), std)).max().item()


def std_error(given: Tensor, std: Tensor) -> float:
    return (given.cpu() / std - 1).abs().max().item()


def errors(normalizer: RunningMeanStd, rows: Tensor) -> tuple[float, float]:
    """Return the relative errors of mean and standard deviation against the two-pass."""
    mean, std = two_pass(rows)
    return mean_error(normalizer.mean, mean, std), std_error(normalizer.std, std)


def fed(normalizer: RunningMeanStd, batches: Iterable[Tensor]) -> RunningMeanStd:
    for batch in batches:
        normalizer.update(batch)
    return normalizer


def held(module: nn.Module) -> Held:
    """Return copies of all buffers and of the state, which need not be the same."""
    return {name: buffer.clone() for name, buffer in (*module.named_buffers(), *module.state_dict().items())}


def addresses(module: nn.Module) -> dict[str, int]:
    found = (*module.named_buffers(), *module.state_dict().items())
    return {name: buffer.data_ptr() for name, buffer in found}


def differences(first: Held, second: Held) -> list[str]:
    """Return the names of what is not equal to the bit, dtypes included."""
    return sorted(_differing(first, second))


def _differing(first: Held, second: Held) -> Iterator[str]:
    yield from first.keys() ^ second.keys()
    for name in first.keys() & second.keys():
        one, other = first[name].cpu(), second[name].cpu()
        same_nan = one.is_floating_point() and torch.equal(one.isnan(), other.isnan())
        same = torch.equal(one.nan_to_num(), other.nan_to_num()) if same_nan else torch.equal(one, other)
        if one.dtype != other.dtype or not same:
            yield name
