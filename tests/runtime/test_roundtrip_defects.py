"""Defects of real normalizers, rebuilt as small classes: each is found, and named by its path."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.verifier import Report
from flake8_ckpt.runtime.verifier import verify_roundtrip

STEPS = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(7)) * 2 + 1


def found(report: Report) -> list[tuple[str, str]]:
    assert report.ok == (not report.problems)
    return [(problem.kind, problem.path) for problem in report.problems]


def feed(module: nn.Module) -> list[Any]:
    """Feed the same batches in each call, where the module's mean is."""
    place = next((buffer.device for buffer in module.buffers()), torch.device("cpu"))
    return [module(batch.to(place)) for batch in STEPS]


class RunningMeanAsPlainAttribute(nn.Module):
    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(3))
        self.mean = torch.zeros(3, device=device)  # noqa: CKP101

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.mean(dim=0)
        return x - self.mean


def test_running_mean_is_lost(device: torch.device) -> None:
    make = lambda: RunningMeanAsPlainAttribute(device)  # noqa: E731
    report = verify_roundtrip(make, exercise=feed, continue_with=feed, device=device)
    assert found(report) == [("lost", "mean"), ("diverged", "output[0]")]
    assert "came back as [0, 0, 0] float32 [3]" in str(report.problems[0])


class LazilyBuilt(nn.Module):
    """ProtoMotions builds its normalizer at the first batch, and refuses its own checkpoint."""

    mean: torch.Tensor
    count: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros_like(x[0]))  # noqa: CKP108
            self.register_buffer("count", torch.zeros((), dtype=torch.int64, device=x.device))
        self.count += 1
        self.mean += (x.mean(dim=0) - self.mean) / self.count
        return x - self.mean


def test_lazily_built_normalizer_refuses_its_checkpoint(device: torch.device) -> None:
    report = verify_roundtrip(LazilyBuilt, exercise=feed, device=device)
    assert found(report) == [("refused", "load")]
    assert 'Unexpected key(s) in state_dict: "mean", "count"' in str(report)
    assert set(report.trips) == set(report.problems[0].via)


class DiscountedReturnAsPlainAttribute(nn.Module):
    """ProtoMotions and rsl_rl keep the running return of each environment outside of the state."""

    m2: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("m2", torch.zeros(3))
        self.avg: torch.Tensor | None = None  # noqa: CKP109

    def forward(self, reward: torch.Tensor) -> torch.Tensor:
        reward = reward[0]
        self.avg = reward if self.avg is None else 0.99 * self.avg + reward
        self.m2 += self.avg.square()
        return reward / self.m2.sqrt()


def test_discounted_return_is_lost_and_diverges(device: torch.device) -> None:
    report = verify_roundtrip(
        DiscountedReturnAsPlainAttribute, exercise=feed, continue_with=feed, device=device
    )
    assert found(report) == [("lost", "avg"), ("diverged", "output[0]")]
    assert "came back as None" in str(report)


class VecNormV2:
    """torchrl's normalizer keeps the tensors that it is given, and updates them in place."""

    def __init__(self) -> None:
        self.loc = torch.zeros(3)

    def update(self) -> torch.Tensor:
        return self.loc.lerp_(STEPS[0].mean(dim=0).to(self.loc), 0.1).clone()

    def state_dict(self) -> dict[str, Any]:
        return {"loc": self.loc}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.loc = state["loc"]


def test_loaded_object_shares_payload(device: torch.device) -> None:
    report = verify_roundtrip(
        VecNormV2, exercise=VecNormV2.update, continue_with=VecNormV2.update, device=device
    )
    assert ("aliased", "loc") in found(report)
    assert "shares its memory with ['loc'] of the loaded payload" in str(report)


class BuffersBoundAgain(nn.Module):
    """rl_games and skrl bind their buffers to new tensors in each update."""

    running_mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.running_mean = self.running_mean * 0.9 + x.mean(dim=0) * 0.1
        return x - self.running_mean


class BoundAgainToEqualValues(BuffersBoundAgain):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.running_mean += 1
        held = self.running_mean
        self.running_mean = held.clone()
        return x


def test_rebinding_to_equal_values_follows(device: torch.device) -> None:
    report = verify_roundtrip(
        BoundAgainToEqualValues, exercise=lambda m: m(STEPS), device=device, in_place=True
    )
    assert report.ok and report.notes == (), str(report)


def test_rebinding_leaves_earlier_state_stale(device: torch.device) -> None:
    report = verify_roundtrip(BuffersBoundAgain, exercise=feed, continue_with=feed, device=device)
    assert report.ok and [(note.kind, note.path) for note in report.notes] == [("stale", "running_mean")]
    strict = verify_roundtrip(BuffersBoundAgain, exercise=feed, device=device, in_place=True)
    assert found(strict) == [("stale", "running_mean")]
    assert "an earlier state_dict() keeps [0, 0, 0]" in str(strict)


class LoadBindsParameters(nn.Module):
    """Loading replaces the parameters, so that the optimizer goes on with the old ones."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 1)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.net(x).square().mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach()

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict(
            {key: value.clone() for key, value in state.items()}, strict, assign=True
        )


def test_optimizer_is_cut_off_by_loading(device: torch.device) -> None:
    report = verify_roundtrip(
        LoadBindsParameters, exercise=feed, continue_with=feed, device=device, via="torch"
    )
    assert found(report)[:2] == [
        ("stale", "optimizer.param_groups[0]['params'][0]"),
        ("stale", "optimizer.param_groups[0]['params'][1]"),
    ]
    assert "was the same tensor as net.weight" in str(report) and ("diverged", "output[1]") in found(report)


class HyperParametersNotRestored(nn.Module):
    """No peer restores what its statistics depend on."""

    mean: torch.Tensor

    def __init__(self, epsilon: float, clip: float, until: int | None, decay: float, gamma: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.epsilon, self.clip, self.until, self.decay, self.gamma = epsilon, clip, until, decay, gamma

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.mean.lerp_(x.mean(dim=0), 1 - self.decay)
        return ((x - self.mean) / (1 + self.epsilon)).clamp(-self.clip, self.clip)


def test_hyper_parameters_are_not_restored(device: torch.device) -> None:
    report = verify_roundtrip(
        lambda: HyperParametersNotRestored(1e-8, 10.0, None, 0.9, 0.99),
        perturb=lambda: HyperParametersNotRestored(1e-5, 1.0, 100, 0.5, 0.9),
        exercise=feed,
        continue_with=feed,
        device=device,
    )
    assert found(report) == [
        *(("lost", name) for name in ("epsilon", "clip", "decay")),
        ("diverged", "output[0]"),
    ]
    assert [each.path for each in report.notes if each.kind == "unread"] == ["until", "gamma"]
    assert {problem.via for problem in report.problems} == {("torch into other hyper-parameters",)}
    assert "was 0.9; came back as 0.5, as in the other instance" in str(report)


class OptimizerHelper(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return LoadBindsParameters.forward(self, x)  # type: ignore[arg-type]


def test_optimizer_of_a_module_is_lost(device: torch.device) -> None:
    def make() -> nn.Module:
        return OptimizerHelper()

    report = verify_roundtrip(make, exercise=feed, continue_with=feed, via="torch")
    assert found(report) == [("lost", "optimizer.state"), ("diverged", "output[1]")]
    assert "mapping of 2: 0, 1; came back as {}" in str(report)


class Tally:
    def __init__(self) -> None:
        self.sum = torch.zeros(3)
        self.count = 0


class HelperThatIsNoModule(nn.Module):
    offset: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("offset", torch.rand(3))
        self.tallies = {"obs": Tally()}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tally = self.tallies["obs"]
        tally.count += 1
        tally.sum = tally.sum + x.mean(dim=0).to(tally.sum)
        return x - self.offset


def test_helper_objects_are_looked_into(device: torch.device) -> None:
    report = verify_roundtrip(HelperThatIsNoModule, exercise=feed, device=device)
    assert found(report) == [("lost", "tallies['obs'].sum"), ("lost", "tallies['obs'].count")]


class UnsafePayload(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tally = Tally()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.tally.count += 1
        return x

    def get_extra_state(self) -> Tally:
        return self.tally

    def set_extra_state(self, state: Tally) -> None:
        self.tally = state


def test_payload_of_own_class_is_unsafe(device: torch.device) -> None:
    report = verify_roundtrip(UnsafePayload, exercise=feed, device=device)
    assert ("unsafe", "the file") in found(report) and "Tally" in str(report)
    assert report.skipped[0].startswith("safetensors: ") and "safetensors" not in report.trips


class LosesPrecision(nn.Module):
    """A count that passes through float32 no longer counts beyond 2 ** 24."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 2**24

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 3
        return x

    def get_extra_state(self) -> torch.Tensor:
        return torch.tensor(float(self.count))

    def set_extra_state(self, state: torch.Tensor) -> None:
        self.count = int(state)


def test_rounded_count_is_changed(device: torch.device) -> None:
    report = verify_roundtrip(
        LosesPrecision, exercise=lambda m: m(STEPS), continue_with=lambda m: m.count, via="torch"
    )
    assert found(report) == [("changed", "count"), ("diverged", "output")]
    assert "was 16777219; came back as 16777220" in str(report)


class WindowOfRewards(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 1)
        self.rewards = deque[float](maxlen=3)
        self.clipped: set[int] = set()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.rewards.append(float(x[0, 0]))
        self.clipped.add(len(self.rewards))
        out: torch.Tensor = self.net(x).detach()
        return out


def test_containers_are_reported_once(device: torch.device) -> None:
    report = verify_roundtrip(WindowOfRewards, exercise=feed, device=device)
    assert found(report) == [("lost", "rewards"), ("lost", "clipped")]
    assert "came back as deque() of at most 3" in str(report)


class FrozenAll(nn.Module):
    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("var", torch.ones(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.mean += x.mean(dim=0)
        return x


def test_exercise_without_effect_is_vacuous(device: torch.device) -> None:
    report = verify_roundtrip(FrozenAll, exercise=lambda module: feed(module.eval()), device=device)
    assert found(report) == [("vacuous", "everything")] and "exercise() changed nothing" in str(report)


COMMON = {"mean": torch.zeros(3)}


class SharedByAll(nn.Module):
    """Registers one tensor in every object, so that a new object has what the old one learned."""

    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", COMMON["mean"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.mean += x.mean(dim=0)
        return x


def test_state_of_all_objects_is_vacuous() -> None:
    report = verify_roundtrip(SharedByAll, exercise=feed)
    assert found(report) == [("vacuous", "everything")] and "was equal before loading" in str(report)


def test_untouched_buffer_is_noted_as_vacuous(device: torch.device) -> None:
    report = verify_roundtrip(FrozenAll, exercise=feed, device=device)
    assert report.ok and [(note.kind, note.path) for note in report.notes] == [("vacuous", "var")]


def test_vec_normalize_deletes_its_returns(tmp_path: Path) -> None:
    reason = "the class of Stable-Baselines3 is asked itself"
    numpy = pytest.importorskip("numpy", reason=reason)
    gymnasium = pytest.importorskip("gymnasium", reason=reason)
    pytest.importorskip("stable_baselines3", reason=reason)
    from stable_baselines3.common.vec_env import DummyVecEnv
    from stable_baselines3.common.vec_env import VecNormalize

    def make() -> VecNormalize:
        return VecNormalize(DummyVecEnv([lambda: gymnasium.make("CartPole-v1")]))

    def play(env: VecNormalize) -> None:
        env.seed(1)
        env.reset()
        for _ in range(5):
            env.step(numpy.array([1]))

    report = verify_roundtrip(
        make,
        exercise=play,
        save=lambda env, path: env.save(path),
        load=lambda env, path: VecNormalize.load(str(path), env.venv),
        ignore=("venv", "old_obs", "old_reward"),
        folder=tmp_path,
    )
    assert found(report) == [("lost", "returns")] and report.trips == ("save and load",), str(report)


def peer(module: str, name: str) -> Any:
    reason = f"the class of {module.partition('.')[0]} is asked itself"
    return getattr(pytest.importorskip(module, reason=reason, exc_type=ImportError), name)


def test_rsl_rl_loses_the_discounted_return() -> None:
    kind = peer("rsl_rl.modules.normalization", "EmpiricalDiscountedVariationNormalization")

    def go_on(module: nn.Module) -> list[torch.Tensor]:
        return [module(batch[:, 0]) for batch in STEPS]

    report = verify_roundtrip(lambda: kind([]), exercise=go_on, continue_with=go_on, via="torch")
    assert found(report) == [("lost", "disc_avg.avg"), ("diverged", "output[0]")]


def test_rl_games_binds_its_buffers_again() -> None:
    kind = peer("rl_games.algos_torch.running_mean_std", "RunningMeanStd")
    report = verify_roundtrip(
        lambda: kind((3,)),
        perturb=lambda: kind((3,), epsilon=1.0),
        exercise=feed,
        continue_with=feed,
        via="torch",
    )
    assert found(report) == [("lost", "epsilon"), ("diverged", "output[0]")]
    assert [(note.kind, note.path) for note in report.notes] == [
        ("stale", "running_mean"),
        ("stale", "running_var"),
        ("stale", "count"),
    ]


def test_skrl_does_not_restore_its_clip() -> None:
    kind = peer("skrl.resources.preprocessors.torch", "RunningStandardScaler")

    def go_on(module: nn.Module) -> list[torch.Tensor]:
        return [module(batch, train=True) for batch in STEPS]

    report = verify_roundtrip(
        lambda: kind(3),
        perturb=lambda: kind(3, clip_threshold=0.1),
        exercise=go_on,
        continue_with=go_on,
        via="torch",
    )
    assert found(report) == [("lost", "clip_threshold"), ("diverged", "output[0]")]
    assert ("stale", "running_mean") in [(note.kind, note.path) for note in report.notes]
