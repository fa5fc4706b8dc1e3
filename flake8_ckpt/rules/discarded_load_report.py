"""`load_state_dict(strict=False)` says which keys did not fit, and nobody looks at what it says.

## What it does

Finds `module.load_state_dict(state, strict=False)` whose result is dropped, or stored and never read.

## Why it matters

With `strict=False` a key that does not fit is no error: it is listed in the returned report, and skipped.
After a renamed layer, another prefix (`module.`, `_orig_mod.`) or the wrong file, the call loads a part of
the checkpoint, or nothing at all, and the program goes on with fresh weights.

## Bad

```python
import io

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(3, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.trunk(x)))


def restore(model: Classifier, file: io.BytesIO) -> None:
    state = torch.load(file, weights_only=True)
    model.load_state_dict(state, strict=False)


# A checkpoint from before the first layer was renamed.
trained = Classifier()
file = io.BytesIO()
torch.save({name.replace("trunk", "body"): tensor for name, tensor in trained.state_dict().items()}, file)
file.seek(0)

resumed = Classifier()
restore(resumed, file)
assert torch.equal(resumed.head.weight, trained.head.weight)
assert not torch.equal(resumed.trunk.weight, trained.trunk.weight)
```

## Good

```python
import io

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(3, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.trunk(x)))


def restore(model: Classifier, file: io.BytesIO) -> None:
    state = torch.load(file, weights_only=True)
    renamed = {name.replace("body.", "trunk."): tensor for name, tensor in state.items()}
    report = model.load_state_dict(renamed, strict=False)
    if report.missing_keys:
        raise RuntimeError(f"the checkpoint lacks {report.missing_keys}")


# A checkpoint from before the first layer was renamed.
trained = Classifier()
file = io.BytesIO()
torch.save({name.replace("trunk", "body"): tensor for name, tensor in trained.state_dict().items()}, file)
file.seek(0)

resumed = Classifier()
restore(resumed, file)
assert torch.equal(resumed.head.weight, trained.head.weight)
assert torch.equal(resumed.trunk.weight, trained.trunk.weight)
```

## Fix safety

Unsafe: a warning is added for keys that do not fit, and nothing else changes; but a `load_state_dict` that is not
torch's own may return nothing to look at.

## When it stays silent

- The load is strict, which is the default, or `strict` is a value that the source does not tell.
- The report is read, logged, returned, or passed on.
- A class forwards the call to its base class from its own `load_state_dict` and returns the result.
- The method is no `load_state_dict` of a module: a class of the project whose method returns nothing, or one
  that is given arguments which torch's does not know.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
- https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import call_of
from flake8_ckpt.rules.base import finding_in

MESSAGE = (
    "keys that do not fit are skipped without a word: look at what load_state_dict(strict=False) returns"
)
FIX = Fix("look_at_report", "unsafe")


def check(project: Project) -> Iterator[Finding]:
    """Report loads with strict=False whose result nobody looks at."""
    for location in project.losses.discarded_load_reports():
        yield finding_in(RULE, location, MESSAGE, node=call_of("load_state_dict"), fix=FIX)


RULE = Rule(__name__, "CKP211", opt_in=check)
