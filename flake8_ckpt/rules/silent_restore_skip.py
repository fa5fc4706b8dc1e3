"""A restore is skipped without a word when the checkpoint does not hold its key.

## What it does

Finds `if key in checkpoint:`, `checkpoint.get(key)` with a test for `None`, and
`getattr(env, "obs_rms", None)` with one, around code that restores state, where the other case says nothing.
It speaks of keys that some save of the project writes; a key that none writes is CKP201 or CKP202.

## Why it matters

The guard is written to read old checkpoints, and stays for ever.
From then on a missing key is never an error: an older file, a file of another experiment, a component that
was switched off in the first run all resume with fresh state, and the log looks as always.

## Bad

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


def save(path: Path, policy: nn.Module, obs_norm: nn.Module) -> None:
    torch.save({"policy": policy.state_dict(), "obs_norm": obs_norm.state_dict()}, path)


def resume(path: Path, policy: nn.Module, obs_norm: nn.Module) -> None:
    checkpoint = torch.load(path, weights_only=True)
    policy.load_state_dict(checkpoint["policy"])
    if "obs_norm" in checkpoint:
        obs_norm.load_state_dict(checkpoint["obs_norm"])


def as_written_by_an_older_release(path: Path) -> None:
    checkpoint = torch.load(path, weights_only=True)
    checkpoint.pop("obs_norm")
    torch.save(checkpoint, path)


policy, obs_norm = nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False)
obs_norm(torch.randn(64, 3) + 100.0)
resumed_policy, resumed_norm = nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False)
with tempfile.TemporaryDirectory() as name:
    file = Path(name) / "checkpoint.pt"
    save(file, policy, obs_norm)
    as_written_by_an_older_release(file)
    resume(file, resumed_policy, resumed_norm)

assert torch.equal(resumed_policy.weight, policy.weight)
assert torch.equal(resumed_norm.running_mean, torch.zeros(3))
```

## Good

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


def save(path: Path, policy: nn.Module, obs_norm: nn.Module) -> None:
    torch.save({"policy": policy.state_dict(), "obs_norm": obs_norm.state_dict()}, path)


def resume(path: Path, policy: nn.Module, obs_norm: nn.Module) -> None:
    checkpoint = torch.load(path, weights_only=True)
    policy.load_state_dict(checkpoint["policy"])
    if "obs_norm" in checkpoint:
        obs_norm.load_state_dict(checkpoint["obs_norm"])
    else:
        raise ValueError(f"{path.name} holds no statistics of the observations")


def as_written_by_an_older_release(path: Path) -> None:
    checkpoint = torch.load(path, weights_only=True)
    checkpoint.pop("obs_norm")
    torch.save(checkpoint, path)


policy, obs_norm = nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False)
obs_norm(torch.randn(64, 3) + 100.0)
resumed_policy, resumed_norm = nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False)
with tempfile.TemporaryDirectory() as name:
    file = Path(name) / "checkpoint.pt"
    save(file, policy, obs_norm)
    resume(file, resumed_policy, resumed_norm)
    as_written_by_an_older_release(file)
    try:
        resume(file, nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False))
    except ValueError as error:
        message = str(error)

assert torch.equal(resumed_norm.running_mean, obs_norm.running_mean)
assert "holds no statistics" in message
```

## When it stays silent

- The other case raises, logs at warning or above, or calls `warnings.warn`.
- The guard is about the run, not about the checkpoint: `if self.scaler is not None:`.
- What the key holds is no state: a version, a configuration, a metric.
- The guard unwraps or renames: `if "state_dict" in checkpoint: checkpoint = checkpoint["state_dict"]`.

## References

- https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.project.project import Project
from flake8_ckpt.rules.base import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report restores behind a guard on the key that say nothing when the key is absent."""
    yield from ()


RULE = Rule(__name__, "CKP213", opt_in=check)
