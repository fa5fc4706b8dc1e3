"""What may be given to a normalizer, what it refuses by name, and what it says where rows or statistics are lost."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import RunningMeanStd
from flake8_ckpt.runtime import RunningMeanStdDict
from flake8_ckpt.runtime.normalizers.on_cpu import SMALL
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import errors
from tests.runtime.reference import fed
from tests.runtime.reference import held

CPU = torch.device("cpu")


def arrays() -> Iterator[Any]:
    """Yield the same rows in each form that is no tensor."""
    numpy = pytest.importorskip("numpy", reason="gives arrays")
    rows = draw(20, 4, 3, 2, CPU).numpy()
    locked = rows.copy()
    locked.flags.writeable = False
    yield from (rows, locked, rows[::-1][::-1], rows.tolist(), list(rows), tuple(map(tuple, rows.tolist())))
    yield numpy.flip(numpy.flip(rows, 0), 0)


def test_arrays_and_lists_are_taken(device: torch.device) -> None:
    rows = draw(20, 4, 3, 2, device)
    wanted = fed(RunningMeanStd(4, device=device), [rows])
    for given in arrays():
        for shape in (4, None):
            normalizer = RunningMeanStd(shape, device=device)
            output = normalizer.update_and_normalize(given)
            assert (normalizer.mean - wanted.mean).abs().max().item() <= 1e-15
            assert (output - wanted(rows)).abs().max().item() <= 1e-6
            assert output.device == rows.device
            assert (normalizer.denormalize(output.tolist()) - rows).abs().max().item() <= 1e-5


def test_arrays_are_left_as_they_are() -> None:
    for given in arrays():
        before = copy.deepcopy(given)
        for dtype in (torch.float32, torch.float64):
            normalizer = RunningMeanStd(4, device=CPU)
            x = torch.as_tensor(before, dtype=dtype) if not isinstance(given, (list, tuple)) else given
            normalizer.update_and_normalize(x)
        assert torch.equal(torch.tensor(list(map(list, given))), torch.tensor(list(map(list, before))))


def test_masks_and_done_may_be_lists(device: torch.device) -> None:
    normalizer = RunningMeanStd(2, device=device)
    normalizer.update([[1.0, 2.0], [9.0, 9.0]], mask=[True, False])
    assert normalizer.mean.tolist() == [1, 2]
    returns = DiscountedReturnNormalizer(2, gamma=0.5, device=device)
    returns.update([1.0, 2.0], [False, True])
    assert returns.returns.tolist() == [1, 0]
    nested = RunningMeanStdDict(device=device)
    nested.update_and_normalize({"a": [[1.0], [3.0]], "b": {"c": [[2.0], [2.0]]}})
    assert nested.mean["a"].tolist() == [2]


@pytest.mark.parametrize("given", ["text", None, {"a": 1}, [["a"]]])
def test_what_is_no_number_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="a tensor, an array or a list of numbers"):
        RunningMeanStd(4).update(given)


def test_integers_are_normalized_from_float64(device: torch.device) -> None:
    rows = draw(200, 4, 0, 9, device).long() + 2**40
    normalizer = fed(RunningMeanStd(4, device=device), [rows])
    wanted = (rows.double() - normalizer.mean) / (normalizer.var + 1e-8).sqrt()
    assert normalizer(rows).dtype == torch.float32
    assert (normalizer(rows).double() - wanted).abs().max().item() <= 5e-7


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("mean", [0.0, 40.0])
def test_large_batches_of_any_dtype(device: torch.device, dtype: torch.dtype, mean: float) -> None:
    rows = draw(2 * SMALL // 8, 8, mean, 2, device).to(dtype)
    normalizer = fed(RunningMeanStd(8, device=device), [rows])
    before = rows.clone()
    wanted = ((rows.double() - normalizer.mean) / (normalizer.var + 1e-8).sqrt()).clamp(-10, 10)
    assert normalizer(rows).dtype == dtype
    assert (normalizer(rows).double() - wanted).abs().max().item() <= 4 * torch.finfo(dtype).eps + 3e-7
    assert torch.equal(rows, before)


@pytest.mark.parametrize("value", [1e20, -1e30])
def test_one_far_value_leaves_the_deviation_finite(device: torch.device, value: float) -> None:
    for number in (64, 8192):
        rows = draw(number, 64, 0, 1, device)
        rows[5, 3] = value
        for nonfinite in ("propagate", "skip", "raise"):
            normalizer = fed(RunningMeanStd(64, nonfinite=nonfinite, device=device), [rows])
            assert max(errors(normalizer, rows)) <= 1e-6
            assert normalizer.count.item() == number


def test_input_on_another_device_is_refused() -> None:
    normalizer = RunningMeanStd(4)
    before = held(normalizer)
    for method in (normalizer.update, normalizer.update_and_normalize):
        with pytest.raises(ValueError, match="the input is on meta, the statistics are on cpu"):
            method(torch.ones(3, 4, device="meta"))
    assert differences(before, held(normalizer)) == []


def test_lazy_instance_follows_the_first_batch() -> None:
    normalizer = RunningMeanStd(sync="manual")
    normalizer.update(torch.ones(3, 4, device="meta"))
    waiting: Any = normalizer.pending
    assert {each.device.type for module in (normalizer, waiting) for each in module.buffers()} == {"meta"}


BAD_MOMENTS: dict[str, tuple[tuple[Any, Any, Any], str]] = {
    "longer mean": ((torch.ones(5), torch.ones(4), 3), r"shape \(4,\).*\(5,\)|mean has shape \(5,\)"),
    "shorter variance": ((torch.ones(4), torch.ones(3), 3), r"var has shape \(3,\)"),
    "negative variance": ((torch.ones(4), -torch.ones(4), 3), "var is negative"),
    "negative count": ((torch.ones(4), torch.ones(4), -1), "count must be at least 0"),
    "NaN count": ((torch.ones(4), torch.ones(4), float("nan")), "count must be at least 0"),
    "count of each column": ((torch.ones(4), torch.ones(4), torch.ones(4)), r"count has shape \(4,\)"),
}


@pytest.mark.parametrize("name", BAD_MOMENTS)
def test_bad_moments_are_refused_by_name(name: str) -> None:
    normalizer = fed(RunningMeanStd(4), [draw(9, 4, 3, 2, CPU)])
    before = held(normalizer)
    arguments, message = BAD_MOMENTS[name]
    with pytest.raises(ValueError, match=message):
        normalizer.update_from_moments(*arguments)
    assert differences(before, held(normalizer)) == []


def test_moments_may_be_lists() -> None:
    normalizer = RunningMeanStd(2)
    normalizer.update_from_moments([1.0, 2.0], [4.0, 9.0], 5)
    assert (normalizer.std.tolist(), normalizer.count.item()) == ([2, 3], 5)


def test_update_in_eval_says_so_once() -> None:
    normalizer = RunningMeanStd(4).eval()
    with pytest.warns(UserWarning, match=r"does nothing in eval\(\)") as caught:
        normalizer.update(torch.ones(3, 4))
        normalizer.update(torch.ones(3, 4))
        normalizer.state_dict()
    assert len(caught) == 1


def test_update_in_eval_is_silent_after_training(device: torch.device) -> None:
    normalizer = fed(RunningMeanStd(4, device=device), [draw(9, 4, 3, 2, device)]).eval()
    normalizer.update(torch.ones(3, 4, device=device))
    normalizer.state_dict()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_update_in_eval_is_said_by_the_next_state_dict() -> None:
    normalizer = RunningMeanStd(4, device="cuda").eval()
    normalizer.update(torch.ones(3, 4, device="cuda"))
    with pytest.warns(UserWarning, match=r"does nothing in eval\(\)"):
        normalizer.state_dict()


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_written_loads_again(device: torch.device, value: float) -> None:
    rows = torch.tensor([[1.0, 2.0], [value, 4.0], [5.0, 6.0]], device=device)
    normalizer = fed(RunningMeanStd(2, device=device), [rows])
    with pytest.warns(UserWarning, match="mean and var of a normalizer hold NaN or infinity"):
        state = normalizer.state_dict()
    fresh = RunningMeanStd(2, device=device)
    with pytest.warns(UserWarning, match="hold NaN or infinity") as caught:
        fresh.load_state_dict(state)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert differences(held(normalizer), held(fresh)) == []
    refusing = RunningMeanStd(2, nonfinite="raise", device=device)
    with pytest.raises(RuntimeError, match="mean holds NaN or infinity"):
        refusing.load_state_dict(state)
    assert refusing.count.item() == 0
    with pytest.warns(UserWarning, match="hold NaN"):
        repr(normalizer)


def test_normalize_and_update_do_not_warn_of_nan(device: torch.device) -> None:
    normalizer = RunningMeanStd(2, device=device)
    for _ in range(2):
        normalizer.update_and_normalize(torch.full((3, 2), torch.nan, device=device))


def test_returns_have_the_whole_interface(device: torch.device) -> None:
    one, other = (DiscountedReturnNormalizer(3, device=device) for _ in range(2))
    reward, nobody = torch.tensor([1.0, 2.0, 6.0], device=device), torch.zeros(3, device=device)
    one.update(reward, nobody)
    other.update(2 * reward, nobody)
    one.merge(other)
    assert (one.count.item(), one.mean.item()) == (6, 4.5)
    assert one.std.item() == pytest.approx(one.var.item() ** 0.5)
    assert (one.denormalize(one.normalize(reward)) - reward).abs().max().item() <= 1e-6
    one.freeze()
    one.update(reward, nobody)
    assert one.count.item() == 6
    one.unfreeze()
    one.update_from_moments(0.0, 1.0, 4)
    assert one.count.item() == 10


@pytest.mark.parametrize("prefix", ["", "rewards."])
def test_other_number_of_environments_loads(device: torch.device, prefix: str) -> None:
    trained = DiscountedReturnNormalizer(3, device=device)
    trained.update(torch.ones(3, device=device), torch.zeros(3, device=device))
    fresh = DiscountedReturnNormalizer(5, device=device)
    fresh.returns.fill_(7)
    module: nn.Module = nn.ModuleDict({"rewards": fresh}) if prefix else fresh
    with pytest.warns(UserWarning, match=f"{prefix}returns is of 3 environments, here are 5") as caught:
        module.load_state_dict({prefix + key: value for key, value in trained.state_dict().items()})
    assert len(caught) == 1
    assert (fresh.returns.tolist(), fresh.count.item()) == ([0] * 5, 3)


def test_nested_entries_have_the_whole_interface(device: torch.device) -> None:
    rows = draw(20, 4, 3, 2, device)
    one, other = RunningMeanStdDict({"a": 4, "b": {"c": 4}}, device=device), RunningMeanStdDict(device=device)
    for each in (one, other):
        each.update({"a": rows, "b": {"c": rows + 1}})
    lazy = RunningMeanStdDict(device=device)
    lazy.merge(one)
    assert torch.equal(lazy.mean["b"]["c"], one.mean["b"]["c"])
    one.merge(other)
    assert one.count["b"]["c"].item() == 40
    assert torch.allclose(one.std["a"], one.var["a"].sqrt())
    assert one.shape == {"a": (4,), "b": {"c": (4,)}}
    one.update_from_moments(
        {"a": rows[0], "b": {"c": rows[0]}}, {"a": rows[0] ** 2, "b": {"c": rows[0] ** 2}}, 2
    )
    assert one.count["a"].item() == 42


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_vec_normalize_comes_and_goes() -> None:
    pytest.importorskip("stable_baselines3", reason="makes a real VecNormalize")
    import gymnasium
    from stable_baselines3.common.vec_env import DummyVecEnv
    from stable_baselines3.common.vec_env import VecNormalize

    def made() -> VecNormalize:
        make: Any = lambda: gymnasium.make("Pendulum-v1")  # noqa: E731
        env = VecNormalize(DummyVecEnv([make, make]), clip_obs=5.0, gamma=0.9)
        env.seed(0)
        env.reset()
        return env

    env, fresh = made(), made()
    for _ in range(30):
        env.step(torch.zeros(2, 1).numpy())
    normalizer, rewards = RunningMeanStd.from_sb3(env), DiscountedReturnNormalizer.from_sb3(env)
    rows, reward = torch.as_tensor(env.get_original_obs()), torch.as_tensor(env.get_original_reward())
    assert (normalizer(rows) - torch.as_tensor(env.normalize_obs(rows.numpy()))).abs().max().item() <= 1e-6
    wanted = torch.as_tensor(env.normalize_reward(reward.numpy().copy()))
    assert (rewards(reward) - wanted).abs().max().item() <= 1e-6
    assert (normalizer.settings.clip, rewards.gamma.item(), normalizer.count.item()) == (5.0, 0.9, 62)
    normalizer.to_sb3(fresh)
    rewards.to_sb3(fresh)
    again: Any = fresh.normalize_obs(rows.numpy())
    wanted_again: Any = env.normalize_obs(rows.numpy())
    assert again.tolist() == wanted_again.tolist()
    assert fresh.ret_rms.count == pytest.approx(env.ret_rms.count)
    assert fresh.returns.tolist() == env.returns.tolist()
    with pytest.raises(ValueError, match="keeps no obs_rms"):
        RunningMeanStd.from_sb3(env.venv)
