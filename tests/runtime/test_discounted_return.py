"""Rewards divided by the deviation of discounted returns: what goes in, and a resume at any step."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import held
from tests.runtime.reference import std_error
from tests.runtime.reference import two_pass


def step_of(number: int, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return rewards, and who is done, on the device; the same for each run."""
    drawn = draw(number, 2, 0.5, 1, torch.device("cpu"), step)
    return drawn[:, 0].to(device), (drawn[:, 1] > 2).to(device)


def test_statistics_are_those_of_the_returns(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(16, gamma=0.9, device=device)
    returns, seen = torch.zeros(16, dtype=torch.float64), []
    for step in range(60):
        reward, done = step_of(16, step, device)
        normalizer.update(reward, done)
        returns = returns * 0.9 + reward.cpu().double()
        seen.append(returns)
        returns = returns * ~done.cpu()
    assert torch.equal(normalizer.returns.cpu(), returns)
    assert normalizer.statistics.count.item() == 960
    assert std_error(normalizer.statistics.std, two_pass(torch.cat(seen))[1]) <= 1e-12


def test_mean_is_not_subtracted(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(16, device=device)
    for step in range(20):
        normalizer.update(*step_of(16, step, device))
    reward = torch.tensor([0.0, 1.0, -1.0], device=device)
    scaled = normalizer.normalize(reward)
    assert scaled[0].item() == 0
    assert scaled[1].item() == -scaled[2].item() == pytest.approx(1 / normalizer.statistics.std.item())


def test_rewards_are_clipped(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(16, clip=2.0, device=device)
    normalizer.update(*step_of(16, 0, device))
    assert normalizer.normalize(torch.tensor([1e9, -1e9], device=device)).tolist() == [2, -2]


def test_first_rewards_are_returned(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(1, clip=0.1, device=device)
    reward, done = step_of(1, 0, device)
    assert torch.equal(normalizer(reward), reward)
    assert torch.equal(normalizer.update_and_normalize(reward, done), reward)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64, torch.int32])
def test_output_has_the_dtype_of_the_reward(device: torch.device, dtype: torch.dtype) -> None:
    normalizer = DiscountedReturnNormalizer(4, device=device)
    reward = torch.tensor([1, 2, 3, 4], device=device).to(dtype)
    scaled = normalizer.update_and_normalize(reward, torch.zeros(4, device=device))
    assert scaled.dtype == (dtype if dtype.is_floating_point else torch.float32)
    assert normalizer.returns.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float32])
def test_done_may_be_of_any_dtype(device: torch.device, dtype: torch.dtype) -> None:
    normalizer = DiscountedReturnNormalizer(3, device=device)
    normalizer.update(torch.ones(3, device=device), torch.tensor([0, 1, 0], device=device).to(dtype))
    assert normalizer.returns.tolist() == [1, 0, 1]


@pytest.mark.parametrize("step", [0, 1, 17, 39])
def test_resume_equals_uninterrupted_run(device: torch.device, step: int) -> None:
    number = 8192 if device.type == "cuda" else 256
    whole = DiscountedReturnNormalizer(number, decay=0.99, device=device)
    first = DiscountedReturnNormalizer(number, decay=0.99, device=device)
    outputs = [whole.update_and_normalize(*step_of(number, each, device)) for each in range(40)]
    for each in range(step):
        first.update(*step_of(number, each, device))
    resumed = DiscountedReturnNormalizer(number, decay=0.99, device=device)
    resumed.load_state_dict(first.state_dict())
    for each in range(step, 40):
        assert torch.equal(resumed.update_and_normalize(*step_of(number, each, device)), outputs[each])
    assert differences(held(whole), held(resumed)) == []


def test_eval_mode_changes_nothing(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(4, device=device)
    normalizer.update(*step_of(4, 0, device))
    before = held(normalizer)
    normalizer.eval().update(*step_of(4, 1, device))
    assert differences(before, held(normalizer)) == []


def test_frozen_statistics_still_follow_returns(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(4, device=device)
    normalizer.statistics.freeze()
    normalizer.update(torch.ones(4, device=device), torch.zeros(4, device=device))
    assert normalizer.statistics.count.item() == 0
    assert normalizer.returns.tolist() == [1, 1, 1, 1]


def test_nan_reward_can_be_skipped(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(3, gamma=0.5, nonfinite="skip", device=device)
    nobody = torch.zeros(3, device=device)
    normalizer.update(torch.tensor([2.0, 4.0, 6.0], device=device), nobody)
    normalizer.update(torch.tensor([1.0, torch.nan, torch.inf], device=device), nobody)
    assert normalizer.returns.tolist() == [2, 2, 3]
    assert (normalizer.statistics.count.item(), normalizer.statistics.rejected.item()) == (4, 2)


def test_nan_reward_can_be_refused(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(2, nonfinite="raise", device=device)
    normalizer.update(torch.ones(2, device=device), torch.zeros(2, device=device))
    before = held(normalizer)
    with pytest.raises(ValueError, match="NaN"):
        normalizer.update(torch.tensor([1.0, torch.nan], device=device), torch.zeros(2, device=device))
    assert differences(before, held(normalizer)) == []


@pytest.mark.parametrize("shape", [(3,), (4, 1), ()])
def test_other_number_of_environments_is_refused(device: torch.device, shape: tuple[int, ...]) -> None:
    normalizer = DiscountedReturnNormalizer(4, device=device)
    right, wrong = torch.ones(4, device=device), torch.ones(shape, device=device)
    with pytest.raises(ValueError, match="reward has shape"):
        normalizer.update(wrong, right)
    with pytest.raises(ValueError, match="done has shape"):
        normalizer.update(right, wrong)
    assert normalizer.returns.tolist() == [0] * 4


@pytest.mark.parametrize("gamma", [-0.1, 1.1, float("nan")])
def test_bad_gamma_is_refused(gamma: float) -> None:
    with pytest.raises(ValueError, match="gamma must be from 0 to 1"):
        DiscountedReturnNormalizer(4, gamma=gamma)


def test_reset_forgets_returns(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(4, gamma=0.5, device=device)
    before = held(normalizer)
    normalizer.update(*step_of(4, 0, device))
    normalizer.reset()
    assert differences(before, held(normalizer)) == []


def test_gradient_reaches_the_reward(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(4, device=device)
    reward = torch.ones(4, device=device, requires_grad=True)
    normalizer.update(reward, torch.zeros(4, device=device))
    normalizer.update(2 * reward, torch.zeros(4, device=device))
    (slope,) = torch.autograd.grad(normalizer.normalize(reward).sum(), reward)
    assert (slope * normalizer.statistics.std - 1).abs().max().item() <= 1e-6
    assert not normalizer.returns.requires_grad
