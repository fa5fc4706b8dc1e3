"""Agents of real frameworks: saved right, a report has nothing but notes; saved wrong, it begins with what is lost."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from flake8_ckpt.runtime import presets
from flake8_ckpt.runtime import verify_roundtrip
from flake8_ckpt.runtime.verifier import Report

# The frameworks warn of their own use of other libraries.
pytestmark = pytest.mark.filterwarnings("default")
HERE = Path(__file__)


def first_line(report: Report) -> str:
    """Return the first line after the headline."""
    return str(report).splitlines()[1].strip()


def line_of(text: str) -> int:
    """Return the number of the first line of this file that holds a text."""
    return next(
        number for number, line in enumerate(HERE.read_text(encoding="utf-8").splitlines(), 1) if text in line
    )


def assert_only_notes(report: Report) -> None:
    assert report.ok, str(report)
    assert {note.kind for note in report.notes} <= {"unread", "renewed", "vacuous"}
    assert len(str(report).splitlines()) < 20


def make_ppo() -> Any:
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecNormalize

    environment = VecNormalize(make_vec_env("Pendulum-v1", n_envs=2))
    net = {"net_arch": [4]}
    return PPO(
        "MlpPolicy", environment, n_steps=8, batch_size=16, n_epochs=1, policy_kwargs=net, device="cpu"
    )


def test_ppo_saved_right_gives_notes() -> None:
    pytest.importorskip("stable_baselines3", reason="an agent of stable-baselines3")
    assert_only_notes(verify_roundtrip(make_ppo, **presets.stable_baselines3(16)))


def test_ppo_saved_without_its_vecnormalize_names_it() -> None:
    pytest.importorskip("stable_baselines3", reason="an agent of stable-baselines3")

    def save(model: Any, path: Path) -> None:
        model.save(path)

    def load(model: Any, path: Path) -> Any:
        return type(model).load(path, env=model.get_env(), device="cpu")

    line = first_line(verify_roundtrip(make_ppo, **presets.stable_baselines3(16, save=save, load=load)))
    assert line.startswith("lost      env.obs_rms.mean, .var, .count: was [")
    assert line.endswith(f"test_presets.py:{line_of('environment = VecNorm')}: CKP208 VecNormalize")


def test_presets_can_be_sent_to_a_new_process() -> None:
    options = [
        presets.stable_baselines3(),
        presets.gymnasium(CleanRun.train),
        presets.lightning(partial(lightning_module, True), BATCHES),
    ]
    assert all(pickle.loads(pickle.dumps(each)).keys() == each.keys() for each in options)


class CleanRun:
    """A loop in the manner of CleanRL: environments, an agent, an optimizer, and numbers in local variables."""

    def __init__(self) -> None:
        import gymnasium
        from gymnasium.wrappers.vector import NormalizeObservation
        from gymnasium.wrappers.vector import NormalizeReward

        envs: Any = gymnasium.make_vec("Pendulum-v1", num_envs=2, vectorization_mode="sync")
        self.envs: Any = NormalizeReward(NormalizeObservation(envs))
        self.agent = nn.Linear(3, 1)
        self.optimizer = torch.optim.Adam(self.agent.parameters(), lr=0.01)
        self.global_step = 0
        self.observation: Any = None

    def train(self, observation: Any, steps: int = 8) -> list[torch.Tensor]:
        """Take some steps from an observation, and return the losses."""
        losses = []
        for _ in range(steps):
            self.global_step += 1
            mean = self.agent(torch.as_tensor(observation))
            action = (mean + torch.randn(2, 1)).detach()
            observation, reward, _, _, _ = self.envs.step(action.numpy())
            loss = ((action - mean).square()[:, 0] * torch.as_tensor(reward)).mean()
            self.optimizer.param_groups[0]["lr"] = 0.01 / (1 + self.global_step)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        self.observation = observation
        return losses

    def payload(self) -> dict[str, Any]:
        return {
            "agent": self.agent.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "global_step": self.global_step,
        }

    def restore(self, payload: dict[str, Any]) -> None:
        self.agent.load_state_dict(payload["agent"])
        self.optimizer.load_state_dict(payload["optimizer"])
        self.global_step = payload["global_step"]

    def statistics(self) -> list[Any]:
        inner: Any = self.envs.env
        return [self.envs.return_rms, inner.obs_rms]


CLEAN: Any = {
    "exercise": lambda run: run.train(run.envs.reset(seed=1)[0]),
    "load": lambda run, path: run.restore(torch.load(path)),
    "save": lambda run, path: torch.save(run.payload(), path),
    **presets.gymnasium(CleanRun.train),
}


def test_cleanrl_loop_saved_right_gives_notes() -> None:
    pytest.importorskip("gymnasium", reason="a loop over gymnasium environments")

    def save(run: CleanRun, path: Path) -> None:
        rms = [(each.mean, each.var, each.count) for each in run.statistics()]
        torch.save(
            run.payload() | {"rms": [[torch.as_tensor(np.asarray(value)) for value in each] for each in rms]},
            path,
        )

    def load(run: CleanRun, path: Path) -> None:
        payload = torch.load(path)
        run.restore(payload)
        for rms, saved in zip(run.statistics(), payload["rms"]):
            kept = type(rms.count)
            rms.mean, rms.var, rms.count = saved[0].numpy(), saved[1].numpy(), kept(saved[2])

    options: Any = {**CLEAN, "save": save, "load": load}
    assert_only_notes(verify_roundtrip(CleanRun, **options))


def test_cleanrl_loop_saved_without_statistics_names_them() -> None:
    pytest.importorskip("gymnasium", reason="a loop over gymnasium environments")
    report = verify_roundtrip(CleanRun, **CLEAN)
    lost = [line for line in str(report).splitlines() if line.startswith("  lost")]
    assert lost[0].startswith("  lost      envs.return_rms.mean, .var, .count: ")
    assert lost[1].startswith("  lost      envs.env.obs_rms.mean, .var, .count: ") and len(lost) == 2
    assert lost[1].endswith(f"test_presets.py:{line_of('self.envs: Any')}: CKP215 CleanRun.envs")


def test_cleanrl_loop_without_its_step_names_it() -> None:
    pytest.importorskip("gymnasium", reason="a loop over gymnasium environments")

    def save(run: CleanRun, path: Path) -> None:
        torch.save(run.payload() | {"global_step": 0}, path)

    names = [each.path for each in verify_roundtrip(CleanRun, **{**CLEAN, "save": save}).problems]
    assert "global_step" in names


BATCHES = [torch.randn(4, 3, generator=torch.Generator().manual_seed(seed)) + 2 for seed in range(4)]


def lightning_module(is_right: bool) -> Any:
    from pytorch_lightning import LightningModule

    class Net(LightningModule):
        """Training data is centered on a running mean."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 1)
            if is_right:
                self.register_buffer("mean", torch.zeros(3))
            else:
                self.mean = torch.zeros(3)  # noqa: CKP101
            self.seen = 0

        def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
            self.seen += 1
            self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
            loss: torch.Tensor = self.layer(batch - self.mean).square().mean()
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.Adam(self.parameters(), 0.1)
            return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 2)]

    return Net()


def test_lightning_module_saved_right_gives_notes() -> None:
    pytest.importorskip("pytorch_lightning", reason="a LightningModule")
    report = verify_roundtrip(**presets.lightning(lambda: lightning_module(True), BATCHES))
    assert_only_notes(report)
    assert [note.path for note in report.notes if note.kind == "unread"] == ["module.seen"]


def test_lightning_module_with_a_plain_tensor_names_it() -> None:
    pytest.importorskip("pytorch_lightning", reason="a LightningModule")
    line = first_line(verify_roundtrip(**presets.lightning(lambda: lightning_module(False), BATCHES)))
    assert line.startswith("lost      module.mean: was [")
    assert f"test_presets.py:{line_of('self.register_buffer(')}: CKP101 " in line


def test_lightning_weights_alone_name_the_optimizer() -> None:
    pytest.importorskip("pytorch_lightning", reason="a LightningModule")

    def save(fit: Any, path: Path) -> None:
        torch.save(fit.module.state_dict(), path)

    def load(fit: Any, path: Path) -> None:
        fit.module.load_state_dict(torch.load(path))

    make = partial(lightning_module, True)
    report = verify_roundtrip(**presets.lightning(make, BATCHES, save=save, load=load))
    assert {"optimizers", "schedulers"} <= {each.path for each in report.problems}


def test_lightning_preset_refuses_other_modules() -> None:
    pytest.importorskip("pytorch_lightning", reason="a LightningModule")
    with pytest.raises(TypeError, match="takes a LightningModule, not a Linear"):
        verify_roundtrip(**presets.lightning(lambda: nn.Linear(3, 1), BATCHES))


class FabricLoop:
    """A training loop on Lightning Fabric, with a scale for its targets."""

    def __init__(self) -> None:
        from lightning_fabric import Fabric

        self.fabric = Fabric(accelerator="cpu", devices=1)
        module = nn.Linear(3, 1)
        optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
        self.module, self.optimizer = self.fabric.setup(module, optimizer)
        self.scale = np.ones(3)
        self.step = 0

    def train(self) -> list[torch.Tensor]:
        losses = []
        for batch in BATCHES:
            self.step += 1
            self.scale = self.scale + (batch.abs().mean(0).numpy() - self.scale) / self.step
            loss = self.module((batch / torch.as_tensor(self.scale)).float()).square().mean()
            self.optimizer.zero_grad()
            self.fabric.backward(loss)
            self.optimizer.step()
            losses.append(loss.detach())
        return losses

    def state(self) -> dict[str, Any]:
        return {"module": self.module, "optimizer": self.optimizer, "step": self.step}

    def load(self, path: Path) -> dict[str, Any]:
        state = self.state()
        rest: dict[str, Any] = self.fabric.load(path, state, strict=False)
        self.step = state["step"]
        return rest


def load_fabric(loop: FabricLoop, path: Path) -> None:
    loop.scale = loop.load(path)["scale"].numpy()


def test_fabric_loop_saved_right_gives_notes() -> None:
    pytest.importorskip("lightning_fabric", reason="a loop on Fabric")
    report = verify_roundtrip(
        FabricLoop,
        exercise=FabricLoop.train,
        continue_with=FabricLoop.train,
        save=lambda loop, path: loop.fabric.save(path, loop.state() | {"scale": torch.as_tensor(loop.scale)}),
        load=load_fabric,
    )
    assert_only_notes(report)


def test_fabric_loop_without_its_scale_names_it() -> None:
    pytest.importorskip("lightning_fabric", reason="a loop on Fabric")
    report = verify_roundtrip(
        FabricLoop,
        exercise=FabricLoop.train,
        continue_with=FabricLoop.train,
        save=lambda loop, path: loop.fabric.save(path, loop.state()),
        load=lambda loop, path: loop.load(path) and None,
    )
    line = first_line(report)
    assert line.startswith("lost      scale: was [")
    assert f"test_presets.py:{line_of('self.scale = np.ones')}: CKP204 FabricLoop.scale" in line
