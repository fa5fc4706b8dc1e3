"""A Python number or flag that a module updates and depends on is not in its `state_dict()`.

## What it does

Finds attributes of an `nn.Module` that hold an int, float or bool, that methods update, and that later
results depend on.
Three kinds are reported by default:

- a flag under which buffers or weights are initialized once: its loss overwrites what the checkpoint restored;
- a count that weighs what is added to registered statistics, or that lets the first batch set them: its loss lets
  the next batch count too much;
- a number that the constructor computes from a parameter or a running buffer, and that no load computes again.

Warm-up counters, adaptive rates and other numbers are opt-in: enable CKP110 to see them.

## Why it matters

A data-dependent initialization runs once, sets `initialized = True`, and training goes on from there.
After a reload the weights are back but the flag is `False` again, so the first batch initializes the
layer a second time and throws the trained values away.
A counter that is lost repeats its warm-up, or turns an exploration rate back to its start.

## Bad

```python
import io

import torch
from torch import nn


class ActNorm(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.initialized = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.initialized:
            self.bias.data.copy_(-x.mean(dim=0))
            self.initialized = True
        return x + self.bias


trained = ActNorm(3)
trained(torch.full((8, 3), 5.0))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = ActNorm(3)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert torch.equal(resumed.bias, trained.bias)
resumed(torch.zeros(8, 3))
assert not torch.equal(resumed.bias, trained.bias)
```

## Good

```python
import io

import torch
from torch import nn


class ActNorm(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.register_buffer("initialized", torch.tensor(False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.initialized:
            self.bias.data.copy_(-x.mean(dim=0))
            self.initialized.fill_(True)
        return x + self.bias


trained = ActNorm(3)
trained(torch.full((8, 3), 5.0))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = ActNorm(3)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert torch.equal(resumed.bias, trained.bias)
resumed(torch.zeros(8, 3))
assert torch.equal(resumed.bias, trained.bias)
```

## Fix safety

Shown, not applied: a buffer adds a key to the `state_dict`, and code that compares, formats or indexes
with the number may want `.item()`.
`get_extra_state` and `set_extra_state` keep it a Python number.

## When it stays silent

- The class carries it itself: extra state, its own `state_dict` or pickling, a load hook that sets it.
- Nothing but logging reads it.
- It is a mode that callers switch, such as `frozen`, rather than something the module learns.
- Each epoch or step sets the flag back, or sets the count and the statistics back together.
- A step, or whoever reads the number, computes it again first.
- Other numbers, unless CKP110 is enabled.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.get_extra_state
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
    """Report bool flags that let a method initialize buffers or weights once more after a reload."""
    for flag in project.modules.initialization_flags():
        message = (
            f"'{flag.attribute.name}' is not saved: after loading it lets '{flag.target}' be initialized again;"
            " make it a buffer"
        )
        yield finding_at(RULE, flag.attribute.writes, message, fix=Fix("number"))
    for count in project.modules.weighing_counts():
        message = (
            f"'{count.attribute.name}' weighs the updates of '{count.target}' but is not saved:"
            " it starts over after loading; make it a buffer"
        )
        yield finding_at(RULE, count.attribute.writes, message, fix=Fix("number"))
    for stale in project.modules.stale_numbers():
        message = (
            f"'{stale.attribute.name}' is computed from '{stale.source}' when the object is made:"
            " loading leaves it as it was; make it a property"
        )
        yield finding_at(RULE, stale.attribute.writes, message, fix=Fix("derived_number"))


def check_numbers(project: Project) -> Iterator[Finding]:
    """Report numbers that methods count up and that results depend on."""
    reported = {(each.path, each.position) for each in check(project)}
    for number in project.modules.plain_numbers():
        first = number.writes[0].location
        if number.is_carried_by_hooks or number.is_transient or (first.path, first.position) in reported:
            continue
        if number.lifetime == "state" and number.is_used_in_steps:
            writer = number.change.method.name
            changed = f"'{number.name}' is a number that {writer}() changes: it starts over after loading"
            message = f"{changed}; make it a buffer"
            yield finding_at(RULE, number.writes, message, fix=Fix("number"))


RULE = Rule(__name__, "CKP110", check=check, opt_in=check_numbers)
