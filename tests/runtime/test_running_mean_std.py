"""What each method and argument of the reference normalizer does."""

from __future__ import annotations

import math

import pytest
import torch

from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import errors
from tests.runtime.reference import fed
from tests.runtime.reference import held

INTEGERS = [torch.int64, torch.int32, torch.uint8, torch.bool]
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def trained(device: torch.device, **options: float | None) -> RunningMeanStd:
    return fed(RunningMeanStd(4, device=device, **options), [draw(50, 4, 3, 2, device)])  # type: ignore[arg-type]


@pytest.mark.parametrize("lazy", [False, True])
def test_untrained_returns_its_input(device: torch.device, lazy: bool) -> None:
    normalizer = RunningMeanStd(None if lazy else 4, clip=0.5, device=device)
    rows = draw(50, 4, 300, 2, device)
    assert torch.equal(normalizer(rows), rows)
    assert torch.equal(normalizer.denormalize(rows), rows)
    assert (normalizer.shape is None) == lazy


@pytest.mark.parametrize("masked", [False, True])
def test_few_rows_return_their_input(device: torch.device, masked: bool) -> None:
    normalizer = RunningMeanStd(4, clip=1.0, min_count=10, device=device)
    rows = draw(50, 4, 300, 2, device)
    mask = torch.ones(3, dtype=torch.bool, device=device) if masked else None
    for start in (0, 3, 6):
        normalizer.update(rows[start : start + 3], mask=mask)
        assert torch.equal(normalizer(rows), rows)
    normalizer.update(rows[9:12], mask=mask)
    assert normalizer(rows).abs().max().item() <= 1


def test_forward_does_not_update(device: torch.device) -> None:
    normalizer = trained(device)
    before = held(normalizer)
    normalizer(draw(9, 4, 30, 2, device))
    assert differences(before, held(normalizer)) == []


def test_formula_is_as_documented(device: torch.device) -> None:
    normalizer = trained(device, epsilon=0.25, clip=1.5)
    rows = draw(9, 4, 3, 2, device).double()
    wanted = ((rows - normalizer.mean) / (normalizer.var + 0.25).sqrt()).clamp(-1.5, 1.5)
    assert (normalizer.normalize(rows) - wanted).abs().max().item() <= 1e-14
    assert (normalizer.normalize(rows.float()).double() - wanted).abs().max().item() <= 5e-7
    assert (normalizer.normalize(rows).abs() == 1.5).any()


def test_no_clip_keeps_far_values(device: torch.device) -> None:
    far = torch.full((1, 4), 1e5, device=device)
    assert trained(device, clip=None)(far).min().item() > 1e4
    assert trained(device)(far).max().item() == 10


@pytest.mark.parametrize("dtype", FLOATS)
def test_denormalize_is_the_inverse(device: torch.device, dtype: torch.dtype) -> None:
    normalizer = trained(device)
    rows = draw(50, 4, 3, 2, device).to(dtype)
    back = normalizer.denormalize(normalizer.normalize(rows))
    assert back.dtype == dtype
    assert (back - rows).abs().max().item() <= 16 * torch.finfo(dtype).eps


def test_update_and_normalize_does_both(device: torch.device) -> None:
    rows = draw(50, 4, 3, 2, device)
    one, other = RunningMeanStd(4, device=device), RunningMeanStd(4, device=device)
    other.update(rows)
    assert torch.equal(one.update_and_normalize(rows), other.normalize(rows))
    assert differences(held(one), held(other)) == []


def test_eval_mode_does_not_update(device: torch.device) -> None:
    normalizer = trained(device).eval()
    before = held(normalizer)
    normalizer.update(draw(9, 4, 30, 2, device))
    normalizer.update_from_moments(torch.ones(4, device=device), torch.ones(4, device=device), 7)
    assert differences(before, held(normalizer)) == []
    normalizer.train().update(draw(9, 4, 30, 2, device))
    assert normalizer.count.item() == 59


def test_freeze_survives_a_reload(device: torch.device) -> None:
    normalizer = trained(device)
    normalizer.freeze()
    fresh = RunningMeanStd(4, device=device)
    with pytest.warns(UserWarning, match=r"frozen True \(not False\)"):
        fresh.load_state_dict(normalizer.state_dict())
    for each in (normalizer, fresh):
        each.update(draw(9, 4, 30, 2, device))
        assert each.count.item() == 50
        each.unfreeze()
        each.update(draw(9, 4, 30, 2, device))
        assert each.count.item() == 59


def test_until_stops_the_statistics(device: torch.device) -> None:
    normalizer = RunningMeanStd(4, until=20, device=device)
    rows = draw(40, 4, 3, 2, device)
    fed(normalizer, torch.split(rows, 8))
    assert normalizer.count.item() == 24
    assert max(errors(normalizer, rows[:24])) <= 1e-12
    fresh = RunningMeanStd(4, until=20, device=device)
    fresh.load_state_dict(normalizer.state_dict())
    assert fed(fresh, [rows]).count.item() == 24


def test_until_stops_decay_too(device: torch.device) -> None:
    normalizer = RunningMeanStd(4, until=10, decay=0.5, device=device)
    fed(normalizer, [draw(20, 4, 3, 2, device)])
    before = held(normalizer)
    fed(normalizer, [draw(20, 4, 9, 2, device)])
    assert differences(before, held(normalizer)) == []


def test_nan_propagates_by_default(device: torch.device) -> None:
    rows = torch.tensor([[1.0, 2.0], [torch.nan, 4.0]], device=device)
    normalizer = fed(RunningMeanStd(2, device=device), [rows])
    assert normalizer.mean.isnan().tolist() == [True, False]
    assert normalizer.mean[1].item() == 3


def test_nonfinite_raises_and_changes_nothing(device: torch.device) -> None:
    normalizer = RunningMeanStd(2, nonfinite="raise", device=device)
    normalizer.update(torch.ones(3, 2, device=device))
    before = held(normalizer)
    with pytest.raises(ValueError, match="1 of 2 rows hold NaN or infinity"):
        normalizer.update(torch.tensor([[1.0, 2.0], [-torch.inf, 4.0]], device=device))
    assert differences(before, held(normalizer)) == []


@pytest.mark.parametrize("nonfinite", ["propagate", "skip", "raise"])
@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_every_shape_takes_every_mode(device: torch.device, nonfinite: str, shape: tuple[int, ...]) -> None:
    rows = draw(20, math.prod(shape), 3, 2, device).reshape(20, *shape)
    normalizer = RunningMeanStd(shape, nonfinite=nonfinite, device=device)  # type: ignore[arg-type]
    normalizer.update(rows)
    normalizer.update(rows, mask=torch.arange(20, device=device) < 3)
    assert max(errors(normalizer, torch.cat([rows, rows[:3]]))) <= 1e-12
    assert normalizer.normalize(rows).shape == (20, *shape)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_cast(device: torch.device, dtype: torch.dtype) -> None:
    rows = draw(50, 4, 30, 20, device).clamp(0, 100).to(dtype)
    normalizer = fed(RunningMeanStd(4, device=device), [rows, rows[:3]])
    assert normalizer.mean.dtype == torch.float64
    assert normalizer.normalize(rows).dtype == torch.float32
    assert torch.equal(normalizer.normalize(rows), normalizer.normalize(rows.float()))


@pytest.mark.parametrize("dtype", FLOATS)
def test_output_has_the_dtype_of_the_input(device: torch.device, dtype: torch.dtype) -> None:
    rows = draw(50, 4, 3, 2, device).to(dtype)
    normalizer = fed(RunningMeanStd(4, device=device), [rows])
    wanted = (rows.double() - normalizer.mean) / (normalizer.var + 1e-8).sqrt()
    given = normalizer.normalize(rows)
    assert given.dtype == dtype
    assert (given.double() - wanted).abs().max().item() <= 4 * torch.finfo(dtype).eps


def test_complex_input_is_refused(device: torch.device) -> None:
    normalizer = trained(device)
    rows = torch.ones(3, 4, dtype=torch.complex64, device=device)
    for method in (normalizer.update, normalizer.normalize, normalizer.denormalize):
        with pytest.raises(TypeError, match="complex"):
            method(rows)
    assert normalizer.count.item() == 50


def test_moments_are_as_good_as_rows(device: torch.device) -> None:
    rows = draw(50, 4, 3, 2, device).double()
    normalizer = fed(RunningMeanStd(4, device=device), [rows[:20]])
    rest = rows[20:]
    normalizer.update_from_moments(rest.mean(0), rest.var(0, correction=0), 30)
    assert max(errors(normalizer, rows)) <= 1e-12
    assert normalizer.count.item() == 50


def test_moments_of_no_rows_change_nothing(device: torch.device) -> None:
    normalizer = trained(device)
    before = held(normalizer)
    normalizer.update_from_moments(torch.ones(4, device=device), torch.ones(4, device=device), 0)
    assert differences(before, held(normalizer)) == []


def test_own_state_can_be_loaded(device: torch.device) -> None:
    for normalizer in (
        trained(device),
        fed(RunningMeanStd(4, sync="manual"), [draw(9, 4, 3, 2, device).cpu()]),
    ):
        before = held(normalizer)
        normalizer.load_state_dict(normalizer.state_dict())
        assert differences(before, held(normalizer)) == []


def test_merge_is_as_good_as_rows(device: torch.device) -> None:
    rows = draw(50, 4, 3, 2, device)
    one = fed(RunningMeanStd(device=device), [rows[:10]])
    other = fed(RunningMeanStd(4), [rows[10:].cpu()])
    one.merge(other)
    one.merge(RunningMeanStd(device=device))
    one.merge(RunningMeanStd(4, device=device))
    assert max(errors(one, rows)) <= 1e-12
    assert (one.count.item(), other.count.item()) == (50, 40)


def test_reset_forgets_rows_only(device: torch.device) -> None:
    normalizer = trained(device, clip=3.0)
    normalizer.freeze()
    normalizer.reset()
    assert (normalizer.count.item(), normalizer.rejected.item()) == (0, 0)
    assert normalizer.weight.item() < 1e-200
    assert (normalizer.settings.clip, normalizer.settings.frozen) == (3.0, True)
    rows = draw(50, 4, 3, 2, device)
    assert torch.equal(normalizer(rows), rows)
    normalizer.unfreeze()
    assert max(errors(fed(normalizer, [rows]), rows)) <= 1e-12


@pytest.mark.parametrize(
    "options",
    [
        {"epsilon": -1.0},
        {"epsilon": math.nan},
        {"clip": 0.0},
        {"decay": 0.0},
        {"decay": 1.5},
        {"until": 1},
        {"nonfinite": "ignore"},
        {"sync": "always"},
    ],
)
def test_bad_argument_is_refused_by_name(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(options))} must be"):
        RunningMeanStd(4, **options)  # type: ignore[arg-type]


def test_single_number_does_not_tell_a_shape(device: torch.device) -> None:
    with pytest.raises(ValueError, match="batch of rows"):
        RunningMeanStd(device=device).update(torch.tensor(3.0, device=device))


def test_repr_shows_what_matters() -> None:
    assert repr(RunningMeanStd(4, clip=5.0)) == (
        "RunningMeanStd((4,), epsilon=1e-08, clip=5.0, nonfinite='propagate')"
    )


def test_statistics_before_rows_are_neutral(device: torch.device) -> None:
    normalizer = RunningMeanStd(4, device=device)
    assert torch.equal(normalizer.var, torch.ones(4, dtype=torch.float64, device=device))
    assert torch.equal(normalizer.std, normalizer.var)
