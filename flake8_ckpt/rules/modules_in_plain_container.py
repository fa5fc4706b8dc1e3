"""Modules sit in a Python list, tuple or dict: they are not trained, not saved and not moved.

## What it does

Finds lists, tuples and dicts of modules kept on an `nn.Module`, whether made at once, by a
comprehension, or filled later with `append`, `extend` or a subscript.

## Why it matters

The heads take part in `forward`, so the loss goes down a little and all looks well.
But `parameters()` does not list them, the optimizer never trains them, and a checkpoint loads without a
complaint into heads with random weights.

## Bad

```python
import io

import torch
from torch import nn


class QEnsemble(nn.Module):
    def __init__(self, size: int, members: int) -> None:
        super().__init__()
        self.heads = [nn.Linear(size, 1) for _ in range(members)]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.stack([head(features) for head in self.heads]).amin(dim=0)


trained = QEnsemble(size=4, members=2)
assert not list(trained.parameters())
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = QEnsemble(size=4, members=2)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert not torch.equal(resumed(torch.ones(1, 4)), trained(torch.ones(1, 4)))
```

## Good

```python
import io

import torch
from torch import nn


class QEnsemble(nn.Module):
    def __init__(self, size: int, members: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(size, 1) for _ in range(members))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.stack([head(features) for head in self.heads]).amin(dim=0)


trained = QEnsemble(size=4, members=2)
assert len(list(trained.parameters())) == 4
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = QEnsemble(size=4, members=2)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert torch.equal(resumed(torch.ones(1, 4)), trained(torch.ones(1, 4)))
```

## Fix safety

Unsafe: an `nn.ModuleList` or `nn.ModuleDict` adds the members' parameters to `parameters()` and their
keys to the `state_dict`; older checkpoints lack them, and modules that were registered under another
name as well get a second one.

## When it stays silent

- The same modules are also registered: `add_module` or `setattr` in the loop, a `ModuleList`,
  attributes of their own, or an `nn.Sequential` made from the list.
- One module hidden in a list or tuple on purpose, or set by `object.__setattr__`, because its owner
  is elsewhere.
- The modules have no weights and no train mode: poolings, activations, and classes around such alone.
- The elements are metrics, or nothing reads the list.
- The list was handed in and the class calls none of its modules: they are parts of something else.
- The list is a local variable, or the class is not an `nn.Module`.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
- https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at


def check(project: Project) -> Iterator[Finding]:
    """Report plain containers that construction fills with modules."""
    for held in project.modules.plain_containers():
        if held.holds_modules:
            better = "nn.ModuleDict" if held.kind == "dict" else "nn.ModuleList"
            message = (
                f"'{held.attr}' keeps modules in a plain {held.kind}:"
                f" they are not trained, saved or moved; use {better}(...)"
            )
            yield finding_at(
                RULE, held.changes, message, fix=Fix("module_container", "unsafe", (("kind", held.kind),))
            )


RULE = Rule(__name__, "CKP105", check=check)
