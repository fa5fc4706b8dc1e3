"""A tensor that methods update is a plain attribute of a module, so `state_dict()` does not hold it.

## What it does

Finds tensors that `__init__` (or a method it calls) sets as a plain attribute of an `nn.Module`,
and that another method changes: running means, moving averages, counters kept as tensors.
A random or fitted value that is drawn only once, such as a permutation or a whitening matrix,
counts too: a new instance holds another one.
So does a tensor that a method derives from a buffer, where nothing derives it again after a load.

## Why it matters

Saving works, loading works, and nothing is reported.
But the resumed run starts with new statistics, so the policy sees inputs on another scale than
the ones it was trained on, and its return drops.
`model.to("cuda")` leaves the tensor behind as well.

## Bad

```python
import io

import torch
from torch import nn


class ObservationNormalizer(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.mean = torch.zeros(size)

    def update(self, observations: torch.Tensor) -> None:
        self.mean = 0.9 * self.mean + 0.1 * observations.mean(dim=0)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return observations - self.mean


trained = ObservationNormalizer(3)
trained.update(torch.full((8, 3), 5.0))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = ObservationNormalizer(3)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert not torch.equal(resumed.mean, trained.mean)
```

## Good

```python
import io

import torch
from torch import nn


class ObservationNormalizer(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def update(self, observations: torch.Tensor) -> None:
        self.mean = 0.9 * self.mean + 0.1 * observations.mean(dim=0)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return observations - self.mean


trained = ObservationNormalizer(3)
trained.update(torch.full((8, 3), 5.0))
file = io.BytesIO()
torch.save(trained.state_dict(), file)
file.seek(0)

resumed = ObservationNormalizer(3)
resumed.load_state_dict(torch.load(file, weights_only=True))
assert torch.equal(resumed.mean, trained.mean)
```

## Fix safety

Unsafe: a buffer adds a key to the `state_dict`, so a checkpoint from before the change no longer
loads with `strict=True`.
`register_buffer` also raises `KeyError` where the class already has an attribute of that name.

## When it stays silent

- The name is registered somewhere: `register_buffer`, `nn.Buffer`, `nn.Parameter`, `add_state` of a
  torchmetrics metric, also in a base class or with `None` first.
- The class carries it itself: its own `state_dict`, extra state or pickling writes it.
- Every call computes it again before reading it: a cache, an output kept for inspection, rows that a loop fills.
- It belongs to one episode or epoch: a `reset` method sets it back, or the constructor's own method begins it again.
- Its rows are environments or sequences that come and go: `self.steps = self.steps[running]`, `torch.zeros(num_envs)`.
- It gathers what one method takes and sets back, or it is a store of experience in a class that computes nothing.
- It is the very tensor of a persistent buffer, and only ever changed where it lies.
- The program only ever pickles the whole module, so the file holds plain attributes too.
- Nothing in the project names the class, and programs work with the files of its folder.
- The file is a test.
- The class is not an `nn.Module`.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer
- https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at
from flake8_ckpt.rules.base import first_that_fits

# What Lightning runs once to print a summary.
EXAMPLE = "example_input_array"


def check(project: Project) -> Iterator[Finding]:
    """Report plain tensors that later methods change, and those drawn at random."""
    for tensor in project.modules.plain_tensors:
        if tensor.is_trainable or tensor.is_carried_by_hooks or tensor.is_buffer_itself:
            continue
        fitted = tensor.lifetime == "fitted" and not (tensor.is_moved_by_hooks or tensor.is_placeholder)
        changes = (fitted or tensor.lifetime == "state") and not (tensor.is_transient or tensor.is_window)
        if changes and (tensor.is_statistic or not tensor.is_optional):
            writer = tensor.change.method.name
            changed = (
                f"'{tensor.name}' is changed by {writer}() but is not a buffer: it starts over after loading"
            )
            message = first_that_fits(
                f"{changed}; use register_buffer('{tensor.name}', ...)", f"{changed}; register it"
            )
            yield finding_at(RULE, tensor.writes, message, fix=tensor.state_fix)
        elif tensor.lifetime == "constant" and tensor.is_random and tensor.name != EXAMPLE:
            drawn = f"'{tensor.name}' is drawn at random but is not a buffer: a loaded module has another"
            message = first_that_fits(
                f"{drawn}; use register_buffer('{tensor.name}', ...)", f"{drawn}; register it"
            )
            yield finding_at(RULE, tensor.writes, message, fix=tensor.state_fix)
        elif tensor.lifetime == "constant" and tensor.is_buffer_elsewhere and not tensor.is_idle:
            message = (
                f"'{tensor.name}' is a buffer in one branch and a plain tensor here:"
                " it is not saved; use register_buffer() in both"
            )
            yield finding_at(RULE, tensor.writes, message, fix=tensor.state_fix)
    for sibling in project.modules.buffer_siblings():
        message = (
            f"'{sibling.attribute.name}' is set by {sibling.method}() like the buffer '{sibling.buffer}', but is none:"
            " it is not saved; use register_buffer()"
        )
        yield finding_at(RULE, sibling.attribute.writes, message, fix=sibling.attribute.state_fix)
    for stale in project.modules.stale_tensors():
        name = stale.attribute.name
        message = (
            f"'{name}' is set from '{stale.source}' by {stale.method}() but is not a buffer:"
            " loading leaves it as it was; register it"
        )
        yield finding_at(RULE, stale.attribute.writes, message, fix=stale.attribute.state_fix)


RULE = Rule(__name__, "CKP101", check=check)
