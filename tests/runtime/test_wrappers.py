"""The wrappers of environments: what they normalize with is in the policy, and a resumed run is the same run."""

from __future__ import annotations

import importlib.util
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import RunningMeanStd
from flake8_ckpt.runtime import RunningMeanStdDict

pytest.importorskip("gymnasium", reason="the wrapper is made for gymnasium")
pytest.importorskip("stable_baselines3", reason="the wrapper is made for stable-baselines3")

import gymnasium  # noqa: E402
from gymnasium.vector import AutoresetMode  # noqa: E402
from stable_baselines3.common.env_util import make_vec_env  # noqa: E402
from stable_baselines3.common.vec_env import VecNormalize  # noqa: E402

from flake8_ckpt.runtime import NormalizedVecEnv  # noqa: E402
from flake8_ckpt.runtime import NormalizedVectorEnv  # noqa: E402

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "coming_from.md").read_text(encoding="utf-8")
LAZY = """
import sys
from flake8_ckpt.runtime import RunningMeanStd, verify_roundtrip, presets
print(sorted({"gymnasium", "stable_baselines3", "pytorch_lightning"} & set(sys.modules)))
for library in ("gymnasium", "stable_baselines3"):
    sys.modules[library] = None  # as if it were not installed
import flake8_ckpt.runtime as runtime
for name in ("NormalizedVectorEnv", "NormalizedVecEnv"):
    try:
        getattr(runtime, name)
    except ModuleNotFoundError as error:
        print(error)
"""


class Countdown(gymnasium.Env[Any, Any]):
    """Tell how many steps are left of three, and give as much."""

    observation_space: Any = gymnasium.spaces.Box(0, 9, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.left = 3
        return np.full(2, self.left, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        return np.full(2, self.left, np.float32), 1.0 + self.left, self.left == 0, False, {}


class Nested(Countdown):
    observation_space = gymnasium.spaces.Dict({"hand": Countdown.observation_space})

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        observation, info = super().reset(seed=seed)
        return {"hand": observation}, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, *rest = super().step(action)
        return {"hand": observation}, *rest  # type: ignore[return-value]


def vector(kind: Callable[[], Any] = Countdown, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> Any:
    return gymnasium.vector.SyncVectorEnv([kind, kind], autoreset_mode=mode)


ACTIONS = np.zeros(2, np.int64)


def test_nothing_heavy_is_imported_and_missing_libraries_are_named() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "[]",
        "flake8_ckpt.runtime.NormalizedVectorEnv needs gymnasium: pip install gymnasium",
        "flake8_ckpt.runtime.NormalizedVecEnv needs stable_baselines3: pip install stable-baselines3",
    ], done.stderr


def test_environment_without_statistics_says_what_to_do() -> None:
    environment = NormalizedVecEnv(make_vec_env(Countdown, n_envs=2))
    with pytest.raises(RuntimeError, match=r"call attach\(policy.observations, policy.returns\)"):
        environment.reset()


def test_without_modules_all_passes_as_it_is() -> None:
    envs = NormalizedVectorEnv(vector())
    observation, _ = envs.reset()
    after, reward, *_ = envs.step(ACTIONS)
    assert observation.tolist() == [[3, 3]] * 2 and after.tolist() == [[2, 2]] * 2
    assert reward.tolist() == [3, 3] and envs.observation_space == vector().observation_space


def test_evaluation_leaves_the_statistics_as_they_are() -> None:
    observations, returns = RunningMeanStd(2), DiscountedReturnNormalizer(2)
    envs = NormalizedVectorEnv(vector(), observations, returns)
    envs.reset()
    envs.training = False
    before = {name: value.clone() for name, value in observations.state_dict().items()}
    envs.step(ACTIONS)
    envs.reset()
    assert all(torch.equal(value, before[name]) for name, value in observations.state_dict().items())
    assert returns.statistics.count.item() == 0


def test_old_statistics_come_along() -> None:
    old = VecNormalize(make_vec_env(Countdown, n_envs=2))
    old.reset()
    old.step(ACTIONS)
    rms: Any = old.obs_rms
    taken = RunningMeanStd(2)
    taken.load_state_dict({key: torch.as_tensor(getattr(rms, key)) for key in ("mean", "var", "count")})
    assert np.allclose(taken.var, rms.var) and np.allclose(taken.mean, rms.mean)
    observations, returns = RunningMeanStd.from_sb3(old), DiscountedReturnNormalizer.from_sb3(old)
    new = NormalizedVecEnv(make_vec_env(Countdown, n_envs=2))
    new.attach(observations, returns)
    raw = np.full((2, 2), 2.0, np.float32)
    expected: Any = old.normalize_obs(raw)
    assert np.allclose(new.normalize_obs(raw), expected) and returns.returns.min() > 0


@pytest.mark.parametrize("is_acting", [False, True], ids=["train", "eval"])
def test_statistics_of_the_policy_are_updated_and_used(is_acting: bool) -> None:
    policy = nn.ModuleDict({"observations": RunningMeanStd(2), "returns": DiscountedReturnNormalizer(2)})
    policy.train(not is_acting)
    envs = NormalizedVectorEnv(vector(), policy["observations"], policy["returns"])  # type: ignore[arg-type]
    own, rewards = RunningMeanStd(2), DiscountedReturnNormalizer(2)
    seen, _ = envs.reset()
    own.update(torch.full((2, 2), 3.0))
    assert torch.equal(torch.as_tensor(seen), own.normalize(torch.full((2, 2), 3.0)))
    _, reward, *_ = envs.step(ACTIONS)
    own.update(torch.full((2, 2), 2.0))
    rewards.update(torch.full((2,), 3.0), torch.zeros(2, dtype=torch.bool))
    assert torch.equal(torch.as_tensor(reward), rewards.normalize(torch.full((2,), 3.0)))
    expected = {f"observations.{key}": value for key, value in own.state_dict().items()}
    state = policy.state_dict()
    assert all(torch.equal(state[key], value) for key, value in expected.items())
    assert policy.training is policy["returns"].training is not is_acting


def test_return_begins_at_zero_with_each_episode() -> None:
    returns = DiscountedReturnNormalizer(2)
    envs = NormalizedVectorEnv(vector(), None, returns)
    envs.reset()
    for _ in range(2):
        envs.step(ACTIONS)
    assert returns.returns.min() > 0
    envs.step(ACTIONS)
    assert returns.returns.tolist() == [0, 0]
    envs.step(ACTIONS)
    envs.reset()
    assert returns.returns.tolist() == [0, 0]


def test_partial_reset_leaves_other_returns_be() -> None:
    returns = DiscountedReturnNormalizer(2)
    envs = NormalizedVectorEnv(vector(mode=AutoresetMode.DISABLED), None, returns)
    envs.reset()
    envs.step(ACTIONS)
    envs.reset(options={"reset_mask": np.array([True, False])})
    assert returns.returns[0] == 0 < returns.returns[1]


def test_last_observation_of_an_episode_is_normalized() -> None:
    envs = NormalizedVectorEnv(vector(), RunningMeanStd(2))
    envs.reset()
    for _ in range(2):
        envs.step(ACTIONS)
    _, _, _, _, info = envs.step(ACTIONS)
    # The least that was seen lies below the mean.
    assert info["final_obs"][0].tolist()[0] < 0
    environment = NormalizedVecEnv(make_vec_env(Countdown, n_envs=2))
    environment.attach(RunningMeanStd(2), DiscountedReturnNormalizer(2))
    environment.reset()
    for _ in range(3):
        _, _, done, infos = environment.step(ACTIONS)
    assert done.all() and infos[0]["terminal_observation"].tolist()[0] < 0


def test_nested_observations_are_normalized() -> None:
    envs = NormalizedVectorEnv(vector(Nested), RunningMeanStdDict({"hand": 2}))
    observation, _ = envs.reset()
    assert observation["hand"].tolist() == [[0, 0]] * 2
    space: Any = envs.single_observation_space
    assert space["hand"].high.max() == np.inf
    environment = NormalizedVecEnv(make_vec_env(Nested, n_envs=2))
    environment.attach(RunningMeanStdDict({"hand": 2}))
    environment.reset()
    for _ in range(3):
        *_, infos = environment.step(ACTIONS)
    assert infos[0]["terminal_observation"]["hand"].shape == (2,)


def script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tensors(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        items = [tensors(item, f"{path}.{key}") for key, item in value.items()]
        return {key: item for each in items for key, item in each.items()}
    return {path: value}


def saved(file: Path) -> dict[str, Any]:
    if file.suffix == ".pt":
        return tensors(torch.load(file, weights_only=True))
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name.endswith(".pth")}
    return tensors({name: torch.load(io.BytesIO(part), weights_only=True) for name, part in parts.items()})


@pytest.mark.parametrize(
    ("name", "suffix"), [("gymnasium_resume", ".pt"), ("stable_baselines3_resume", ".zip")]
)
def test_resumed_script_is_bit_equal(name: str, suffix: str, tmp_path: Path) -> None:
    train = script(name).train
    whole, parted = tmp_path / f"whole{suffix}", tmp_path / f"parted{suffix}"
    train(whole, 2)
    train(parted, 1)
    before = saved(parted)
    train(parted, 2)
    one, other = saved(whole), saved(parted)
    assert one.keys() == other.keys() and len(one) > 20
    unlike = [
        key
        for key, value in one.items()
        if not (torch.equal(value, other[key]) if isinstance(value, torch.Tensor) else value == other[key])
    ]
    assert unlike == []
    counts = [key for key in one if key.endswith("observations.count")]
    assert counts and one[counts[0]] > before[counts[0]]


def test_page_shows_what_the_scripts_say() -> None:
    blocks = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert {name for name, _ in blocks} == {"gymnasium_resume.py", "stable_baselines3_resume.py"}
    assert [name for name, text in blocks if text not in (DOCS / name).read_text(encoding="utf-8")] == []
