"""The pure mathematics: any split and order of the rows gives the same moments."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.moments import TINY
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import column_sums
from flake8_ckpt.runtime.normalizers.moments import fold
from flake8_ckpt.runtime.normalizers.moments import large_moments
from flake8_ckpt.runtime.normalizers.moments import pooled
from flake8_ckpt.runtime.normalizers.moments import small_moments
from flake8_ckpt.runtime.normalizers.on_device import batch_of_all
from flake8_ckpt.runtime.normalizers.on_device import batch_of_kept

BAR = 1e-12
SEEDS = range(20)


def rows_of(number: int, mean: float, std: float, device: torch.device, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(number, 3, generator=generator, dtype=torch.float64) * std + mean).to(device)


def split(rows: Tensor, seed: int) -> list[Tensor]:
    """Return the rows in another order, in batches of random sizes, some empty."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(rows), generator=generator).to(rows.device)
    cuts = torch.randint(0, len(rows) + 1, (6,), generator=generator).sort().values.tolist()
    return [*torch.tensor_split(rows[order], cuts)]


def moments_of(rows: Tensor) -> Moments:
    """Return the moments of rows of float64, which may be none."""
    if len(rows):
        return small_moments(rows)
    return Moments(0, rows.new_zeros(rows.shape[1:]), rows.new_ones(rows.shape[1:]))


def merged(first: Moments, second: Moments) -> Moments:
    """Return the moments of two samples together."""
    weight = first.weight + second.weight
    mean, var = first.mean.clone(), first.var.clone()
    fold(mean, var, second, second.weight / max(float(weight), TINY))
    return Moments(weight, mean, var)


def merged_all(samples: list[Moments]) -> Moments:
    weights = torch.tensor([float(each.weight) for each in samples], dtype=torch.float64)
    means, variances = map(torch.stack, zip(*((each.mean, each.var) for each in samples)))
    return pooled(weights.to(means.device), means, variances)


def distance(first: Moments, second: Moments) -> float:
    """Return the largest difference, relative to the size of what is compared."""
    scale = torch.maximum(second.mean.abs(), second.var.sqrt()).clamp(min=1e-300)
    mean = ((first.mean - second.mean).abs() / scale).max().item()
    # The deviations from a mean that is only known to its last bit are only known to that much.
    rounding = (second.mean.square() * 1e-16).clamp(min=1e-300)
    var = ((first.var - second.var).abs() / torch.maximum(second.var, rounding)).max().item()
    assert float(first.weight) == float(second.weight)
    return max(mean, var)


def is_same(first: Moments, second: Moments) -> bool:
    return float(first.weight) == float(second.weight) and all(map(torch.equal, first[1:], second[1:]))


@pytest.mark.parametrize("seed", SEEDS)
def test_any_split_and_order_agree(device: torch.device, seed: int) -> None:
    rows = rows_of(1 + seed * 37, 10.0 ** (seed % 4), 10.0 ** (seed % 3), device, seed)
    parts = [moments_of(part) for part in split(rows, seed)]
    assert distance(merged_all(parts), moments_of(rows)) <= BAR
    assert distance(reduce(merged, parts), moments_of(rows)) <= BAR


def test_any_drawn_split_agrees() -> None:
    hypothesis = pytest.importorskip("hypothesis", reason="draws many more splits")
    st = hypothesis.strategies
    numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
    batch = st.lists(st.tuples(numbers, numbers), max_size=12)

    def check(batches: list[list[tuple[float, float]]], random: Any) -> None:
        rows = [torch.tensor(each, dtype=torch.float64).reshape(-1, 2) for each in batches]
        whole = moments_of(torch.cat(rows))
        random.shuffle(rows)
        parts = [moments_of(part) for part in rows]
        if float(whole.weight):
            assert distance(merged_all(parts), whole) <= BAR
            assert distance(reduce(merged, parts), whole) <= BAR

    drawn = hypothesis.given(st.lists(batch, min_size=1, max_size=6), st.randoms(use_true_random=False))
    hypothesis.settings(deadline=None, max_examples=150, derandomize=True, database=None)(drawn(check))()


def test_merge_with_empty_is_identity(device: torch.device) -> None:
    sample = moments_of(rows_of(17, 1e3, 0.1, device, 0))
    empty = moments_of(rows_of(0, 0, 1, device, 0))
    assert is_same(merged(sample, empty), sample)
    assert is_same(merged(empty, sample), sample)
    assert is_same(merged(empty, empty), empty)
    assert is_same(merged_all([sample, empty]), sample)


def test_merge_is_commutative(device: torch.device) -> None:
    first, second = (moments_of(rows_of(9 + seed, seed, 2, device, seed)) for seed in range(2))
    assert distance(merged(first, second), merged(second, first)) <= BAR


def test_merge_is_associative(device: torch.device) -> None:
    one, two, three = (moments_of(rows_of(5 + 8 * seed, 7 * seed, 2, device, seed)) for seed in range(3))
    assert distance(merged(merged(one, two), three), merged(one, merged(two, three))) <= BAR


def test_merge_leaves_the_sample(device: torch.device) -> None:
    first, second = (moments_of(rows_of(9, 3, 2, device, seed)) for seed in range(2))
    before = [second.mean.clone(), second.var.clone()]
    fold(first.mean, first.var, second, 0.5)
    assert all(map(torch.equal, before, second[1:]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("number", [1, 2, 50, 5000])
def test_kept_rows_are_filtered(device: torch.device, number: int, dtype: torch.dtype) -> None:
    rows = rows_of(number, 1e6, 1, device, number).to(dtype)
    keep = torch.arange(number, device=device) % 3 != 1
    rows[~keep] = torch.nan
    moments, kept, _ = batch_of_kept(rows, keep)
    # The sums of torch go row by row, whose rounding is that of the mean.
    assert distance(moments, small_moments(rows[keep].double())) <= 1e-10
    assert int(kept) == int(keep.sum())


def test_nothing_kept_is_empty(device: torch.device) -> None:
    rows = torch.full((8, 3), torch.nan, device=device)
    moments = batch_of_kept(rows, torch.zeros(8, dtype=torch.bool, device=device)).moments
    assert [float(torch.as_tensor(each).abs().max()) for each in moments] == [0, 0, 0]


@pytest.mark.parametrize("is_open", [True, False])
def test_closed_batch_brings_nothing(device: torch.device, is_open: bool) -> None:
    rows, mean = rows_of(8, 5, 1, device, 0).float(), torch.full((3,), 7.0, device=device).double()
    if not is_open:
        rows[2, 1] = torch.nan
    moments, number, _ = batch_of_all(rows, mean, torch.tensor(is_open, device=device))
    assert int(number) == (8 if is_open else 0)
    wanted = small_moments(rows.double()) if is_open else Moments(0, mean, torch.zeros_like(mean))
    assert distance(moments, wanted) <= BAR


def test_one_row_has_no_deviation(device: torch.device) -> None:
    row = rows_of(1, 5, 1, device, 0)
    moments = small_moments(row)
    assert torch.equal(moments.mean, row[0])
    assert moments.var.abs().max().item() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("number", [2, 127, 200_000])
def test_large_batches_go_by_pieces(device: torch.device, number: int, dtype: torch.dtype) -> None:
    rows = rows_of(number, 1e4, 1, device, 0).to(dtype)
    assert distance(large_moments(rows), small_moments(rows.double())) <= 1e-7


def test_sums_that_overflow_are_taken_again(device: torch.device) -> None:
    rows = rows_of(8192, 0, 1, device, 0).float()
    rows[5, 1] = 1e20
    assert distance(large_moments(rows), small_moments(rows.double())) <= 1e-7


@pytest.mark.parametrize("number", [0, 1, 31, 127, 128, 129, 4096, 5001])
def test_column_sums_take_any_length(device: torch.device, number: int) -> None:
    rows = torch.arange(number * 2, device=device, dtype=torch.float32).reshape(number, 2) % 7
    assert torch.equal(column_sums(rows), rows.double().sum(0))


@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
def test_moments_have_the_shape_of_a_row(device: torch.device, shape: tuple[int, ...]) -> None:
    rows = torch.ones(6, *shape, device=device)
    keep = torch.ones(6, device=device, dtype=torch.bool)
    for moments in (small_moments(rows.double()), large_moments(rows), batch_of_kept(rows, keep).moments):
        assert [each.shape for each in moments[1:]] == [shape, shape]
        assert {each.dtype for each in moments[1:]} == {torch.float64}
