"""The layouts of other normalizers load, and a mapping that is none of them is refused with its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime.normalizers.layouts import moments_of
from flake8_ckpt.runtime.normalizers.layouts import moments_of_object
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import held
from tests.runtime.reference import mean_error
from tests.runtime.reference import std_error
from tests.runtime.reference import two_pass

ROWS = draw(50, 4, 3, 2, torch.device("cpu"))
MEAN, STD = two_pass(ROWS)
VAR, COUNT = STD.square(), torch.tensor(50)
FLOAT_COUNT = torch.tensor(50.0, dtype=torch.float64)
# The state_dict of each system that keeps its statistics in buffers.
STATES: dict[str, dict[str, Tensor]] = {
    "ProtoMotions": {"mean": MEAN, "var": VAR, "count": COUNT},
    "Gymnasium, count of floats": {"mean": MEAN, "var": VAR, "count": FLOAT_COUNT + 1e-4},
    "rl_games": {"running_mean": MEAN, "running_var": VAR, "count": FLOAT_COUNT},
    "skrl": {"running_mean": MEAN, "running_variance": VAR, "current_count": FLOAT_COUNT},
    "rsl_rl": {"_mean": MEAN[None], "_var": VAR[None], "_std": STD[None], "count": COUNT},
    "rsl_rl without a batch axis": {"_mean": MEAN, "_var": VAR, "_std": STD, "count": COUNT},
    "sums": {
        "_sum": ROWS.double().sum(0),
        "_sumsq": ROWS.double().square().sum(0),
        "_count": FLOAT_COUNT,
    },
    "Brax": {"mean": MEAN, "summed_variance": VAR * 50, "count": FLOAT_COUNT, "std": STD},
    "torchrl's VecNormV2": {"loc.-|-.observation": MEAN, "var.-|-.observation": VAR, "count": FLOAT_COUNT},
    "torchrl's VecNorm": {
        "sum": ROWS.double().sum(0),
        "ssq": ROWS.double().square().sum(0),
        "count": FLOAT_COUNT,
    },
    "loc and scale": {"loc": MEAN, "scale": STD, "count": FLOAT_COUNT},
    "float32": {"mean": MEAN.float(), "var": VAR.float(), "count": torch.tensor(50.0)},
    "deviations": {"mean": MEAN, "m2": VAR * 50, "count": FLOAT_COUNT},
}
METADATA: dict[str, Any] = {
    "obs_normalizer_mean": MEAN.tolist(),
    "obs_normalizer_var": VAR.tolist(),
    "obs_normalizer_count": 50,
    "obs_normalizer_momentum": None,
    "reward_normalizer_mean": 0.5,
    "reward_normalizer_m2": 12.0,
    "reward_normalizer_count": 6,
    "episode": 900,
    "seed": "7",
}


@pytest.mark.parametrize("is_lazy", [False, True])
@pytest.mark.parametrize("name", STATES)
def test_foreign_state_loads(device: torch.device, name: str, is_lazy: bool) -> None:
    normalizer = RunningMeanStd(None if is_lazy else 4, device=device)
    state = {key: value.to(device) for key, value in STATES[name].items()}
    report = normalizer.load_state_dict(state)
    assert (report.missing_keys, report.unexpected_keys) == ([], [])
    bar = 1e-7 if name == "float32" else 1e-12
    assert max(mean_error(normalizer.mean, MEAN, STD), std_error(normalizer.std, STD)) <= bar
    assert normalizer.count.item() == 50
    assert normalizer.settings == RunningMeanStd(4).settings
    assert differences({**state}, {key: value.to(device) for key, value in STATES[name].items()}) == []


def test_foreign_state_goes_on(device: torch.device) -> None:
    normalizer = RunningMeanStd(4, device=device)
    normalizer.load_state_dict(STATES["skrl"])
    rest = draw(70, 4, 9, 5, device, 1)
    normalizer.update(rest)
    mean, std = two_pass(torch.cat([ROWS, rest.cpu()]))
    assert max(mean_error(normalizer.mean, mean, std), std_error(normalizer.std, std)) <= 1e-12
    again = RunningMeanStd(4, device=device)
    again.load_state_dict(normalizer.state_dict())
    assert differences(held(normalizer), held(again)) == []


@pytest.mark.parametrize("sync", ["auto", "manual"])
def test_foreign_state_in_a_model_loads(device: torch.device, sync: Any) -> None:
    model = nn.ModuleDict({"obs_rms": RunningMeanStd(4, sync=sync, device=device), "pi": nn.Linear(4, 2)})
    state = {f"obs_rms.{key}": value for key, value in STATES["rl_games"].items()}
    state |= {f"pi.{key}": value for key, value in nn.Linear(4, 2).state_dict().items()}
    model.load_state_dict(state)
    assert model.get_buffer("obs_rms.count").item() == 50


@pytest.mark.parametrize("count", [1e-4, 0.0])
def test_untrained_pseudo_count_loads_as_few_rows(device: torch.device, count: float) -> None:
    normalizer = RunningMeanStd(4, device=device)
    state = {"mean": torch.zeros(4), "var": torch.ones(4), "count": torch.tensor(count).double()}
    normalizer.load_state_dict(state)
    rows = draw(9, 4, 3, 2, device)
    assert torch.equal(normalizer(rows), rows)


def test_metadata_lists_give_moments() -> None:
    observed = moments_of(METADATA)
    assert torch.equal(observed.mean, MEAN)
    assert (observed.var - VAR).abs().max().item() <= 1e-14
    reward = moments_of(METADATA, stem="reward_normalizer_")
    assert [torch.as_tensor(each).item() for each in reward] == [6, 0.5, 2]


def test_metadata_restores_a_normalizer(device: torch.device) -> None:
    normalizer = RunningMeanStd(4, device=device)
    weight, mean, var = (torch.as_tensor(each).to(device) for each in moments_of(METADATA))
    normalizer.update_from_moments(mean, var, weight)
    assert normalizer.count.item() == 50
    assert std_error(normalizer.std, STD) <= 1e-14


def test_metadata_lists_load(device: torch.device) -> None:
    normalizer = nn.ModuleDict({"rms": RunningMeanStd(4, device=device)})
    own = {f"rms.{key}": value for key, value in METADATA.items() if key.startswith("obs_normalizer_")}
    normalizer.load_state_dict(own)
    assert std_error(normalizer["rms"].std, STD) <= 1e-14  # type: ignore[arg-type]
    assert normalizer.get_buffer("rms.count").item() == 50


def test_gym_statistics_give_moments() -> None:
    numpy = pytest.importorskip("numpy", reason="Gymnasium keeps arrays")
    state = {"mean": MEAN.numpy(), "var": VAR.numpy(), "count": numpy.float64(50.0001)}
    moments = moments_of(state)
    assert torch.as_tensor(moments.weight).item() == 50.0001
    assert torch.equal(moments.mean, MEAN)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_vec_normalize_gives_moments() -> None:
    pytest.importorskip("stable_baselines3", reason="makes a real VecNormalize")
    import gymnasium
    from stable_baselines3.common.vec_env import DummyVecEnv
    from stable_baselines3.common.vec_env import VecNormalize

    make: Callable[[], Any] = lambda: gymnasium.make("Pendulum-v1")  # noqa: E731
    env = VecNormalize(DummyVecEnv([make, make]))
    env.seed(0)
    env.reset()
    for _ in range(30):
        env.step(torch.zeros(2, 1).numpy())
    moments = moments_of_object(env.obs_rms)
    rows = torch.as_tensor(env.get_original_obs())
    normalizer = RunningMeanStd(3, clip=env.clip_obs)
    normalizer.update_from_moments(moments.mean, moments.var, moments.weight)
    wanted = torch.as_tensor(env.normalize_obs(rows.numpy()))
    assert (normalizer(rows) - wanted).abs().max().item() <= 1e-6
    assert moments_of_object(env.ret_rms).mean.shape == ()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no layout": ({"weight": MEAN, "bias": MEAN}, "found bias, weight; known are mean, var, count"),
    "nothing": ({}, "no known layout"),
    "no count": ({"mean": MEAN, "var": VAR}, "found mean, var;"),
    "one key too many": ({"mean": MEAN, "var": VAR, "count": COUNT, "extra": MEAN}, "found count, extra,"),
    "negative variance": ({"mean": MEAN, "var": -VAR, "count": COUNT}, "var is negative"),
    "negative count": ({"running_mean": MEAN, "running_var": VAR, "count": -COUNT}, "negative"),
    "NaN": ({"mean": MEAN * torch.nan, "var": VAR, "count": COUNT}, "NaN"),
    "two shapes": ({"mean": MEAN, "var": VAR[:2], "count": COUNT}, r"var has shape \(2,\)"),
    "many counts": ({"mean": MEAN, "var": VAR, "count": COUNT.repeat(4)}, "count has shape"),
    "text": ({"mean": "a", "var": "b", "count": "c"}, "mean is a str"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_layout_is_refused(name: str) -> None:
    state, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        moments_of(state)


def test_object_without_statistics_is_refused() -> None:
    with pytest.raises(ValueError, match="Linear has no mean, var and count"):
        moments_of_object(nn.Linear(4, 2))


def test_foreign_state_of_other_rows_is_refused(device: torch.device) -> None:
    normalizer = RunningMeanStd(3, device=device)
    before = held(normalizer)
    with pytest.raises(RuntimeError, match=r"mean has shape \(4,\).*\(3,\)"):
        normalizer.load_state_dict(STATES["rl_games"])
    assert differences(before, held(normalizer)) == []
