"""What was found in other normalizers, each defect by name: ours does not have it."""

from __future__ import annotations

import copy

import pytest
import torch

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from tests.runtime.reference import addresses
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import errors
from tests.runtime.reference import fed
from tests.runtime.reference import held
from tests.runtime.reference import two_pass


@pytest.mark.parametrize("mean", [0.0, 100.0, 1e6])
def test_no_pseudo_count_widens_the_deviation(device: torch.device, mean: float) -> None:
    rows = draw(3200, 4, mean, 1, device)
    normalizer = fed(RunningMeanStd(4, device=device), torch.tensor_split(rows, 100))
    assert errors(normalizer, rows)[1] <= 1e-8
    assert torch.equal(normalizer.weight, normalizer.count.double())


def test_one_row_batch_is_not_nan(device: torch.device) -> None:
    rows = draw(3, 4, 3, 2, device)
    normalizer = fed(RunningMeanStd(4, device=device), [rows[:1]])
    assert torch.equal(normalizer.var, torch.zeros_like(normalizer.var))
    assert max(errors(fed(normalizer, [rows[1:2], rows[2:]]), rows)) <= 1e-8


def test_variance_is_the_population_variance(device: torch.device) -> None:
    normalizer = fed(RunningMeanStd((), device=device), [torch.tensor([1.0, 3.0], device=device)])
    assert normalizer.var.item() == 1


def test_count_does_not_stop_at_2_24(device: torch.device) -> None:
    normalizer = RunningMeanStd((), device=device)
    normalizer.update_from_moments(torch.zeros((), device=device), torch.ones((), device=device), 2**24)
    for _ in range(3):
        normalizer.update(torch.ones(1, device=device))
    assert (normalizer.count.item(), normalizer.weight.item()) == (2**24 + 3, 2**24 + 3)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_decay_is_unbiased(device: torch.device, decay: float) -> None:
    rows = draw(400, 4, 100, 1, device)
    normalizer = fed(RunningMeanStd(4, decay=decay, device=device), torch.split(rows, 10))
    age = torch.arange(39, -1, -1, dtype=torch.float64).repeat_interleave(10)
    weights = (decay**age / (decay**age).sum())[:, None]
    exact = rows.cpu().double()
    mean = (weights * exact).sum(0)
    var = (weights * (exact - mean).square()).sum(0)
    assert (normalizer.mean.cpu() / mean - 1).abs().max().item() <= 1e-8
    assert (normalizer.var.cpu() / var - 1).abs().max().item() <= 1e-8


@pytest.mark.parametrize("number", [1, 2, 50])
def test_decay_keeps_a_constant_stream(device: torch.device, number: int) -> None:
    rows = torch.full((number, 4), 7.0, device=device)
    normalizer = fed(RunningMeanStd(4, decay=0.9, device=device), [rows] * 30)
    assert (normalizer.mean - 7).abs().max().item() <= 1e-14
    assert normalizer.var.max().item() <= 1e-14


def test_variance_between_batches_counts(device: torch.device) -> None:
    batches = [torch.full((5, 1), value, device=device) for value in (0.0, 10.0)]
    normalizer = fed(RunningMeanStd(1, device=device), batches)
    assert (normalizer.mean.item(), normalizer.var.item()) == (5, 25)


def test_mean_is_not_rounded_to_float32(device: torch.device) -> None:
    rows = draw(2000, 4, 1e6, 1, device)
    normalizer = fed(RunningMeanStd(4, epsilon=0, device=device), torch.split(rows, 100))
    mean, std = two_pass(rows)
    error = (normalizer.normalize(rows).cpu().double() - (rows.cpu().double() - mean) / std).abs()
    rounded = ((rows.cpu() - mean.float()) / std.float() - (rows.cpu().double() - mean) / std).abs()
    assert error.max().item() <= 5e-7 < 1e-3 < rounded.max().item()


def test_lazy_instance_loads_its_own_checkpoint(device: torch.device) -> None:
    rows = draw(50, 4, 3, 2, device)
    trained = fed(RunningMeanStd(device=device), [rows])
    fresh = RunningMeanStd(device=device)
    fresh.load_state_dict(trained.state_dict())
    assert differences(held(trained), held(fresh)) == []
    assert torch.equal(fresh.normalize(rows), trained.normalize(rows))


def test_return_accumulator_is_restored(device: torch.device) -> None:
    trained = DiscountedReturnNormalizer(4, device=device)
    for step in range(20):
        reward = draw(4, 1, 1, 2, device, step)[:, 0]
        trained.update(reward, torch.arange(4, device=device) == step % 7)
    resumed = DiscountedReturnNormalizer(4, device=device)
    resumed.load_state_dict(trained.state_dict())
    assert resumed.returns.abs().sum().item() > 0
    for step in range(20, 30):
        reward = draw(4, 1, 1, 2, device, step)[:, 0]
        for each in (trained, resumed):
            each.update(reward, torch.arange(4, device=device) == step % 7)
    assert differences(held(trained), held(resumed)) == []


def test_hyperparameters_are_restored(device: torch.device) -> None:
    given = {"epsilon": 1e-3, "clip": 2.0, "until": 900, "decay": 0.9, "min_count": 5}
    trained = fed(RunningMeanStd(4, device=device, **given), [draw(50, 4, 3, 2, device)])  # type: ignore[arg-type]
    fresh = RunningMeanStd(4, device=device)
    with pytest.warns(UserWarning, match="epsilon 0.001.*clip 2.0.*until 900.*decay 0.9.*min_count 5"):
        fresh.load_state_dict(trained.state_dict())
    assert fresh.settings == trained.settings
    for each in (trained, fresh):
        each.update(draw(50, 4, 9, 2, device))
    assert differences(held(trained), held(fresh)) == []


def test_gamma_is_restored(device: torch.device) -> None:
    trained = DiscountedReturnNormalizer(2, gamma=0.5, device=device)
    fresh = DiscountedReturnNormalizer(2, device=device)
    with pytest.warns(UserWarning, match=r"gamma 0.5 \(not 0.99\)"):
        fresh.load_state_dict(trained.state_dict())
    assert fresh.gamma.item() == 0.5


@pytest.mark.parametrize("assign", [False, True])
def test_loaded_state_is_not_shared(device: torch.device, assign: bool) -> None:
    trained = fed(RunningMeanStd(4, device=device), [draw(50, 4, 3, 2, device)])
    state = trained.state_dict()
    before = copy.deepcopy(state)
    fresh = RunningMeanStd(4, device=device)
    fresh.load_state_dict(state, assign=assign)
    fresh.update(draw(50, 4, 9, 2, device))
    fresh.freeze()
    assert differences(dict(before), dict(state)) == []
    assert differences(dict(before), dict(trained.state_dict())) == []


def test_earlier_state_dict_stays_live(device: torch.device) -> None:
    normalizer = RunningMeanStd(4, until=500, nonfinite="skip", device=device)
    state, before = normalizer.state_dict(), addresses(normalizer)
    other = fed(RunningMeanStd(4, device=device), [draw(30, 4, 1, 2, device)])
    normalizer.update(draw(50, 4, 3, 2, device))
    normalizer.merge(other)
    with pytest.warns(UserWarning, match="until"):
        normalizer.load_state_dict(other.state_dict())
    normalizer.update(draw(50, 4, 3, 2, device), mask=torch.ones(50, dtype=torch.bool, device=device))
    normalizer.half().float()
    assert addresses(normalizer) == before
    assert state["count"].item() == normalizer.count.item() == 80


def test_nan_can_be_skipped(device: torch.device) -> None:
    rows = draw(100, 4, 3, 2, device)
    rows[::10, 2] = torch.nan
    normalizer = fed(RunningMeanStd(4, nonfinite="skip", device=device), [rows])
    assert max(errors(normalizer, rows[torch.arange(100, device=device) % 10 != 0])) <= 2e-8
    assert (normalizer.count.item(), normalizer.rejected.item()) == (90, 10)


@pytest.mark.parametrize("nonfinite", ["propagate", "skip", "raise"])
def test_empty_batch_changes_nothing(device: torch.device, nonfinite: str) -> None:
    for decay in (None, 0.9):
        normalizer = RunningMeanStd(4, nonfinite=nonfinite, decay=decay, device=device)  # type: ignore[arg-type]
        normalizer.update(draw(50, 4, 3, 2, device))
        before = held(normalizer)
        normalizer.update(torch.empty(0, 4, device=device))
        normalizer.update(torch.empty(3, 0, 4, device=device))
        normalizer.update(draw(5, 4, 9, 2, device), mask=torch.zeros(5, dtype=torch.bool, device=device))
        assert differences(before, held(normalizer)) == []
        assert normalizer.normalize(torch.empty(0, 4, device=device)).shape == (0, 4)


@pytest.mark.parametrize("shape", [(5, 3), (5, 1), (4, 5), (5,), ()])
def test_wrong_last_dimension_is_refused(device: torch.device, shape: tuple[int, ...]) -> None:
    normalizer = fed(RunningMeanStd(4, device=device), [draw(50, 4, 3, 2, device)])
    before = held(normalizer)
    for method in (normalizer.update, normalizer.normalize, normalizer.denormalize, normalizer):
        with pytest.raises(ValueError, match=r"\(4,\).*\("):
            method(torch.ones(shape, device=device))
    assert differences(before, held(normalizer)) == []


def test_negative_variance_is_refused(device: torch.device) -> None:
    state = fed(RunningMeanStd(4, device=device), [draw(50, 4, 3, 2, device)]).state_dict()
    state["var"] = -state["var"]
    foreign = {"mean": state["mean"], "var": state["var"], "count": state["count"]}
    normalizer = RunningMeanStd(4, device=device)
    before = held(normalizer)
    for bad, key in ((state, "var is negative"), (foreign, "var is negative")):
        with pytest.raises(RuntimeError, match=key):
            normalizer.load_state_dict(bad)
    assert differences(before, held(normalizer)) == []


def test_terminal_reward_stays_in_its_episode(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(1, gamma=1.0, device=device)
    for reward, done in ((1.0, 0), (100.0, 1), (1.0, 0)):
        normalizer.update(torch.tensor([reward], device=device), torch.tensor([done], device=device))
    # The returns seen are 1, 101, and 1 of the next episode.
    assert normalizer.statistics.mean.item() == pytest.approx(103 / 3, rel=1e-14)
    assert normalizer.returns.item() == 1


def test_return_is_reset_when_done(device: torch.device) -> None:
    normalizer = DiscountedReturnNormalizer(3, device=device)
    normalizer.update(torch.ones(3, device=device), torch.tensor([True, False, True], device=device))
    assert normalizer.returns.tolist() == [0, 1, 0]


def test_ninety_nine_bad_rows_do_not_spread(device: torch.device) -> None:
    normalizer = RunningMeanStd(4, nonfinite="skip", device=device)
    normalizer.update(torch.full((99, 4), torch.inf, device=device))
    assert (normalizer.count.item(), normalizer.rejected.item()) == (0, 99)
    rows = draw(50, 4, 3, 2, device)
    assert torch.equal(normalizer.normalize(rows), rows)
    assert max(errors(fed(normalizer, [rows]), rows)) <= 1e-8
