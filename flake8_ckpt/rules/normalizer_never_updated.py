"""A running normalizer is used to normalize, and nothing in the project ever updates it.

## What it does

Finds objects with running statistics (mean and variance or sums, a count, a method that updates them) that
the project normalizes with, while no code of the project calls the update or assigns the statistics.
Restoring them from a checkpoint of the same project is no update: that file holds the first values too.
A normalizer that the constructor takes from another object, `self.norm = unwrap(env)`, is reported too, where a
method replaces that object and not the normalizer: the new one is updated, and nobody normalizes with it.
What the class or the attribute is called does not matter, and a local on the way to the attribute is followed.

## Why it matters

The statistics stay at their first values, mostly mean 0 and variance 1, and normalizing gives the input back.
Training works at first, because the network sees what it always saw; on observations of different scales it
is slow or fails, and the checkpoint holds statistics that describe nothing.
When somebody adds the missing update later, every old checkpoint is a policy for another input.

## Bad

```python
import io

import torch
from torch import nn
from torch import optim


class RunningMeanStd(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("var", torch.ones(size))
        self.register_buffer("count", torch.tensor(0.0))

    def update(self, batch: torch.Tensor) -> None:
        total = self.count + len(batch)
        delta = batch.mean(dim=0) - self.mean
        spread = self.count * len(batch) / total * delta.square()
        self.var.copy_((self.var * self.count + batch.var(dim=0, correction=0) * len(batch) + spread) / total)
        self.mean.add_(delta * len(batch) / total)
        self.count.copy_(total)

    def normalize(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / torch.sqrt(self.var + 1e-8)


class Policy(nn.Module):
    def __init__(self, observations: int, actions: int) -> None:
        super().__init__()
        self.obs_rms = RunningMeanStd(observations)
        self.head = nn.Linear(observations, actions)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        return self.head(self.obs_rms.normalize(observation))


def fit(policy: Policy, observations: torch.Tensor, actions: torch.Tensor, epochs: int = 3) -> None:
    optimizer = optim.Adam(policy.parameters(), lr=1e-3)
    for _ in range(epochs):
        loss = nn.functional.mse_loss(policy(observations), actions)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


observations = torch.randn(64, 3) * 5.0 + 100.0
trained = Policy(3, 1)
fit(trained, observations, torch.zeros(64, 1))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = Policy(3, 1)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert resumed.obs_rms.count == 0
assert torch.allclose(resumed.obs_rms.normalize(observations), observations)
```

## Good

```python
import io

import torch
from torch import nn
from torch import optim


class RunningMeanStd(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("var", torch.ones(size))
        self.register_buffer("count", torch.tensor(0.0))

    def update(self, batch: torch.Tensor) -> None:
        total = self.count + len(batch)
        delta = batch.mean(dim=0) - self.mean
        spread = self.count * len(batch) / total * delta.square()
        self.var.copy_((self.var * self.count + batch.var(dim=0, correction=0) * len(batch) + spread) / total)
        self.mean.add_(delta * len(batch) / total)
        self.count.copy_(total)

    def normalize(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / torch.sqrt(self.var + 1e-8)


class Policy(nn.Module):
    def __init__(self, observations: int, actions: int) -> None:
        super().__init__()
        self.obs_rms = RunningMeanStd(observations)
        self.head = nn.Linear(observations, actions)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        return self.head(self.obs_rms.normalize(observation))


def fit(policy: Policy, observations: torch.Tensor, actions: torch.Tensor, epochs: int = 3) -> None:
    policy.obs_rms.update(observations)
    optimizer = optim.Adam(policy.parameters(), lr=1e-3)
    for _ in range(epochs):
        loss = nn.functional.mse_loss(policy(observations), actions)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


observations = torch.randn(64, 3) * 5.0 + 100.0
trained = Policy(3, 1)
fit(trained, observations, torch.zeros(64, 1))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = Policy(3, 1)
resumed.load_state_dict(torch.load(file, weights_only=True))
normalized = resumed.obs_rms.normalize(observations)
assert resumed.obs_rms.count == 64
assert torch.allclose(normalized.mean(dim=0), torch.zeros(3), atol=1e-3)
assert torch.allclose(normalized.std(dim=0, correction=0), torch.ones(3), atol=1e-3)
```

## When it stays silent

- The update is called anywhere: through an attribute of another object, a base class, a loop over several
  normalizers, a helper in another file, a callback that gets the bound method.
- Some `update` is called on an object of which the source does not tell what it is.
- Normalizing updates by itself, always, in training mode or by an option that somebody sets.
- The statistics are computed from data and passed to the constructor or assigned.
- The statistics come from a file, and nothing in the project writes that file: it was made elsewhere.
- The object is handed to a function, returned, or put elsewhere: what happens to it there is open.
- The class has methods that are neither update nor normalizing, such as `set_mean`.
- The program neither trains nor saves: it only defines classes for others.
- Nothing normalizes with it.
- Wrappers that update themselves: `VecNormalize`, Gymnasium's `NormalizeObservation`, batch norm.

## References

- https://gymnasium.farama.org/api/wrappers/observation_wrappers/#gymnasium.wrappers.NormalizeObservation
- https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance#Parallel_algorithm
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in


def check(project: Project) -> Iterator[Finding]:
    """Report normalizers that the project normalizes with and updates nowhere."""
    for idle in project.losses.idle_normalizers():
        message = (
            f"'{idle.name}' is never updated: it normalizes with the statistics it began with;"
            f" call its {idle.update}() with the data"
        )
        yield finding_in(RULE, idle.location, message, key=idle.name)
    for stale in project.losses.stale_normalizers():
        message = (
            f"'{stale.name}' stays that of the first '{stale.source}': {stale.setter}() gives another one;"
            " set it there too"
        )
        others = [(stale.replaced, "only this is replaced")]
        yield finding_in(RULE, stale.location, message, others, key=stale.name)


RULE = Rule(__name__, "CKP210", check=check)
