"""A constant tensor is a plain attribute of a module, so `.to()` leaves it on the old device.

## What it does

Finds tensors that `__init__` sets as a plain attribute of an `nn.Module`, that nothing changes afterwards, and that
`forward` or an update combines with its input: kernels, masks, position tables, class weights.
Somebody must move the module: a program of the project does, or no program constructs it, as in a library.

A tensor that is a plain attribute first and goes to `register_buffer` under the same name afterwards counts too:
newer versions of torch raise `KeyError` there.

## Why it matters

The model works on the CPU where it was written.
After `model.to("cuda")` or `model.half()` the constant is still where, and what, it was:
`Expected all tensors to be on the same device`, or a silent promotion to float32.
It is not saved either, so a value that came from the constructor's caller must be given again.

## Bad

```python
import torch
import torch.nn.functional as F
from torch import nn


class Smoothing(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.kernel = torch.full((1, 1, width), 1.0 / width)

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        return F.conv1d(signal, self.kernel)


model = Smoothing(3).to(torch.float64)
try:
    model(torch.zeros(1, 1, 8, dtype=torch.float64))
except RuntimeError as error:
    message = str(error)
assert "type" in message
assert model.kernel.dtype == torch.float32
```

## Good

```python
import torch
import torch.nn.functional as F
from torch import nn


class Smoothing(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.full((1, 1, width), 1.0 / width), persistent=False)

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        return F.conv1d(signal, self.kernel)


model = Smoothing(3).to(torch.float64)
assert model(torch.zeros(1, 1, 8, dtype=torch.float64)).shape == (1, 1, 6)
assert model.kernel.dtype == torch.float64
assert not model.state_dict()
```

## Fix safety

Unsafe: a non-persistent buffer is moved with the module and leaves the `state_dict` as it was, but it follows
`.to(dtype)` too, which rounds a table of floats; one that must stay exact is better moved where it is used.
For tables of integers and bools the change is safe.
Make the buffer persistent only if the checkpoint should hold it; older checkpoints then fail a strict load.

The `from_pretrained` of transformers fills non-persistent buffers with uninitialized memory, unless `_init_weights`
computes them.

## When it stays silent

- The name is registered somewhere, also in a base class, or is a parameter.
- It is put on a device by hand where it is made, or moved wherever it is read (`self.kernel.to(x)`), also by the
  function that it is handed to: see CKP112. A function of another library may do so.
- The constructor derives it from what it is handed, or asserts where that lies: it is where the caller put it.
- It is put beside the input into an object or a dict, or meets only what is made on the host.
- It meets no input in a step: only its shape, its numbers (`.item()`, `.tolist()`) or the truth of it are used, or
  code that prepares data uses it (`collate_fn`).
- It has no dimension, or is an index alone: torch takes such a tensor on any device.
- A caller may leave it out (`weight: Tensor | None = None`): see CKP112.
- The programs that construct the module never move it, or a default device is set.
- A comment at its making says something of buffers, or it is complex: a buffer follows `.to(dtype)`, and a
  complex table loses its imaginary part there.
- Nothing in the project names the class, and programs work with the files of its folder.
- It is random or fitted: that is state, see CKP101.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer
- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.to
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at
from flake8_ckpt.rules.base import first_that_fits


def check(project: Project) -> Iterator[Finding]:
    """Report plain tensors that stay as construction left them and that a moved module leaves behind."""
    for tensor in project.modules.constants_left_behind():
        left = f"'{tensor.name}' meets the input but is not a buffer: .to() leaves it behind"
        cure = f"use register_buffer('{tensor.name}', ..., persistent=False)"
        if tensor.state.is_filled_by_transformers:
            cure = "make it a buffer that _init_weights() sets"
        message = first_that_fits(f"{left}; {cure}", f"{left}; register it")
        yield finding_at(RULE, tensor.writes, message, fix=tensor.constant_fix)
    for write in project.modules.tensors_before_registration():
        message = (
            f"'{write.attr}' is set before register_buffer() registers it, which raises KeyError;"
            " use a local variable"
        )
        yield finding_at(RULE, [write], message)


RULE = Rule(__name__, "CKP102", check=check)
