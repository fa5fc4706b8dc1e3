"""The result of `register_buffer` is assigned to the buffer's own name, which empties the buffer.

## What it does

Finds `self.x = self.register_buffer("x", ...)`, and the same with `register_parameter`.

## Why it matters

`register_buffer` returns `None`.
The assignment goes through the module's `__setattr__`, which knows `x` as a buffer and sets it to `None`:
the tensor is gone, `state_dict()` does not hold it, and its first use fails with
`unsupported operand type(s) for -: 'Tensor' and 'NoneType'`.

## Bad

```python
import torch
from torch import nn


class Whitening(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.mean = self.register_buffer("mean", torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - self.mean


model = Whitening(3)
assert "mean" not in model.state_dict()
try:
    model(torch.ones(2, 3))
except TypeError as error:
    message = str(error)
assert "NoneType" in message
```

## Good

```python
import torch
from torch import nn


class Whitening(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - self.mean


model = Whitening(3)
assert "mean" in model.state_dict()
assert torch.equal(model(torch.ones(2, 3)), torch.ones(2, 3))
```

## Fix safety

Unsafe: without the assignment the buffer holds what the call registered, and the `state_dict` has its key, which
older checkpoints lack.
With `persistent=False` there is no key, and the change is safe.

## When it stays silent

- The result goes to a local variable or to an attribute of another name.
- The call is a method of the project that happens to have this name and returns something.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at


def check(project: Project) -> Iterator[Finding]:
    """Report attributes that are set to what a registration returns."""
    for result in project.modules.registration_results():
        message = (
            f"'{result.write.attr}' is set to what {result.registrar}() returns, which is None:"
            " the tensor is lost; remove the assignment"
        )
        yield finding_at(RULE, [result.write], message, fix=Fix("registration_result", "safe"))


RULE = Rule(__name__, "CKP111", check=check)
