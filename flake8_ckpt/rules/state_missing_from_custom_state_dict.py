"""A class saves and restores its own state, and leaves out an attribute that its methods change and depend on.

## What it does

Finds classes with a pair of hooks of their own, `state_dict` and `load_state_dict`, `get_extra_state` and
`set_extra_state`, `get_state` and `set_state`, `pack_...` and `unpack_...`, or `save` and `load` of a file, that keep
some attributes and not another one which other methods change and on which later results depend.
Hooks count that a class inherits: a subclass that adds a counter needs a line in them, too.
The state of one part counts as well: `return self.optimizer.state_dict()`.
An attribute that a load only reads is not restored by that.

## Why it matters

The object saves and loads without an error, and one part of its state is that of a new object.
A loss scaler that forgets how many good steps it has seen grows its scale too late, an early stopping that
forgets its count of bad epochs never stops a run that is resumed often, and an adaptive learning rate overwrites
that of the restored optimizer with its first value.

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
- It is recomputed before each use, restarted for each episode (also one element at a time), put back at the end
  of the method that changes it, or derived from what the load restores.
- Nothing depends on it: it is only logged or returned for inspection, or sets the pace of something
  (`if self.step % 100 == 0:`, `if self.step - self.last_copy >= 100:`) that is not saved itself.
- The pair saves weights alone, for use: no optimizer and no counter is among them. Statistics beside the weights
  are for use, too, where the class steps an optimizer that is left out; and `export_data` gives data, no state.
- Nobody calls the load, though a program makes objects of the class, or nobody calls the method that changes it.
- The save gives everything (`vars(self).copy()`), or has a part that is not known.
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
from flake8_ckpt.rules.base import first_that_fits
from flake8_ckpt.rules.base import heading_of

MAX_NAMED = 2


def check(project: Project) -> Iterator[Finding]:
    """Report attributes that the hooks of a class forget."""
    for lost in project.losses.incomplete_states:
        first, hook = lost.omitted[0], f"{lost.hook.name}()"
        whose = f" of {lost.heir}" if lost.heir else ""
        names = [f"'{each.attr}'" for each in lost.omitted[:MAX_NAMED]]
        many = f"{' and '.join(names)}{whose}"
        message = first_that_fits(
            _message(many, f"changed by {first.method}()", hook, len(names) > 1),
            _message(many, "state", hook, len(names) > 1),
            _message(f"{names[0]}{whose}", "state", hook, False),
            _message(names[0], "state", hook, False),
        )
        omitted = (*lost.omitted, *lost.elsewhere)
        changes = [(each.location, f"'{each.attr}' changes here") for each in omitted]
        node = heading_of(lost.hook.name)
        yield finding_in(RULE, lost.hook.location, message, changes, node=node, attribute=first.attr)


def _message(names: str, what: str, hook: str, are_many: bool) -> str:
    are, them, start = ("are", "them", "they start") if are_many else ("is", "it", "it starts")
    return f"{names} {are} {what} but not in {hook}: after a load {start} over; save and restore {them}"


RULE = Rule(__name__, "CKP207", check=check)
