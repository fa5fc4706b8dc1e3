"""A module adds a key to its `state_dict` without the `prefix`, and inside a parent module the key collides.

## What it does

Finds overrides of `state_dict` and `_save_to_state_dict` of an `nn.Module` that store a constant key in the
mapping which all modules of a tree share: `state["steps"] = ...` where `state[prefix + "steps"] = ...` is meant.

## Why it matters

A parent module hands one mapping to all its children, and tells them apart by the prefix alone.
Two such children write the same key, and the second overwrites the first; the load of the parent finds a key that
belongs to none of its children, and a strict load refuses the file.
As long as the module is saved alone, nothing shows.

## Bad

```python
import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.options = {"scale": 1.0}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.options["scale"] * self.layer(x)

    def state_dict(self, *args, prefix="", **kwargs):
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        state["options"] = dict(self.options)
        return state


pair = nn.ModuleList([Scaled(), Scaled()])
pair[0].options["scale"] = 3.0
saved = pair.state_dict()
assert [key for key in saved if key.endswith("options")] == ["options"]
assert saved["options"] == {"scale": 1.0}
```

## Good

```python
import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.options = {"scale": 1.0}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.options["scale"] * self.layer(x)

    def state_dict(self, *args, prefix="", **kwargs):
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        state[prefix + "options"] = dict(self.options)
        return state


pair = nn.ModuleList([Scaled(), Scaled()])
pair[0].options["scale"] = 3.0
saved = pair.state_dict()
assert saved["0.options"] == {"scale": 3.0}
assert saved["1.options"] == {"scale": 1.0}
```

## Fix safety

Unsafe: within another module the key gets that module's name before it, so files written before have another key.
Where the class reads the key itself, the change is shown.

## When it stays silent

- The key is computed: `prefix + "steps"`, `f"{prefix}steps"`.
- The mapping is the method's own, not that of `super().state_dict(...)` or the `destination` it is given.
- A condition may keep it to the root: `if not prefix:`.
- The method takes no prefix, so that a parent cannot call it at all, or the class is a `LightningModule`, which a
  trainer saves alone.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict
- https://docs.pytorch.org/docs/stable/notes/extending.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in


def check(project: Project) -> Iterator[Finding]:
    """Report the keys that overrides of a module's state_dict store without the prefix."""
    for each in project.losses.unprefixed_keys():
        message = (
            f"'{each.key}' ignores the prefix: two such modules in one parent overwrite each other's; "
            "store it under prefix + key"
        )
        fix = Fix("add_prefix", "unsafe", (("key", each.key),))
        yield finding_in(RULE, each.location, message, key=each.key, fix=fix)


RULE = Rule(__name__, "CKP217", check=check)
