"""Load restores the statistics of a normalizer that the save it is paired with leaves out.

## What it does

Pairs the code that writes a checkpoint with the code that reads it back, over all files of the project.
Finds normalizer statistics that the reader restores and the writer never gives: the key is not in the
payload, or it travels in an optional argument that the call leaves out.
A normalizer is known by what it does, or as a class of a known library: it holds a running mean or variance
and has methods that update it and normalize with it.

## Why it matters

The guard around the restore (`if "obs_mean" in metadata`) is never true, so nothing fails.
The resumed run has its policy back and normalizes its observations with fresh statistics: the policy sees
inputs that it has never seen, and the reward collapses.

## Bad

```python
import tempfile
from pathlib import Path
from typing import Any
from typing import Optional

import torch
from torch import nn


class ObservationNormalizer:
    def __init__(self, size: int) -> None:
        self.mean = torch.zeros(size)
        self.m2 = torch.zeros(size)
        self.count = 0

    def update(self, observation: torch.Tensor) -> None:
        self.count += 1
        delta = observation - self.mean
        self.mean = self.mean + delta / self.count
        self.m2 = self.m2 + delta * (observation - self.mean)

    def normalize(self, observation: torch.Tensor) -> torch.Tensor:
        return (observation - self.mean) / (self.m2 / max(self.count, 1) + 1e-8).sqrt()


class Agent:
    def __init__(self, size: int) -> None:
        self.policy = nn.Linear(size, 1)
        self.optimizer = torch.optim.Adam(self.policy.parameters())

    def learn(self, observation: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        self.policy(observation).square().sum().backward()
        self.optimizer.step()

    def save(self, path: Path, metadata: Optional[dict[str, Any]] = None) -> None:
        checkpoint: dict[str, Any] = {
            "policy": self.policy.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        if metadata:
            checkpoint["metadata"] = metadata
        torch.save(checkpoint, path)

    def load(self, path: Path) -> dict[str, Any]:
        checkpoint = torch.load(path, weights_only=True)
        self.policy.load_state_dict(checkpoint["policy"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        return checkpoint.get("metadata", {})


def train(path: Path, steps: int, resume: bool = False) -> ObservationNormalizer:
    agent = Agent(3)
    normalizer = ObservationNormalizer(3)
    if resume:
        metadata = agent.load(path)
        if "obs_mean" in metadata:
            normalizer.mean = metadata["obs_mean"]
            normalizer.m2 = metadata["obs_m2"]
            normalizer.count = metadata["obs_count"]
    for _ in range(steps):
        observation = torch.randn(3) + 5.0
        normalizer.update(observation)
        agent.learn(normalizer.normalize(observation))
    agent.save(path)
    return normalizer


with tempfile.TemporaryDirectory() as folder:
    checkpoint = Path(folder) / "agent.pt"
    trained = train(checkpoint, steps=100)
    resumed = train(checkpoint, steps=1, resume=True)
assert trained.count == 100
assert resumed.count == 1
```

## Good

```python
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn


class ObservationNormalizer:
    def __init__(self, size: int) -> None:
        self.mean = torch.zeros(size)
        self.m2 = torch.zeros(size)
        self.count = 0

    def update(self, observation: torch.Tensor) -> None:
        self.count += 1
        delta = observation - self.mean
        self.mean = self.mean + delta / self.count
        self.m2 = self.m2 + delta * (observation - self.mean)

    def normalize(self, observation: torch.Tensor) -> torch.Tensor:
        return (observation - self.mean) / (self.m2 / max(self.count, 1) + 1e-8).sqrt()


class Agent:
    def __init__(self, size: int) -> None:
        self.policy = nn.Linear(size, 1)
        self.optimizer = torch.optim.Adam(self.policy.parameters())

    def learn(self, observation: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        self.policy(observation).square().sum().backward()
        self.optimizer.step()

    def save(self, path: Path, metadata: dict[str, Any]) -> None:
        checkpoint = {
            "policy": self.policy.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "metadata": metadata,
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> dict[str, Any]:
        checkpoint = torch.load(path, weights_only=True)
        self.policy.load_state_dict(checkpoint["policy"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        return checkpoint["metadata"]


def train(path: Path, steps: int, resume: bool = False) -> ObservationNormalizer:
    agent = Agent(3)
    normalizer = ObservationNormalizer(3)
    if resume:
        metadata = agent.load(path)
        normalizer.mean = metadata["obs_mean"]
        normalizer.m2 = metadata["obs_m2"]
        normalizer.count = metadata["obs_count"]
    for _ in range(steps):
        observation = torch.randn(3) + 5.0
        normalizer.update(observation)
        agent.learn(normalizer.normalize(observation))
    statistics = {
        "obs_mean": normalizer.mean,
        "obs_m2": normalizer.m2,
        "obs_count": normalizer.count,
    }
    agent.save(path, metadata=statistics)
    return normalizer


with tempfile.TemporaryDirectory() as folder:
    checkpoint = Path(folder) / "agent.pt"
    trained = train(checkpoint, steps=100)
    resumed = train(checkpoint, steps=1, resume=True)
assert trained.count == 100
assert resumed.count == 101
```

## Fix safety

Unsafe: files written from now on hold the key, and older ones still lack it.
The entry is added where save and load are methods of one class, or one function, and both are written out;
elsewhere it is shown in the names of the load.

## When it stays silent

- Some part of the payload is not known: a spread, a computed key, a helper that cannot be followed.
- The statistics are in the file by another way: buffers of a saved module, a second file that is read
  back, the whole object pickled.
- The call that leaves the argument out writes another file than the one that is resumed from: an export.
- The reader looks for an old key after a new one that is written.
- A normalizer that neither side mentions is CKP204; other keys that nobody writes are CKP202.
- The code is a test.

## References

- https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
- https://stable-baselines3.readthedocs.io/en/master/guide/examples.html#pybullet-normalizing-input-features
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in


def check(project: Project) -> Iterator[Finding]:
    """Report saves that leave out the statistics that load restores."""
    for lost in project.losses.unsaved_normalizers():
        first = lost.missing[0].first
        message = (
            f"'{first.keys[-1]}', which {first.location} restores, is not saved here:"
            " after a resume the statistics start over; save it"
        )
        others = [
            (each.location, f"'{each.keys[-1]}' is restored here")
            for one in lost.missing
            for each in one.targets
        ]
        lost_keys = [each.keys for one in lost.missing for each in one.targets]
        holders = {keys[-2] for keys in lost_keys if len(keys) > 1}
        names = ",".join(dict.fromkeys(keys[-1] for keys in lost_keys if keys[-1] not in holders))
        arguments = (("keys", names), ("holder", min(holders, default="")))
        fix = Fix("save_restored", "unsafe" if not holders else "shown", arguments)
        yield finding_in(RULE, lost.location, message, others, key=first.keys[-1], fix=fix)


RULE = Rule(__name__, "CKP201", check=check)
