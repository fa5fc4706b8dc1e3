"""A numpy array that methods update is an attribute of a module, so no checkpoint holds it.

## What it does

Finds numpy arrays kept on an `nn.Module` that a method other than the constructor changes.

## Why it matters

`state_dict()` knows tensors only, so running statistics kept in numpy are not saved with the network
that depends on them.
After a reload the input scaling starts from zero again, with no key missing and no error.

## Bad

```python
import io

import numpy as np
import torch
from torch import nn


class RewardScaler(nn.Module):
    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.scale = np.ones(tasks)

    def update(self, rewards: np.ndarray) -> None:
        self.scale = 0.9 * self.scale + 0.1 * np.abs(rewards).max(axis=0)

    def forward(self, reward: torch.Tensor, task: int) -> torch.Tensor:
        return reward / float(self.scale[task])


trained = RewardScaler(tasks=2)
trained.update(np.full((8, 2), 50.0))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = RewardScaler(tasks=2)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert resumed.scale[0] == 1.0
assert trained.scale[0] > 5.0
```

## Good

```python
import io

import torch
from torch import nn


class RewardScaler(nn.Module):
    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(tasks))

    def update(self, rewards: torch.Tensor) -> None:
        self.scale = 0.9 * self.scale + 0.1 * rewards.abs().amax(dim=0)

    def forward(self, reward: torch.Tensor, task: int) -> torch.Tensor:
        return reward / self.scale[task]


trained = RewardScaler(tasks=2)
trained.update(torch.full((8, 2), 50.0))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = RewardScaler(tasks=2)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert resumed.scale[0] == trained.scale[0]
assert trained.scale[0] > 5.0
```

## Fix safety

Shown, not applied: the methods that update the array have to speak torch instead of numpy.
Where they cannot, `get_extra_state` and `set_extra_state` carry the array as it is.

## When it stays silent

- Nothing changes the array after construction.
- Every call makes it again before reading it, or a `reset` method sets it back.
- The class is a metric, by its base, its name or its file.
- The class carries it itself: extra state, its own `state_dict`, or its own pickling.
- A load hook makes it again from what it restores.
- The class is not an `nn.Module`.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.get_extra_state
- https://docs.pytorch.org/docs/stable/generated/torch.from_numpy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at


def check(project: Project) -> Iterator[Finding]:
    """Report numpy arrays on modules that later methods change."""
    for array in project.modules.plain_arrays():
        if array.is_carried_by_hooks or array.is_rebuilt_by_hooks or array.is_transient:
            continue
        if array.lifetime == "state":
            writer = array.change.method.name
            changed = f"'{array.name}' is a numpy array that {writer}() changes: it starts over after loading"
            message = f"{changed}; make it a buffer"
            yield finding_at(RULE, array.writes, message, fix=Fix("array"))


RULE = Rule(__name__, "CKP106", check=check)
