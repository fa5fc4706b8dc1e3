"""A restore is skipped without a word when the checkpoint does not hold its key.

## What it does

Finds `if key in checkpoint:`, `checkpoint.get(key)` with a test for `None`, and
`getattr(env, "obs_rms", None)` with one, around code that restores state, where the other case says nothing.
It is about keys that some save of the project writes; a key that none writes is CKP201 or CKP202.

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

- There is an `else`: it raises, warns, or sets the state up; or the `if` ends the function, and the rest is the `else`.
- The key has to be there (`if checkpoint["scaler"] is not None:`), or another condition decides as well
  (`if strict or "scaler" in checkpoint:`).
- The guard is about the run, not about the checkpoint: `if self.scaler is not None:`.
- What the key holds is no state: a version, a configuration, a metric.
- The guard unwraps or renames: `if "state_dict" in checkpoint: checkpoint = checkpoint["state_dict"]`.
- What `__getstate__` gives to `__setstate__`.

## References

- https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Node
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import first_that_fits

MAX_NAMES = 3
CONDITION = Node(("condition",))


def check(project: Project) -> Iterator[Finding]:
    """Report guards around restores of written keys that say nothing where the key is absent."""
    for skip in project.losses.skipped_restores():
        names = [f"'{key}'" for key in skip.written]
        message = first_that_fits(*(_message(names[:count]) for count in range(MAX_NAMES, 0, -1)))
        others = [(place, "written here") for place in skip.written.values()]
        yield finding_in(
            RULE, skip.location, message, others, node=CONDITION, key=next(iter(skip.written), "")
        )


def _message(names: list[str]) -> str:
    are, start = ("are", "they start") if len(names) > 1 else ("is", "it starts")
    return (
        f"where {', '.join(names)} {are} missing, nothing says so and {start} over: raise or warn in an else"
    )


RULE = Rule(__name__, "CKP213", opt_in=check)
