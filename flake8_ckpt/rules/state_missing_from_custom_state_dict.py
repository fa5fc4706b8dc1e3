"""A class writes its own `state_dict` and leaves out an attribute that its methods change and depend on.

## What it does

Finds classes with a `state_dict` method of their own that gives some attributes and not another which
construction sets, which other methods change, and on which later results depend.

## Why it matters

The object saves and loads without an error, and comes back with one part of its state as new.
A loss scaler that forgets how many good steps it has seen grows its scale too late, an early stopping that
forgets its count of bad epochs never stops a run that is resumed often.

## Bad

```python
import tempfile
from pathlib import Path

import torch


class EarlyStopping:
    def __init__(self, patience: int = 3) -> None:
        self.patience = patience
        self.best = float("inf")
        self.bad_epochs = 0

    def step(self, loss: float) -> bool:
        if loss < self.best:
            self.best = loss
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience

    def state_dict(self) -> dict[str, float]:
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.best = state["best"]


trained = EarlyStopping()
for loss in (1.0, 2.0, 2.0):
    assert not trained.step(loss)
resumed = EarlyStopping()
with tempfile.TemporaryDirectory() as folder:
    torch.save(trained.state_dict(), Path(folder) / "stopping.pt")
    resumed.load_state_dict(torch.load(Path(folder) / "stopping.pt", weights_only=True))
assert trained.step(2.0)
assert not resumed.step(2.0)
```

## Good

```python
import tempfile
from pathlib import Path

import torch


class EarlyStopping:
    def __init__(self, patience: int = 3) -> None:
        self.patience = patience
        self.best = float("inf")
        self.bad_epochs = 0

    def step(self, loss: float) -> bool:
        if loss < self.best:
            self.best = loss
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience

    def state_dict(self) -> dict[str, float]:
        return {"best": self.best, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.best = state["best"]
        self.bad_epochs = int(state["bad_epochs"])


trained = EarlyStopping()
for loss in (1.0, 2.0, 2.0):
    assert not trained.step(loss)
resumed = EarlyStopping()
with tempfile.TemporaryDirectory() as folder:
    torch.save(trained.state_dict(), Path(folder) / "stopping.pt")
    resumed.load_state_dict(torch.load(Path(folder) / "stopping.pt", weights_only=True))
assert trained.step(2.0)
assert resumed.step(2.0)
```

## When it stays silent

- The attribute is a setting that no method changes, or a reference to an object with a state of its own.
- It is recomputed before each use, restarted for each episode, or derived from what `load_state_dict` restores.
- Nothing depends on it: it is only logged or returned for inspection.
- The `state_dict` gives everything (`vars(self).copy()`), or has a part that is not known.
- A base class or a module's buffers carry it.
- A key that only one of the two hooks knows is CKP206.

## References

- https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html#what-is-a-state-dict
- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import heading_of

MAX_NAMED = 2


def check(project: Project) -> Iterator[Finding]:
    """Report attributes that the hooks of a class forget."""
    for lost in project.losses.incomplete_states():
        first, names = lost.omitted[0], " and ".join(f"'{each.attr}'" for each in lost.omitted[:MAX_NAMED])
        them = "it" if len(lost.omitted) == 1 else "them"
        whose = f" of {lost.heir}" if lost.heir else ""
        message = (
            f"{lost.hook.name}() leaves out {names}{whose}, which {first.method}() changes: a reload starts {them} over; "
            f"save and restore {them}"
        )
        changes = [(each.location, f"'{each.attr}' changes here") for each in lost.omitted]
        node = heading_of(lost.hook.name)
        yield finding_in(RULE, lost.hook.location, message, changes, node=node, attribute=first.attr)


RULE = Rule(__name__, "CKP207", check=check)
