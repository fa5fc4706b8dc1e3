"""The five systems of the demo: their state is found lost, and the corrected files are silent.

`flake8_ckpt/demo` holds the systems with their bugs; `tests/seeds` holds the files that a correction
changes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import flake8_ckpt
from tests.rule_cases import check_silent
from tests.rule_cases import lint

DEMO = Path(flake8_ckpt.__file__).parent / "demo"
CORRECTED = Path(__file__).parent / "seeds"

LOST = {
    "behavior_cloning": {
        ("behavior_cloning/policy.py", "CKP101", "_sum"),
        ("behavior_cloning/policy.py", "CKP101", "_sumsq"),
        ("behavior_cloning/policy.py", "CKP101", "_count"),
        ("behavior_cloning/policy.py", "CKP210", "ob_rms"),
    },
    "vectorized_ppo": {
        ("vectorized_ppo/normalization.py", "CKP101", "mean"),
        ("vectorized_ppo/normalization.py", "CKP101", "var"),
        ("vectorized_ppo/normalization.py", "CKP101", "count"),
        ("vectorized_ppo/vectorized.py", "CKP201", "obs_normalizer_mean"),
    },
    "motion_tracking": {
        ("motion_tracking/running_mean_std.py", "CKP108", "mean"),
        ("motion_tracking/running_mean_std.py", "CKP109", "discounted_reward"),
    },
    "gradient_scaling": {
        ("gradient_scaling/variance_gradient_scaler.py", "CKP109", "grad_mean_ema"),
        ("gradient_scaling/variance_gradient_scaler.py", "CKP109", "grad_square_ema"),
        ("gradient_scaling/distributional_ppo.py", "CKP204", "self._variance_gradient_scaler"),
        ("gradient_scaling/distributional_ppo.py", "CKP205", "_variance_gradient_scaler"),
    },
    "stable_baselines": {
        ("stable_baselines/features.py", "CKP101", "running_mean"),
        ("stable_baselines/features.py", "CKP101", "running_var"),
        ("stable_baselines/train.py", "CKP208", "model"),
        ("stable_baselines/enjoy.py", "CKP209", "VecNormalize"),
    },
}

each_system = pytest.mark.parametrize("system", LOST)


def read(folder: Path, system: str) -> dict[str, str]:
    """Return the sources of one system by their path from the folder."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in (folder / system).glob("*.py")}


def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Execute a source file that imports nothing of its own system; Fabric is not needed on one process."""
    monkeypatch.setitem(sys.modules, "lightning.fabric", SimpleNamespace(Fabric=object))
    namespace: dict[str, Any] = {"__name__": path.stem}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    return namespace


def test_demo_holds_the_systems() -> None:
    assert {path.parent.name for path in DEMO.glob("*/*.py")} == set(LOST)


@each_system
def test_demo_says_what_it_is_modelled_on(system: str) -> None:
    assert all(source.startswith("# Modelled on a") for source in read(DEMO, system).values())


@each_system
def test_lost_state_is_found(system: str) -> None:
    found = [
        (finding.path, finding.code, re.findall("'(.*?)'", finding.message)[0])
        for finding in lint(read(DEMO, system))
    ]
    assert sorted(found) == sorted(LOST[system])


@each_system
def test_corrected_system_is_silent(system: str) -> None:
    check_silent({**read(DEMO, system), **read(CORRECTED, system)})


def test_whole_demo_gives_the_same() -> None:
    files = {path: source for system in LOST for path, source in read(DEMO, system).items()}
    assert len(lint(files)) == sum(len(found) for found in LOST.values())


def observation_statistics(space: dict[str, Any]) -> tuple[Any, Any]:
    """Return two normalizers of behavior cloning, one of which has seen data, after a reload."""
    trained, resumed = space["RunningMeanStd"]((3,)), space["RunningMeanStd"]((3,))
    trained.update(torch.full((8, 3), 5.0))
    resumed.load_state_dict(trained.state_dict())
    return trained.mean, resumed.mean


def gradient_average(space: dict[str, Any]) -> tuple[Any, Any]:
    """Return the averages of two gradient scalers after a reload."""
    trained, resumed = space["VarianceGradientScaler"](), space["VarianceGradientScaler"]()
    trained.update(torch.full((4,), 2.0))
    resumed.load_state_dict(trained.state_dict())
    return trained.grad_mean_ema, torch.as_tensor(resumed.grad_mean_ema or 0.0)


RELOADS = {
    "behavior_cloning/policy.py": observation_statistics,
    "vectorized_ppo/normalization.py": observation_statistics,
    "gradient_scaling/variance_gradient_scaler.py": gradient_average,
}


@pytest.mark.parametrize("path", RELOADS)
def test_demo_loses_state_under_torch(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, resumed = RELOADS[path](run(DEMO / path, monkeypatch))
    assert not torch.equal(trained, resumed)


@pytest.mark.parametrize("path", RELOADS)
def test_correction_keeps_state_under_torch(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, resumed = RELOADS[path](run(CORRECTED / path, monkeypatch))
    assert torch.equal(trained, resumed)


def test_demo_refuses_its_own_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    space = run(DEMO / "motion_tracking/running_mean_std.py", monkeypatch)
    fabric = SimpleNamespace(world_size=1)
    trained, resumed = space["RunningMeanStd"](fabric), space["RunningMeanStd"](fabric)
    trained.record_moments(torch.ones(8, 3))
    with pytest.raises(RuntimeError, match="Unexpected key"):
        resumed.load_state_dict(trained.state_dict())


def test_correction_loads_lazily(monkeypatch: pytest.MonkeyPatch) -> None:
    space = run(CORRECTED / "motion_tracking/running_mean_std.py", monkeypatch)
    fabric = SimpleNamespace(world_size=1)
    trained, resumed = space["RunningMeanStd"](fabric), space["RunningMeanStd"](fabric)
    trained.record_moments(torch.full((8, 3), 5.0))
    resumed.load_state_dict(trained.state_dict())
    assert torch.equal(trained.mean, resumed.mean)


def test_discounted_reward_is_kept_by_correction(monkeypatch: pytest.MonkeyPatch) -> None:
    fabric = SimpleNamespace(world_size=1)
    make = run(CORRECTED / "motion_tracking/running_mean_std.py", monkeypatch)["RewardRunningMeanStd"]
    trained, resumed = make(fabric, 4, 0.9), make(fabric, 4, 0.9)
    trained.record_reward(torch.ones(4), torch.zeros(4))
    resumed.load_state_dict(trained.state_dict())
    assert torch.equal(trained.discounted_reward, resumed.discounted_reward)
