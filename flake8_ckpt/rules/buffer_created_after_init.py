"""A buffer or parameter is registered after construction: a new instance refuses the checkpoint.

## What it does

Finds buffers, parameters and layers that a method makes on first use, when `__init__` does not create them
and no load hook creates them before the base class looks for their keys.

## Why it matters

The trained module has the buffers, so its checkpoint holds them.
The fresh module that should load it has not seen data yet and does not:
`RuntimeError: Error(s) in loading state_dict: Unexpected key(s) in state_dict: "mean"`.
With `strict=False` the load goes through, and the statistics are dropped.

## Bad

```python
import torch
from torch import nn


class LazyNormalizer(nn.Module):
    def __init__(self, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon

    def update(self, batch: torch.Tensor) -> None:
        if not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros_like(batch[0]))
        self.mean.mul_(0.9).add_(0.1 * batch.mean(dim=0))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch - self.mean


trained = LazyNormalizer()
trained.update(torch.ones(8, 3))
try:
    LazyNormalizer().load_state_dict(trained.state_dict())
except RuntimeError as error:
    message = str(error)
assert "Unexpected key(s)" in message
```

## Good

```python
from typing import Any

import torch
from torch import nn


class LazyNormalizer(nn.Module):
    def __init__(self, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon

    def update(self, batch: torch.Tensor) -> None:
        if not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros_like(batch[0]))
        self.mean.mul_(0.9).add_(0.1 * batch.mean(dim=0))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch - self.mean

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        mean = state_dict.get(prefix + "mean")
        if mean is not None and not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros_like(mean))
        super()._load_from_state_dict(state_dict, prefix, *args)


trained = LazyNormalizer()
trained.update(torch.ones(8, 3))
resumed = LazyNormalizer()
resumed.load_state_dict(trained.state_dict())
assert torch.equal(resumed.mean, trained.mean)
```

## Fix safety

Shown, not applied: best is a constructor that is told the shape and registers the buffer at once.
Where the shape is not known that early, a load hook must create the buffer before the base class
compares keys; a hook that acts after `super()._load_from_state_dict(...)` is too late.

## When it stays silent

- A load hook (`_load_from_state_dict`, a pre-hook, or `load_state_dict` itself) prepares the names first.
- The project's own loading code calls the method that registers, on the modules of the checkpoint it reads.
- All that construct the class hand it the argument with which the constructor registers the same.
- A constructor runs the module that it makes, or the code that loads runs it first, with a dummy batch.
- The method that registers is called by `__init__` on every path.
- A method that no step runs makes another form of the module: `convert_to_deploy()`, `fuse_layers()`.
- The buffer is not persistent and holds a constant or a cache.
- The class uses `LazyModuleMixin` with uninitialized parameters, which know how to load.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
- https://docs.pytorch.org/docs/stable/generated/torch.nn.modules.lazy.LazyModuleMixin.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.findings import Related
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import registration_of


def check(project: Project) -> Iterator[Finding]:
    """Report, once per class, buffers and parameters that no fresh instance has."""
    for first, *others in project.modules.late_registrations():
        message = (
            f"'{first.attr}' is first registered by {first.method}():"
            " a new instance refuses its checkpoint; register it in __init__()"
        )
        path, position = first.location.path, first.location.position
        related = tuple(Related(path, each.location.position, f"'{each.attr}' too") for each in others)
        node = registration_of(first.attr)
        yield Finding(
            path, position, RULE.code, message, related, node, first.attr, fix=Fix("late_registration")
        )


RULE = Rule(__name__, "CKP108", check=check)
