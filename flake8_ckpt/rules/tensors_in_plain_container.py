"""Tensors or parameters sit in a Python list, tuple or dict, where the module cannot see them.

## What it does

Finds lists, tuples and dicts of tensors or `nn.Parameter` objects kept on an `nn.Module`, whether
made at once, by a comprehension, or filled later with `append`, `extend` or a subscript.

## Why it matters

A module looks only at attributes that are themselves tensors, parameters or modules.
What hides in a plain container is not saved, not moved by `.to()`, and parameters in it are not trained.

## Bad

```python
import io

import torch
from torch import nn


class TaskEmbedding(nn.Module):
    def __init__(self, tasks: int, size: int) -> None:
        super().__init__()
        self.embeddings = [nn.Parameter(torch.zeros(size)) for _ in range(tasks)]

    def forward(self, features: torch.Tensor, task: int) -> torch.Tensor:
        return features + self.embeddings[task]


trained = TaskEmbedding(tasks=2, size=3)
assert not list(trained.parameters())
with torch.no_grad():
    trained.embeddings[0].fill_(7.0)
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = TaskEmbedding(tasks=2, size=3)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert not torch.equal(resumed.embeddings[0], trained.embeddings[0])
```

## Good

```python
import io

import torch
from torch import nn


class TaskEmbedding(nn.Module):
    def __init__(self, tasks: int, size: int) -> None:
        super().__init__()
        self.embeddings = nn.ParameterList(nn.Parameter(torch.zeros(size)) for _ in range(tasks))

    def forward(self, features: torch.Tensor, task: int) -> torch.Tensor:
        return features + self.embeddings[task]


trained = TaskEmbedding(tasks=2, size=3)
assert len(list(trained.parameters())) == 2
with torch.no_grad():
    trained.embeddings[0].fill_(7.0)
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = TaskEmbedding(tasks=2, size=3)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert torch.equal(resumed.embeddings[0], trained.embeddings[0])
```

## Fix safety

Unsafe: a list of nothing but Parameters becomes an `nn.ParameterList`, which adds keys to the `state_dict` and trains
its members.
For other tensors the change is shown, because an `nn.ParameterList` would make parameters of constants:
they want one stacked buffer, or a buffer each under a name with a number.

## When it stays silent

- The same tensors are registered one by one under names of their own.
- The container stays empty in the constructor and is filled and emptied within one call.
- It is handed in: Parameters that another module has, or what a hook is called with.
- Every call fills it: outputs, hooks, parameters of a random augmentation.
- Its elements are numbers, shapes or strings, or constants that the constructor puts on a device or alone reads.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
- https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at


def check(project: Project) -> Iterator[Finding]:
    """Report plain containers that construction fills with tensors or Parameters."""
    for held in project.modules.plain_containers():
        if not held.holds_tensors or held.is_placed or held.is_spent:
            continue
        if not (held.is_transient_store or held.belongs_to_others):
            better = "nn.ParameterDict" if held.kind == "dict" else "nn.ParameterList"
            message = (
                f"'{held.attr}' keeps tensors in a plain {held.kind}: they are neither saved nor moved;"
                f" use buffers or {better}"
            )
            yield finding_at(
                RULE, held.changes, message, fix=Fix("tensor_container", "unsafe", (("kind", held.kind),))
            )


RULE = Rule(__name__, "CKP104", check=check)
