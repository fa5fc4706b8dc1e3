"""How far statistics and normalized values of float32 input may be from a float64 two-pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.on_cpu import SMALL
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from tests.runtime.reference import draw
from tests.runtime.reference import errors
from tests.runtime.reference import fed
from tests.runtime.reference import two_pass

BAR = 1e-8
FAR_BAR = 1e-9
EXACT_BAR = 1e-11
MERGED_BAR = 1e-10
OUTPUT_BAR = 5e-7
WIDTH = 8
NEAR = {"N(3,2)": (3.0, 2.0), "N(100,1)": (100.0, 1.0)}
FAR = {"N(1e6,1)": (1e6, 1.0), "N(1e4,1e-2)": (1e4, 1e-2)}
HUGE = {"N(0,1e20)": (0.0, 1e20)}
SAMPLES: dict[str, tuple[float, float]] = {**NEAR, **FAR, **HUGE}
# Batches below and above the number of values from which float32 sums are taken.
SIZES = [1, 2, 64, 2 * SMALL // WIDTH]


def batches(rows: Tensor, size: int) -> Iterator[Tensor]:
    """Yield at most fifty batches of a size, or two of a large one, and what is left as the last one."""
    number = min(len(rows) // size, 50)
    yield from torch.split(rows[: number * size], size)
    yield rows[number * size :]


def rows_for(name: str, size: int, device: torch.device) -> Tensor:
    mean, std = SAMPLES[name]
    return draw(max(2 * size, 1500) + 37, WIDTH, mean, std, device)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NEAR)
def test_near_means_are_right(device: torch.device, name: str, size: int) -> None:
    rows = rows_for(name, size, device)
    normalizer = fed(RunningMeanStd(WIDTH, device=device), batches(rows, size))
    assert max(errors(normalizer, rows)) <= BAR
    assert normalizer.count.item() == len(rows)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FAR)
def test_far_means_are_right(device: torch.device, name: str, size: int) -> None:
    rows = rows_for(name, size, device)
    mean, std = errors(fed(RunningMeanStd(WIDTH, device=device), batches(rows, size)), rows)
    assert mean <= FAR_BAR
    assert std <= FAR_BAR


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SAMPLES)
def test_float64_sums_are_exact(device: torch.device, name: str, size: int) -> None:
    rows = rows_for(name, size, device)
    normalizer = RunningMeanStd(WIDTH, accumulate_dtype=torch.float64, device=device)
    mean, std = errors(fed(normalizer, batches(rows, size)), rows)
    # The last bit of a float64 mean of 1e4 is 2e-10 deviations of 1e-2: fifty small merges leave a part of that.
    assert mean <= EXACT_BAR
    assert std <= (MERGED_BAR if name in FAR and size <= 64 else EXACT_BAR)


@pytest.mark.parametrize("size", SIZES[1:])
def test_drifting_mean_is_right(device: torch.device, size: int) -> None:
    rows = draw(max(2 * size, 3200), WIDTH, 0.0, 1.0, device)
    rows += torch.linspace(-50, 70, len(rows), device=device)[:, None]
    normalizer = fed(RunningMeanStd(WIDTH, device=device), batches(rows, size))
    assert max(errors(normalizer, rows)) <= BAR


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6, -3e-20])
@pytest.mark.parametrize("number", [1, 2, 700, 2 * SMALL // WIDTH])
def test_constant_rows_do_not_deviate(device: torch.device, value: float, number: int) -> None:
    rows = torch.full((number, WIDTH), value, device=device)
    normalizer = fed(RunningMeanStd(WIDTH, device=device), [rows, rows[:1]])
    exact = rows[0].double()
    assert (normalizer.mean - exact).abs().max().item() <= BAR * abs(value)
    assert normalizer.std.max().item() <= BAR * abs(value)
    assert normalizer.normalize(rows).abs().max().item() <= OUTPUT_BAR


@pytest.mark.parametrize("bits", [24, 31, 53])
def test_count_is_exact_beyond_floats(device: torch.device, bits: int) -> None:
    normalizer = RunningMeanStd(2, device=device)
    normalizer.update_from_moments(torch.zeros(2, device=device), torch.ones(2, device=device), 2**bits - 1)
    for _ in range(5):
        normalizer.update(torch.ones(1, 2, device=device))
    assert normalizer.count.item() == 2**bits + 4


@pytest.mark.parametrize("name", [*NEAR, *FAR])
@pytest.mark.parametrize("size", SIZES[2:])
def test_normalized_output_is_right(device: torch.device, name: str, size: int) -> None:
    rows = rows_for(name, size, device)
    normalizer = fed(RunningMeanStd(WIDTH, epsilon=0.0, clip=None, device=device), batches(rows, size))
    mean, std = two_pass(rows)
    wanted = (rows.cpu().double() - mean) / std
    given = normalizer.normalize(rows)
    assert given.dtype == torch.float32
    # Absolute up to three deviations; beyond, where float32 itself has an error of 2.4e-7, relative.
    error = (given.cpu().double() - wanted).abs() * 3 / wanted.abs().clamp(min=3)
    assert error.max().item() <= OUTPUT_BAR


@pytest.mark.parametrize("name", [*NEAR, *FAR])
@pytest.mark.parametrize("size", SIZES[2:])
def test_nan_rows_are_skipped_exactly(device: torch.device, name: str, size: int) -> None:
    rows = rows_for(name, size, device)
    good = torch.arange(len(rows), device=device) % 10 != 3
    spoilt = rows.clone()
    spoilt[~good, 1] = torch.nan
    spoilt[~good, 2] = torch.inf
    normalizer = fed(RunningMeanStd(WIDTH, nonfinite="skip", device=device), batches(spoilt, size))
    assert max(errors(normalizer, rows[good])) <= 2e-8
    assert normalizer.count.item() == int(good.sum())
    assert normalizer.rejected.item() == int((~good).sum())


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.int16, torch.uint8, torch.bool, torch.int64]
)
@pytest.mark.parametrize("number", [300, 2 * SMALL // WIDTH])
def test_other_dtypes_are_summed_well(device: torch.device, dtype: torch.dtype, number: int) -> None:
    rows = draw(number, WIDTH, 40, 12, device).clamp(0, 200).to(dtype)
    rows[::3] = 0
    mean, std = errors(fed(RunningMeanStd(WIDTH, device=device), [rows]), rows)
    assert mean <= BAR
    # Few different values round alike, so that the errors of float32 squares do not average out.
    assert std <= (BAR if number == 300 or dtype == torch.int64 else 3e-7)


def test_far_integers_are_summed_exactly(device: torch.device) -> None:
    rows = draw(2 * SMALL // WIDTH, WIDTH, 0, 9, device).long() + 2**33
    assert max(errors(fed(RunningMeanStd(WIDTH, device=device), [rows]), rows)) <= BAR
