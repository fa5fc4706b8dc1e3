"""An attribute is `None` at first and a running tensor later: a reloaded module starts from `None` again.

## What it does

Finds attributes of an `nn.Module` that are `None` or absent after construction, become a tensor in a
method, and are read there before they are written: the value is carried from one call to the next.
Finds also the tensors that only a `fit()` sets, together with a flag that other methods ask for first.

## Why it matters

A discounted return or a moving average that starts as `None` is a plain attribute for ever, also once
it holds a tensor.
The checkpoint leaves it out, and the resumed run begins its recursion again: the first scaled rewards
after a resume are far off, and nothing says so.

## Bad

```python
import io

import torch
from torch import nn


class DiscountedReturn(nn.Module):
    def __init__(self, gamma: float = 0.9) -> None:
        super().__init__()
        self.gamma = gamma
        self.returns = None

    def forward(self, reward: torch.Tensor, done: torch.Tensor) -> torch.Tensor:
        if self.returns is None:
            self.returns = torch.zeros_like(reward)
        self.returns = self.returns * self.gamma * (1 - done.float()) + reward
        return self.returns


reward, done = torch.ones(2), torch.zeros(2)
trained = DiscountedReturn()
trained(reward, done)
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = DiscountedReturn()
resumed.load_state_dict(torch.load(file, weights_only=True))
assert not torch.equal(resumed(reward, done), trained(reward, done))
```

## Good

```python
import io

import torch
from torch import nn


class DiscountedReturn(nn.Module):
    def __init__(self, environments: int, gamma: float = 0.9) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("returns", torch.zeros(environments))

    def forward(self, reward: torch.Tensor, done: torch.Tensor) -> torch.Tensor:
        self.returns = self.returns * self.gamma * (1 - done.float()) + reward
        return self.returns


reward, done = torch.ones(2), torch.zeros(2)
trained = DiscountedReturn(environments=2)
trained(reward, done)
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = DiscountedReturn(environments=2)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert torch.equal(resumed(reward, done), trained(reward, done))
```

## Fix safety

Shown, not applied: the constructor has to learn the shape, or a load hook has to create the buffer.
`register_buffer("returns", None)` alone is not enough: a checkpoint that holds the key is then refused.

## When it stays silent

- The name is declared with `register_buffer(name, None)` or `register_parameter(name, None)`
  (CKP108 looks at how it is filled).
- The method writes the attribute before it reads it: a cache, an output kept for inspection.
- A `reset` method sets it back to `None` for each episode or call, or the method that takes it does.
- The class is a metric, by its base, its name or its file.
- It is a hidden state, which a part of the module takes and gives back, or a window that each call rolls on.
- The class carries it itself, in its own `state_dict`, extra state or pickling.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer
- https://docs.pytorch.org/docs/stable/notes/modules.html#module-state
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at
from flake8_ckpt.rules.base import first_that_fits


def check(project: Project) -> Iterator[Finding]:
    """Report attributes that start as None and become a tensor which later calls build on."""
    for late in project.modules.late_tensors():
        name, method = late.attribute.name, late.method
        if late.kind == "carried":
            start = f"'{name}' starts as None and {method}() builds on it but it is not a buffer"
            message = f"{start}: it is None after loading; register it"
        else:
            start = f"'{name}' is set by {method}() alone and is not a buffer: a loaded module is not fitted"
            message = first_that_fits(f"{start}; use register_buffer(...)", f"{start}; register it")
        yield finding_at(RULE, late.attribute.writes, message, fix=Fix("late_tensor"))


RULE = Rule(__name__, "CKP109", check=check)
