"""A plain tensor attribute that no other rule reports: moved by hand, filled by each call, or only looked at.

## What it does

Lists the remaining tensors that are plain attributes of an `nn.Module`, each with the reason why no other rule
reports it: every use moves it (`self.grid.to(x.device)`), it is put on a device where it is made, later calls set
it, it is empty until a method fills it, it has no dimension, it meets no input, it is read for its shape or in
conditions only, a caller may leave it out, nobody moves its module, or the class's own hooks carry it.
Together with CKP101 to CKP103 this is every plain tensor that the objects of a class hold after construction.
This rule is opt-in, for an audit: such code works today.

## Why it matters

A constant that is moved by hand stays on the CPU, so each call copies it to the GPU and waits for the copy.
The next method that forgets the `.to(...)` fails on a GPU only, and the constant is neither cast by
`model.half()` nor seen by tools that walk the module's buffers, such as DDP, FSDP and export.

## Bad

```python
import torch
from torch import nn


class CategoricalValue(nn.Module):
    def __init__(self, low: float, high: float, bins: int) -> None:
        super().__init__()
        self.support = torch.linspace(low, high, bins)

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        support = self.support.to(logits.device)
        return (logits.softmax(dim=-1) * support).sum(dim=-1)


model = CategoricalValue(-10.0, 10.0, bins=51).to("meta")
assert model.support.device.type == "cpu"
assert not list(model.buffers())
```

## Good

```python
import torch
from torch import nn


class CategoricalValue(nn.Module):
    def __init__(self, low: float, high: float, bins: int) -> None:
        super().__init__()
        self.register_buffer("support", torch.linspace(low, high, bins), persistent=False)

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return (logits.softmax(dim=-1) * self.support).sum(dim=-1)


model = CategoricalValue(-10.0, 10.0, bins=51).to("meta")
assert model.support.device.type == "meta"
assert len(list(model.buffers())) == 1
assert not model.state_dict()
```

## Fix safety

Unsafe: a non-persistent buffer leaves the `state_dict` as it was, but it follows `.to(dtype)` too, which rounds a
table of floats.
For tables of integers and bools that a torch call builds the change is safe.

## When it stays silent

- CKP112 is not enabled.
- The name is registered somewhere, also in a base class.
- Another rule reports the tensor: CKP101, CKP102 or CKP103.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer
- https://docs.pytorch.org/docs/stable/notes/cuda.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.rules.base import finding_at

OTHERS = ("CKP101", "CKP102", "CKP103")


def check(project: Project) -> Iterator[Finding]:
    """Report the plain tensors that no other rule reports, each with the reason that makes it harmless."""
    reported = {(each.path, each.position) for each in _reported(project)}
    for tensor in project.modules.plain_tensors:
        message = (
            f"'{tensor.name}' is a plain tensor, {project.modules.excuse_of(tensor)}:"
            " .to() does not move it; consider a buffer"
        )
        finding = finding_at(RULE, tensor.writes, message, fix=tensor.constant_fix)
        if (finding.path, finding.position) not in reported:
            yield finding


def _reported(project: Project) -> Iterator[Finding]:
    for rule in all_rules():
        if rule.code in OTHERS and rule.check is not None:
            yield from rule.check(project)


RULE = Rule(__name__, "CKP112", opt_in=check)
