"""Small agents whose checkpoints keep all that matters, in shapes that look as if they did not."""

from __future__ import annotations

import copy
import random
import threading
import time
from collections import deque
from dataclasses import asdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from flake8_ckpt.runtime import RunningMeanStd
from tests.runtime.lossy_agents import Learner


class Registered(nn.Module):
    """Statistics are buffers; the constants are rebuilt, and the counter is for people."""

    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.register_buffer("mean", torch.zeros(3))
        self.limits = torch.tensor([-5.0, 5.0])  # noqa: CKP102
        self.calls = 0

    def step(self, batch: torch.Tensor) -> Any:
        self.calls += 1
        self.mean.lerp_(batch.mean(0), 0.1)
        return self.layer((batch - self.mean).clamp(*self.limits.tolist())).detach()


class OurNormalizer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.normalizer, self.layer = RunningMeanStd(3), nn.Linear(3, 1)

    def step(self, batch: torch.Tensor) -> Any:
        return self.layer(self.normalizer.update_and_normalize(batch)).detach()


class LastBatch(Registered):
    """What the last call left is overwritten by the next."""

    def step(self, batch: torch.Tensor) -> Any:
        self.features = super().step(batch)  # noqa: CKP109
        return self.features * 2


class ExtraState(nn.Module):
    """Numbers are in the extra state."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.scale = nn.Linear(3, 1), 1.0

    def step(self, batch: torch.Tensor) -> Any:
        self.scale *= 1.1
        return self.layer(batch).detach() * self.scale

    def get_extra_state(self) -> dict[str, float]:
        return {"scale": self.scale}

    def set_extra_state(self, state: Any) -> None:
        self.scale = state["scale"]


class DerivedTensor(nn.Module):
    """A tensor that is made of a buffer in each call."""

    var: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("var", torch.ones(3))
        self.scale = torch.ones(3)  # noqa: CKP101

    def step(self, batch: torch.Tensor) -> Any:
        self.var.lerp_(batch.var(0), 0.1)
        self.scale = self.var.rsqrt()
        return batch * self.scale


class TiedWeights(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(3, 3), nn.Linear(3, 3)
        self.decoder.weight = self.encoder.weight
        self.optimizer_steps = [0]

    def step(self, batch: torch.Tensor) -> Any:
        self.optimizer_steps[0] += 1
        with torch.no_grad():
            self.encoder.weight.mul_(0.9)
        return self.decoder(self.encoder(batch)).detach()


class Scheduled(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, 20)

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch)
        self.scheduler.step()
        return loss

    def payload(self) -> dict[str, Any]:
        return super().payload() | {"scheduler": self.scheduler.state_dict()}

    def restore(self, payload: dict[str, Any]) -> None:
        super().restore(payload)
        self.scheduler.load_state_dict(payload["scheduler"])


class Logged(Learner):
    """A history and a clock that only people read."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[float] = []
        self.started, self.last = time.time(), 0.0

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch)
        self.history.append(loss.item())
        self.last = time.time() - self.started
        return loss


class Rollouts(Learner):
    """Arrays that each iteration fills anew."""

    def __init__(self) -> None:
        super().__init__()
        self.storage = np.zeros((4, 3), np.float32)
        self.position = 0

    def step(self, batch: torch.Tensor) -> Any:
        self.position = 0
        for row in batch.numpy():
            self.storage[self.position] = row
            self.position += 1
        return self.learn(torch.as_tensor(self.storage.copy()))


class Caller:
    """A callback that knows its agent, and holds a lock and a function."""

    def __init__(self, agent: Any) -> None:
        self.agent, self.lock, self.calls = agent, threading.Lock(), 0
        self.report = lambda: self.calls

    def __call__(self) -> None:
        with self.lock:
            self.calls += 1


class WithCallback(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.callback = Caller(self)

    def step(self, batch: torch.Tensor) -> Any:
        self.callback()
        return self.learn(batch)


class SavedTarget(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.target = copy.deepcopy(self.policy)

    def step(self, batch: torch.Tensor) -> Any:
        with torch.no_grad():
            for old, new in zip(self.target.parameters(), self.policy.parameters()):
                old.lerp_(new, 0.1)
        return self.learn(batch, 1 + self.target(batch).detach().abs())

    def payload(self) -> dict[str, Any]:
        return super().payload() | {"target": self.target.state_dict()}

    def restore(self, payload: dict[str, Any]) -> None:
        super().restore(payload)
        self.target.load_state_dict(payload["target"])


class SavedReplay(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.replay: deque[torch.Tensor] = deque(maxlen=8)

    def step(self, batch: torch.Tensor) -> Any:
        self.replay.extend(batch)
        return self.learn(torch.stack(random.sample(list(self.replay), 2)))

    def payload(self) -> dict[str, Any]:
        return super().payload() | {"replay": torch.stack(list(self.replay))}

    def restore(self, payload: dict[str, Any]) -> None:
        super().restore(payload)
        self.replay.extend(payload["replay"])


@dataclass
class Adapted:
    """What an algorithm adapts."""

    coefficient: float = 0.2
    target: float = 0.01


class SavedDataclass(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.adapted = Adapted()

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch, 1 + self.adapted.coefficient)
        self.adapted.coefficient *= 1.5 if loss.item() < 1 else 0.7
        return loss

    def payload(self) -> dict[str, Any]:
        return super().payload() | {"adapted": asdict(self.adapted)}

    def restore(self, payload: dict[str, Any]) -> None:
        super().restore(payload)
        self.adapted = Adapted(**payload["adapted"])


class SavedGenerators(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.generator, self.random = torch.Generator(), np.random.default_rng(1)

    def step(self, batch: torch.Tensor) -> Any:
        noise = torch.randn(4, 3, generator=self.generator)
        return self.learn(batch + noise * self.random.standard_normal())

    def payload(self) -> dict[str, Any]:
        states = {"torch": self.generator.get_state(), "numpy": self.random.bit_generator.state}
        return super().payload() | states

    def restore(self, payload: dict[str, Any]) -> None:
        super().restore(payload)
        self.generator.set_state(payload["torch"])
        self.random.bit_generator.state = payload["numpy"]


class Averaged(Learner):
    def __init__(self) -> None:
        super().__init__()
        self.average = AveragedModel(self.policy)

    def step(self, batch: torch.Tensor) -> Any:
        loss = self.learn(batch)
        self.average.update_parameters(self.policy)
        return [loss, self.average(batch).detach()]

    def payload(self) -> dict[str, Any]:
        return super().payload() | {"average": self.average.state_dict()}

    def restore(self, payload: dict[str, Any]) -> None:
        super().restore(payload)
        self.average.load_state_dict(payload["average"])


class Episodes(Learner):
    """Each round begins a new episode, in an environment that is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.seen = np.zeros(3), 0

    def step(self, batch: torch.Tensor) -> Any:
        self.state = np.ones(3)
        for row in batch.numpy():
            self.state = 0.9 * self.state + row
            self.seen += 1
        return self.learn(torch.as_tensor(self.state).float())


class Memoized(Learner):
    """A cache of what can be computed at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.masks: dict[int, torch.Tensor] = {}

    def step(self, batch: torch.Tensor) -> Any:
        mask = self.masks.setdefault(len(batch), torch.arange(len(batch))[:, None] > 0)
        return self.learn(batch * mask)


WHOLE = {
    "registered buffers, a constant, a counter": Registered,
    "our normalizer": OurNormalizer,
    "features of the last batch": LastBatch,
    "extra state": ExtraState,
    "tensor derived in each call": DerivedTensor,
    "tied weights": TiedWeights,
    "optimizer and scheduler": Scheduled,
    "history and clock": Logged,
    "rollout buffer": Rollouts,
    "callback with a lock": WithCallback,
    "saved target network": SavedTarget,
    "saved replay buffer": SavedReplay,
    "saved dataclass": SavedDataclass,
    "saved generators": SavedGenerators,
    "averaged model": Averaged,
    "new episode each round": Episodes,
    "cache": Memoized,
}
