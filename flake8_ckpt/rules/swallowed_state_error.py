"""A broad `except` around saving or restoring state goes on without the state.

## What it does

Finds `except:`, `except Exception` and `except BaseException` around code that saves or restores state
(`torch.save`, `torch.load`, `state_dict`, `load_state_dict`, or a function of the project that does this),
whose handler only passes, continues, returns nothing, prints, or begins to count: `except: epoch = 0`,
`except: self.record = {"step": 0}`. Of a save that fails it is enough to print the error.

## Why it matters

Every reason why a checkpoint does not load ends in the same silence: a renamed layer, a full disk, a changed
default of `torch.load`, a typo in the line itself.
The run starts over with fresh weights or statistics, and the only trace is a worse curve some hours later.
On the saving side the file is simply not there on the day it is needed.

## Bad

```python
import tempfile
from pathlib import Path

import numpy as np
import torch


class RunningMeanStd:
    def __init__(self, size: int) -> None:
        self.mean, self.var, self.count = np.zeros(size), np.ones(size), 1e-4

    def update(self, batch: np.ndarray) -> None:
        total = self.count + len(batch)
        delta = batch.mean(axis=0) - self.mean
        spread = delta**2 * self.count * len(batch) / total
        self.var = (self.var * self.count + batch.var(axis=0) * len(batch) + spread) / total
        self.mean = self.mean + delta * len(batch) / total
        self.count = total

    def normalize(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean) / np.sqrt(self.var + 1e-8)

    def state_dict(self) -> dict:
        return {"mean": self.mean, "var": self.var, "count": self.count}

    def load_state_dict(self, state: dict) -> None:
        self.mean, self.var, self.count = np.array(state["mean"]), np.array(state["var"]), state["count"]


def save(path: Path, obs_rms: RunningMeanStd) -> None:
    torch.save(obs_rms.state_dict(), path)


def resume(path: Path, obs_rms: RunningMeanStd) -> None:
    try:
        obs_rms.load_state_dict(torch.load(path))
    except Exception:
        print("no checkpoint found, starting from scratch")


trained, resumed = RunningMeanStd(3), RunningMeanStd(3)
trained.update(np.full((8, 3), 5.0))
with tempfile.TemporaryDirectory() as name:
    save(Path(name) / "obs_rms.pt", trained)
    resume(Path(name) / "obs_rms.pt", resumed)

# torch.load refuses numpy arrays since torch 2.6.
assert resumed.count < 1 < trained.count
assert not np.allclose(resumed.normalize(np.ones(3)), trained.normalize(np.ones(3)))
```

## Good

```python
import tempfile
from pathlib import Path

import numpy as np
import torch


class RunningMeanStd:
    def __init__(self, size: int) -> None:
        self.mean, self.var, self.count = np.zeros(size), np.ones(size), 1e-4

    def update(self, batch: np.ndarray) -> None:
        total = self.count + len(batch)
        delta = batch.mean(axis=0) - self.mean
        spread = delta**2 * self.count * len(batch) / total
        self.var = (self.var * self.count + batch.var(axis=0) * len(batch) + spread) / total
        self.mean = self.mean + delta * len(batch) / total
        self.count = total

    def normalize(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean) / np.sqrt(self.var + 1e-8)

    def state_dict(self) -> dict:
        return {"mean": self.mean.tolist(), "var": self.var.tolist(), "count": self.count}

    def load_state_dict(self, state: dict) -> None:
        self.mean, self.var, self.count = np.array(state["mean"]), np.array(state["var"]), state["count"]


def save(path: Path, obs_rms: RunningMeanStd) -> None:
    torch.save(obs_rms.state_dict(), path)


def resume(path: Path, obs_rms: RunningMeanStd) -> None:
    try:
        obs_rms.load_state_dict(torch.load(path))
    except FileNotFoundError:
        print("no checkpoint found, starting from scratch")


trained, resumed = RunningMeanStd(3), RunningMeanStd(3)
trained.update(np.full((8, 3), 5.0))
with tempfile.TemporaryDirectory() as name:
    save(Path(name) / "obs_rms.pt", trained)
    resume(Path(name) / "obs_rms.pt", resumed)

assert resumed.count == trained.count
assert np.array_equal(resumed.normalize(np.ones(3)), trained.normalize(np.ones(3)))
```

## When it stays silent

- The handler raises, exits, logs at warning or above, or calls `warnings.warn`.
- The handler keeps the exception for later, or tells the caller, who looks at it.
- The exception is a narrow one (`FileNotFoundError`, `KeyError`) and the handler is a real answer to it.
- The handler does the work another way: an older format, a second copy of the file; or the code after it
  does, or a loop over several copies.
- A save fails, and the handler prints the error: what is trained is there still. So is what the function has
  restored before, where the rest is not restored and the handler prints the error.
- The handler prints the error, and the `try` ends the function where it succeeds: what follows is the second way.
- The handler ends the function before the work that needs the state, or gives back a value that a caller looks at.
- The handler prints the error and leaves the loop's turn or the function with the object that the `try` made.
- The `try` sets a flag where it succeeds.
- The `try` holds an import that may fail, a whole training loop, or nothing that saves or restores state:
  a data file, a look at a file's format.
- A player or evaluator, by the name of its class, that saves nothing and loads in a loop: it waits for the next file.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.load.html
- https://docs.python.org/3/tutorial/errors.html#handling-exceptions
- https://docs.astral.sh/ruff/rules/blind-except/
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Node
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import first_that_fits

HANDLER = Node(("handler",))


def check(project: Project) -> Iterator[Finding]:
    """Report broad excepts around saving or restoring state that go on without it."""
    for error in project.losses.swallowed_errors():
        lost = "restored" if error.is_restore else "saved"
        message = first_that_fits(
            f"every error of {error.call}() ends here and nothing is {lost}: catch the one you expect, raise or log "
            "others",
            f"every error ends here and nothing is {lost}: catch the one you expect, raise or log others",
        )
        yield finding_in(RULE, error.location, message, node=HANDLER, key=error.call)


RULE = Rule(__name__, "CKP212", check=check)
