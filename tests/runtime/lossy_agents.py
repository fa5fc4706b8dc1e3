"""Small agents that lose something in a checkpoint, in the shapes in which real ones do; `LOSSES` names what."""

from __future__ import annotations

import copy
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

BATCHES = [
    torch.randn(4, 3, generator=torch.Generator().manual_seed(seed)) * (1 + seed) + 1 for seed in range(6)
]


@dataclass(frozen=True)
class Case:
    """An agent, and the paths that its checkpoint does not bring back; a path covers what is below it."""

    make: Callable[[], Any]
    lost: tuple[str, ...] = ()
    is_isolated: bool = False


def train(agent: Any) -> list[Any]:
    """Take one step of an agent on each of the first batches."""
    return [agent.step(batch) for batch in BATCHES[:3]]


def train_on(agent: Any) -> list[Any]:
    """Take one step of an agent on each of the later batches."""
    return [agent.step(batch) for batch in BATCHES[3:]]


def is_part(path: str, whole: str) -> bool:
    """Return whether a path is another one, or below it."""
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))


def save(agent: Any, path: Path) -> None:
    """Write what the agent's own `payload` says, or its state_dict."""
    torch.save(agent.payload() if hasattr(agent, "payload") else agent.state_dict(), path)


def load(agent: Any, path: Path) -> None:
    """Give a file back to the agent's own `restore`, or load_state_dict."""
    payload = torch.load(path, weights_only=False)
    (agent.restore if hasattr(agent, "payload") else agent.load_state_dict)(payload)


class Learner:
    """A linear policy with an optimizer, and a payload of both; the agents below put something beside it."""

    def __init__(self) -> None:
        self.policy = nn.Linear(3, 1)
        self.optimizer: Any = torch.optim.Adam(self.policy.parameters(), lr=0.05)

    def learn(self, batch: torch.Tensor, weight: Any = 1.0) -> torch.Tensor:
        loss: torch.Tensor = (self.policy(batch).square() * weight).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach().clone()

    def step(self, batch: torch.Tensor) -> Any:
        return self.learn(batch)

    def payload(self) -> dict[str, Any]:
        return {"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}

    def restore(self, payload: dict[str, Any]) -> None:
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])


class PlainTensors(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.mean = torch.zeros(3)  # noqa: CKP101
        self.var = torch.ones(3)  # noqa: CKP101

    def step(self, batch: torch.Tensor) -> Any:
        self.mean = self.mean.lerp(batch.mean(0), 0.1)
        self.var = self.var.lerp(batch.var(0), 0.1)
        return self.layer((batch - self.mean) / self.var.sqrt()).detach()


class NumpyStatistics:
    def __init__(self) -> None:
        self.mean, self.count = np.zeros(3), 1e-4

    def update(self, batch: Any) -> None:
        self.count += len(batch)
        self.mean = self.mean + (batch.mean(0) - self.mean) * len(batch) / self.count


class NumpyNormalizer(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.obs_rms = NumpyStatistics()

    def step(self, batch: torch.Tensor) -> Any:
        self.obs_rms.update(batch.numpy())
        return self.learn(batch - torch.as_tensor(self.obs_rms.mean, dtype=torch.float32))


class Welford:
    __slots__ = ("mean", "m2", "number")

    def __init__(self) -> None:
        self.mean, self.m2, self.number = 0.0, 0.0, 0


class ScaledReward(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.returns = Welford()

    def step(self, batch: torch.Tensor) -> Any:
        reward, tracker = batch.sum().item(), self.returns
        tracker.number += 1
        before = reward - tracker.mean
        tracker.mean += before / tracker.number
        tracker.m2 += before * (reward - tracker.mean)
        return self.learn(batch, 1 / (1 + tracker.m2 / tracker.number) ** 0.5)


class HiddenBuffer(nn.Module):
    usage: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.register_buffer("usage", torch.zeros(3), persistent=False)  # noqa: CKP107

    def step(self, batch: torch.Tensor) -> Any:
        self.usage.mul_(0.9).add_(batch.abs().mean(0))
        return self.layer(batch / self.usage).detach()


class PerHeadScales(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(3, 1) for _ in range(2))
        self.scales = [torch.ones(1), torch.ones(1)]  # noqa: CKP104

    def step(self, batch: torch.Tensor) -> Any:
        outputs = [head(batch).detach() for head in self.heads]
        for index, output in enumerate(outputs):
            self.scales[index] = self.scales[index] * 0.9 + 0.1 * output.abs().mean()
        return [output / scale for output, scale in zip(outputs, self.scales)]


class DiscountedReturn(nn.Module):
    var: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("var", torch.ones(()))
        self.returns: torch.Tensor | None = None  # noqa: CKP109

    def step(self, batch: torch.Tensor) -> Any:
        reward = batch[:, 0]
        self.returns = reward if self.returns is None else 0.99 * self.returns + reward
        self.var.lerp_(self.returns.var(), 0.1)
        return reward / self.var.sqrt()


class NoOptimizer(Learner):
    def payload(self) -> dict[str, Any]:
        return {"policy": self.policy.state_dict()}

    def restore(self, payload: dict[str, Any]) -> None:
        self.policy.load_state_dict(payload["policy"])


class NoScheduler(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 2)

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch)
        self.scheduler.step()
        return loss


class LossScale(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.log_scale = 4.0

    def step(self, batch: torch.Tensor) -> Any:
        self.log_scale += 0.5
        return self.learn(batch, 2.0**self.log_scale) / 2.0**self.log_scale


class TargetNetwork(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.target = copy.deepcopy(self.policy)

    def step(self, batch: torch.Tensor) -> Any:
        with torch.no_grad():
            for old, new in zip(self.target.parameters(), self.policy.parameters()):
                old.lerp_(new, 0.1)
            goal = self.target(batch)
        return self.learn(batch, 1 + goal.abs())


class ReplayLearner(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.replay: deque[torch.Tensor] = deque(maxlen=8)

    def step(self, batch: torch.Tensor) -> Any:
        self.replay.extend(batch)
        return self.learn(torch.stack(random.sample(list(self.replay), 2)))


class EpsilonGreedy(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.epsilon = 1.0

    def step(self, batch: torch.Tensor) -> Any:
        self.epsilon = max(0.05, self.epsilon * 0.8)
        noise = torch.rand(len(batch), 1) < self.epsilon
        return self.learn(torch.where(noise, torch.zeros(3), batch))


@dataclass
class Settings:
    """What an algorithm adapts as it goes."""

    kl_coefficient: float = 0.2
    history: list[float] = field(default_factory=list)


class AdaptiveKl(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.settings = Settings()

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch, 1 + self.settings.kl_coefficient)
        self.settings.kl_coefficient *= 1.5 if loss.item() < 1 else 0.7
        return loss


class Temperature(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha_optimizer = torch.optim.SGD([self.log_alpha], lr=0.1)

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch, self.log_alpha.exp().detach())
        self.alpha_optimizer.zero_grad()
        (self.log_alpha * loss).sum().backward()  # type: ignore[no-untyped-call]
        self.alpha_optimizer.step()
        return loss


class OwnGenerator(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(3)

    def step(self, batch: torch.Tensor) -> Any:
        return self.learn(batch + torch.randn(4, 3, generator=self.generator))


class NoiseProcess:
    """Noise of Ornstein and Uhlenbeck, with a generator of its own."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(5)
        self.state = np.zeros(3)

    def __call__(self) -> Any:
        self.state = 0.85 * self.state + 0.2 * self.random.standard_normal(3)
        return self.state


class NoisyActor(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.noise = NoiseProcess()

    def step(self, batch: torch.Tensor) -> Any:
        return self.learn(batch + torch.as_tensor(self.noise()).float())


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(3, 2)
        self.memory = {"hidden": torch.zeros(4, 2)}  # noqa: CKP104

    def step(self, batch: torch.Tensor) -> Any:
        self.memory["hidden"] = self.cell(batch, self.memory["hidden"]).detach()
        return self.memory["hidden"].clone()


class OwnStateDict:
    """A normalizer with its own state_dict, which forgets the count."""

    def __init__(self) -> None:
        self.mean, self.count = torch.zeros(3), 0

    def step(self, batch: torch.Tensor) -> Any:
        self.count += 1
        self.mean = self.mean + (batch.mean(0) - self.mean) / self.count
        return batch - self.mean

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.mean = state["mean"].clone()


class ShadowWeights(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.shadow = {name: value.clone() for name, value in self.policy.state_dict().items()}

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch)
        for name, value in self.policy.state_dict().items():
            self.shadow[name] = self.shadow[name].lerp(value, 0.1)
        return [loss, batch @ self.shadow["weight"].T]


class Course:
    """An environment that gets harder."""

    def __init__(self) -> None:
        self.level = 0

    def observe(self, batch: torch.Tensor) -> torch.Tensor:
        self.level += 1
        return batch * self.level


class Curriculum(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.course = Course()

    def step(self, batch: torch.Tensor) -> Any:
        return self.learn(self.course.observe(batch))


class Plateau(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.best_loss, self.bad_steps = float("inf"), 0

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch)
        self.bad_steps = 0 if loss.item() < self.best_loss else self.bad_steps + 1
        self.best_loss = min(self.best_loss, loss.item())
        return loss * (0.5 if self.bad_steps else 1.0)


class ResetAfterLoad(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.mean = torch.zeros(3)

    def step(self, batch: torch.Tensor) -> Any:
        self.mean = self.mean.lerp(batch.mean(0), 0.1)
        return self.learn(batch - self.mean)

    def payload(self) -> dict[str, Any]:
        return super().payload() | {"mean": self.mean}

    def restore(self, payload: dict[str, Any]) -> None:
        super().restore(payload)
        self.mean = payload["mean"]
        self.begin()

    def begin(self) -> None:
        self.mean = torch.zeros(3)


class OtherKey(ResetAfterLoad):
    def restore(self, payload: dict[str, Any]) -> None:
        Learner.restore(self, payload)
        self.mean = payload.get("obs_mean", self.mean)


class PopArt(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.value_scale = (0.0, 1.0)

    def step(self, batch: torch.Tensor) -> Any:
        mean, square = self.value_scale
        goal = batch.sum().item()
        self.value_scale = (0.9 * mean + 0.1 * goal, 0.9 * square + 0.1 * goal**2)
        return self.learn(batch, 1 / (1 + self.value_scale[1]))


class HalfPrecision(ResetAfterLoad):
    def payload(self) -> dict[str, Any]:
        return super().payload() | {"mean": self.mean.half()}

    def restore(self, payload: dict[str, Any]) -> None:
        Learner.restore(self, payload)
        self.mean = payload["mean"].float()


class FrozenFlag(nn.Module):
    """Statistics are taken from the first batches, and then stay."""

    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.is_fitted = False

    def step(self, batch: torch.Tensor) -> Any:
        if not self.is_fitted:
            self.mean.copy_(batch.mean(0))
            self.is_fitted = True
        return batch - self.mean


class GuardedMean(FrozenFlag):
    """The flag and the mean are both lost: either alone does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3), persistent=False)  # noqa: CKP107

    def step(self, batch: torch.Tensor) -> Any:
        return super().step(batch * batch.abs().max())


class SharedMean(Learner):
    """The mean is an attribute of the class."""

    mean = torch.zeros(3)

    def step(self, batch: torch.Tensor) -> Any:
        SharedMean.mean = self.mean.lerp(batch.mean(0), 0.1)
        return self.learn(batch - self.mean)


def counter() -> Callable[[], int]:
    """Return a function that counts its calls."""
    calls = 0

    def count() -> int:
        nonlocal calls
        calls += 1
        return calls

    return count


class InClosure(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.count = counter()

    def step(self, batch: torch.Tensor) -> Any:
        return self.learn(batch, 1 / self.count())


class InIterator(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.ticks = itertools.count(1)

    def step(self, batch: torch.Tensor) -> Any:
        return self.learn(batch, 1 / next(self.ticks))


LOSSES = {
    "plain tensors on a module": Case(PlainTensors, ("mean", "var")),
    "numpy statistics of a helper": Case(NumpyNormalizer, ("obs_rms.mean", "obs_rms.count")),
    "numbers in slots": Case(ScaledReward, ("returns.mean", "returns.m2", "returns.number")),
    "buffer that is not persistent": Case(HiddenBuffer, ("usage",)),
    "tensors in a list": Case(PerHeadScales, ("scales",)),
    "return that is None at first": Case(DiscountedReturn, ("returns",)),
    "optimizer": Case(NoOptimizer, ("optimizer.state",)),
    "scheduler": Case(NoScheduler, ("scheduler",)),
    "scale of a loss": Case(LossScale, ("log_scale",)),
    "target network": Case(TargetNetwork, ("target",)),
    "replay buffer": Case(ReplayLearner, ("replay",)),
    "exploration rate": Case(EpsilonGreedy, ("epsilon",)),
    "coefficient in a dataclass": Case(AdaptiveKl, ("settings.kl_coefficient",)),
    "temperature": Case(Temperature, ("log_alpha",)),
    "random generator of torch": Case(OwnGenerator, ("generator",)),
    "noise process": Case(NoisyActor, ("noise.state", "noise.random")),
    "hidden state in a dict": Case(Recurrent, ("memory",)),
    "own state_dict without a count": Case(OwnStateDict, ("count",)),
    "averaged weights in a dict": Case(ShadowWeights, ("shadow",)),
    "level of an environment": Case(Curriculum, ("course.level",)),
    "best loss that lowers the rate": Case(Plateau, ("best_loss",)),
    "state that is reset after loading": Case(ResetAfterLoad, ("mean",)),
    "state under another key": Case(OtherKey, ("mean",)),
    "numbers in a tuple": Case(PopArt, ("value_scale",)),
    "state in half precision": Case(HalfPrecision, ("mean",)),
    "flag that says what is fitted": Case(FrozenFlag, ("is_fitted",)),
    "flag and mean together": Case(GuardedMean, ("is_fitted", "mean")),
    "counter in a closure": Case(InClosure, ("count",)),
    "counter in an iterator": Case(InIterator, ("ticks",)),
    "attribute of a class": Case(
        SharedMean, ("tests.runtime.lossy_agents.SharedMean.mean",), is_isolated=True
    ),
}
