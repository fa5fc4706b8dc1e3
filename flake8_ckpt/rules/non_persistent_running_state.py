"""A buffer that methods update is registered with `persistent=False`, so it is not saved.

## What it does

Finds buffers with `persistent=False` that a method changes from what they held before, and that later
calls depend on: a running variance, a codebook's usage, a step count.
Finds also those that a method derives from a saved buffer (`self.std = self.var.sqrt()`), where neither a load nor
the code that reads them derives them again.

## Why it matters

`persistent=False` is for what the constructor can compute again.
Running state cannot be computed again: it follows `.to()`, so everything looks registered, but the
checkpoint does not hold it and a resumed run starts with the constructor's values.

## Bad

```python
import io

import torch
from torch import nn


class Codebook(nn.Module):
    def __init__(self, codes: int, size: int) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.zeros(codes, size))
        self.register_buffer("usage", torch.zeros(codes), persistent=False)

    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.usage += torch.bincount(indices, minlength=len(self.usage))
        return self.codes[indices]

    def unused(self) -> torch.Tensor:
        return self.usage == 0


trained = Codebook(codes=4, size=2)
trained(torch.tensor([0, 1, 1, 3]))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = Codebook(codes=4, size=2)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert trained.unused().sum() == 1
assert resumed.unused().sum() == 4
```

## Good

```python
import io

import torch
from torch import nn


class Codebook(nn.Module):
    def __init__(self, codes: int, size: int) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.zeros(codes, size))
        self.register_buffer("usage", torch.zeros(codes))

    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.usage += torch.bincount(indices, minlength=len(self.usage))
        return self.codes[indices]

    def unused(self) -> torch.Tensor:
        return self.usage == 0


trained = Codebook(codes=4, size=2)
trained(torch.tensor([0, 1, 1, 3]))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = Codebook(codes=4, size=2)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert trained.unused().sum() == 1
assert resumed.unused().sum() == 1
```

## Fix safety

Unsafe: a persistent buffer adds a key to the `state_dict`, so a checkpoint from before the change no
longer loads with `strict=True`.

## When it stays silent

- The buffer is a cache: its new value does not depend on the old one (a mask for a longer sequence).
- It belongs to one call or one episode, which sets it back.
- It gathers what one method takes and sets back at once: a reload costs a part of a window.
- The next forward pass builds it from a saved buffer where a look says that it is still a placeholder.
- A load hook derives it again from what was restored.
- The class carries it itself, in its own `state_dict` or extra state.
- Nothing changes it after construction.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.findings import Related
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import registration_of

FIX = Fix("persistent", "unsafe")


def check(project: Project) -> Iterator[Finding]:
    """Report buffers with persistent=False whose value is carried from call to call."""
    for buffer in project.modules.unsaved_buffers():
        attribute, location = buffer.attribute, buffer.location
        if attribute.is_carried_by_hooks or attribute.is_transient:
            continue
        if attribute.lifetime == "state" and not attribute.is_window:
            change = attribute.change
            writer = change.method.name
            message = (
                f"'{attribute.name}' has persistent=False but {writer}() changes it:"
                " it starts over after loading; remove persistent=False"
            )
            place = Related(change.location.path, change.location.position, "changed here")
            node = registration_of(attribute.name)
            yield Finding(
                location.path, location.position, RULE.code, message, (place,), node, attribute.name, fix=FIX
            )
    for stale in project.modules.stale_buffers():
        name = stale.buffer.attribute.name
        message = (
            f"'{name}' has persistent=False and {stale.method}() sets it from '{stale.source}':"
            " loading leaves it; remove persistent=False"
        )
        yield finding_in(
            RULE, stale.buffer.location, message, node=registration_of(name), attribute=name, fix=FIX
        )


RULE = Rule(__name__, "CKP107", check=check)
