"""The pure mathematics: any split and order of the rows gives the same moments."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import batch_moments
from flake8_ckpt.runtime.normalizers.moments import column_sums
from flake8_ckpt.runtime.normalizers.moments import masked_moments
from flake8_ckpt.runtime.normalizers.moments import merge
from flake8_ckpt.runtime.normalizers.moments import merge_all

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


def distance(first: Moments, second: Moments) -> float:
    """Return the largest difference, relative to the size of what is compared."""
    deviation = (second.m2 / second.weight.clamp(min=1)).sqrt()
    scale = torch.maximum(second.mean.abs(), deviation).clamp(min=1e-300)
    mean = ((first.mean - second.mean).abs() / scale).max().item()
    # The deviations from a mean that is only known to its last bit are only known to that much.
    rounding = (second.mean.square() * second.weight * 1e-16).clamp(min=1e-300)
    m2 = ((first.m2 - second.m2).abs() / torch.maximum(second.m2, rounding)).max().item()
    assert torch.equal(first.weight, second.weight)
    return max(mean, m2)


def is_same(first: Moments, second: Moments) -> bool:
    return all(torch.equal(one, other) for one, other in zip(first, second))


@pytest.mark.parametrize("seed", SEEDS)
def test_any_split_and_order_agree(device: torch.device, seed: int) -> None:
    rows = rows_of(1 + seed * 37, 10.0 ** (seed % 4), 10.0 ** (seed % 3), device, seed)
    together = merge_all(map(batch_moments, split(rows, seed)))
    assert distance(together, batch_moments(rows)) <= BAR


def test_any_drawn_split_agrees() -> None:
    hypothesis = pytest.importorskip("hypothesis", reason="draws many more splits")
    st = hypothesis.strategies
    numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
    batch = st.lists(st.tuples(numbers, numbers), max_size=12)

    def check(batches: list[list[tuple[float, float]]], random: Any) -> None:
        rows = [torch.tensor(each, dtype=torch.float64).reshape(-1, 2) for each in batches]
        whole = batch_moments(torch.cat(rows))
        random.shuffle(rows)
        assert distance(merge_all(map(batch_moments, rows)), whole) <= BAR

    drawn = hypothesis.given(st.lists(batch, min_size=1, max_size=6), st.randoms(use_true_random=False))
    hypothesis.settings(deadline=None, max_examples=150, derandomize=True, database=None)(drawn(check))()


def test_merge_with_empty_is_identity(device: torch.device) -> None:
    sample = batch_moments(rows_of(17, 1e3, 0.1, device, 0))
    empty = batch_moments(rows_of(0, 0, 1, device, 0))
    assert is_same(merge(sample, empty), sample)
    assert is_same(merge(empty, sample), sample)
    assert is_same(merge(empty, empty), empty)


def test_merge_is_commutative(device: torch.device) -> None:
    first, second = (batch_moments(rows_of(9 + seed, seed, 2, device, seed)) for seed in range(2))
    assert distance(merge(first, second), merge(second, first)) <= BAR


def test_merge_is_associative(device: torch.device) -> None:
    one, two, three = (batch_moments(rows_of(5 + 8 * seed, 7 * seed, 2, device, seed)) for seed in range(3))
    assert distance(merge(merge(one, two), three), merge(one, merge(two, three))) <= BAR


def test_merge_leaves_its_arguments(device: torch.device) -> None:
    first, second = (batch_moments(rows_of(9, 3, 2, device, seed)) for seed in range(2))
    before = [each.clone() for each in (*first, *second)]
    merge(first, second)
    assert all(map(torch.equal, before, (*first, *second)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("number", [1, 2, 50, 5000])
def test_masked_rows_are_filtered(device: torch.device, number: int, dtype: torch.dtype) -> None:
    rows = rows_of(number, 100, 1, device, number).to(dtype)
    mask = torch.arange(number, device=device) % 3 != 1
    bar = BAR if dtype == torch.float64 else 1e-7
    assert distance(masked_moments(rows.clone(), mask), batch_moments(rows[mask].double())) <= bar


def test_fully_masked_is_empty(device: torch.device) -> None:
    moments = masked_moments(rows_of(8, 5, 1, device, 0), torch.zeros(8, dtype=torch.bool, device=device))
    assert [each.abs().max().item() for each in moments] == [0, 0, 0]


def test_one_row_has_no_deviation(device: torch.device) -> None:
    row = rows_of(1, 5, 1, device, 0)
    moments = batch_moments(row)
    assert torch.equal(moments.mean, row[0])
    assert moments.m2.abs().max().item() == 0


@pytest.mark.parametrize("number", [0, 1, 31, 127, 128, 129, 4096, 5001])
def test_column_sums_take_any_length(device: torch.device, number: int) -> None:
    rows = torch.arange(number * 2, device=device, dtype=torch.float32).reshape(number, 2) % 7
    assert torch.equal(column_sums(rows), rows.double().sum(0))


@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
def test_moments_have_the_shape_of_a_row(device: torch.device, shape: tuple[int, ...]) -> None:
    rows = torch.ones(6, *shape, device=device)
    for moments in (batch_moments(rows), masked_moments(rows, torch.ones(6, device=device).bool())):
        assert [each.shape for each in moments] == [(), shape, shape]
        assert {each.dtype for each in moments} == {torch.float64}
