"""The statistics of a normalizer do not depend on how the rows come, and a mask filters rows."""

from __future__ import annotations

import pytest
import torch

from flake8_ckpt.runtime.normalizers.on_cpu import SMALL
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import errors
from tests.runtime.reference import fed
from tests.runtime.reference import held

WIDTH = 8


def test_batch_axes_are_flattened(device: torch.device) -> None:
    rows = draw(24, WIDTH, 3, 2, device)
    flat = fed(RunningMeanStd(WIDTH, device=device), [rows])
    nested = fed(RunningMeanStd(WIDTH, device=device), [rows.reshape(2, 3, 4, WIDTH)])
    assert differences(held(flat), held(nested)) == []


def test_rows_of_many_axes_are_kept(device: torch.device) -> None:
    rows = draw(24, WIDTH, 3, 2, device)
    flat = fed(RunningMeanStd(WIDTH, device=device), [rows])
    images = fed(RunningMeanStd((2, 4), device=device), [rows.reshape(24, 2, 4)])
    assert images.mean.shape == (2, 4)
    assert torch.equal(images.m2.flatten(), flat.m2)


def test_single_row_without_batch_counts(device: torch.device) -> None:
    rows = draw(5, WIDTH, 3, 2, device)
    normalizer = fed(RunningMeanStd(WIDTH, device=device), rows)
    assert normalizer.count.item() == 5
    assert max(errors(normalizer, rows)) <= 1e-12


def test_layout_in_memory_does_not_matter(device: torch.device) -> None:
    rows = draw(64, WIDTH, 3, 2, device)
    transposed = rows.t().contiguous().t()
    assert not transposed.is_contiguous()
    for given in (transposed, rows.repeat_interleave(2, 0)[::2], rows[:1].expand(64, WIDTH)):
        normalizer = fed(RunningMeanStd(WIDTH, device=device), [given])
        mean_error = (normalizer.mean - given.double().mean(0)).abs().max().item()
        assert mean_error <= 1e-12
        assert torch.allclose(normalizer.normalize(given), normalizer.normalize(given.contiguous()), atol=0)


@pytest.mark.parametrize("nonfinite", ["propagate", "skip", "raise"])
@pytest.mark.parametrize("number", [64, 2 * SMALL // WIDTH])
def test_masked_is_the_same_as_filtered(device: torch.device, nonfinite: str, number: int) -> None:
    rows = draw(number, WIDTH, 100, 1, device)
    mask = torch.arange(number, device=device) % 4 != 0
    rows[~mask] = torch.nan
    normalizer = RunningMeanStd(WIDTH, nonfinite=nonfinite, device=device)  # type: ignore[arg-type]
    normalizer.update(rows.reshape(2, -1, WIDTH), mask=mask.reshape(2, -1))
    assert max(errors(normalizer, rows[mask])) <= 1e-8
    assert (normalizer.count.item(), normalizer.rejected.item()) == (int(mask.sum()), 0)


def test_masked_and_rejected_rows_are_told_apart(device: torch.device) -> None:
    rows = torch.tensor([[1.0], [torch.nan], [3.0], [torch.inf]], device=device)
    normalizer = RunningMeanStd(1, nonfinite="skip", device=device)
    normalizer.update(rows, mask=torch.tensor([True, True, True, False], device=device))
    assert (normalizer.count.item(), normalizer.rejected.item()) == (2, 1)
    assert (normalizer.mean.item(), normalizer.var.item()) == (2, 1)


@pytest.mark.parametrize("nonfinite", ["propagate", "skip", "raise"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_update_leaves_its_input(device: torch.device, nonfinite: str, dtype: torch.dtype) -> None:
    rows = draw(16, WIDTH, 3, 2, device).to(dtype)
    before = rows.clone()
    normalizer = RunningMeanStd(WIDTH, nonfinite=nonfinite, device=device)  # type: ignore[arg-type]
    normalizer.update(rows)
    normalizer.update(rows, mask=rows[:, 0] > 3)
    normalizer.update_and_normalize(rows)
    normalizer.denormalize(rows)
    assert torch.equal(rows, before)


def test_mask_of_another_shape_is_refused(device: torch.device) -> None:
    normalizer = fed(RunningMeanStd(WIDTH, device=device), [draw(8, WIDTH, 3, 2, device)])
    before = held(normalizer)
    with pytest.raises(ValueError, match=r"mask.*\(3,\).*\(4,\)"):
        normalizer.update(draw(4, WIDTH, 3, 2, device), mask=torch.ones(3, dtype=torch.bool, device=device))
    assert differences(before, held(normalizer)) == []


def test_mask_that_is_not_bool_is_refused(device: torch.device) -> None:
    normalizer = RunningMeanStd(WIDTH, device=device)
    with pytest.raises(TypeError, match="mask"):
        normalizer.update(draw(4, WIDTH, 3, 2, device), mask=torch.ones(4, device=device))
    assert normalizer.count.item() == 0
