"""A broad `except` around saving or restoring state goes on without the state.

## What it does

Finds `except:`, `except Exception` and `except BaseException` around code that saves or restores state
(`torch.save`, `torch.load`, `state_dict`, `load_state_dict`, or a function of the project that does this),
whose handler only passes, continues, returns nothing or prints.

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
- The handler ends the function before the work that needs the state, or gives back a value that a caller looks at.
- The `try` sets a flag where it succeeds.
- The `try` holds an import that may fail, a whole training loop, or nothing that saves or restores state:
  a data file, a look at a file's format.
- A player or evaluator, by the name of its class, that saves nothing: it waits for the next file.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.load.html
- https://docs.python.org/3/tutorial/errors.html#handling-exceptions
- https://docs.astral.sh/ruff/rules/blind-except/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from flake8_ckpt.checkpoints.function_names import verb_and_stem
from flake8_ckpt.facts.model import Handler
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Unknown
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Node
from flake8_ckpt.findings import Spot
from flake8_ckpt.linked_project import Project
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.losses.state_calls import keeps_state
from flake8_ckpt.losses.state_calls import trains
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in

BROAD = frozenset(["Exception", "BaseException"])
RESTORES = re.compile(r"load|restore|resume")
EVALUATES = re.compile(r"(Player|Eval\w*|Tester|Predictor|Inference\w*|Demo)$")
SAVES = frozenset("save dump write store export".split())
# A `try` block that is longer does more than to save or restore.
MAX_LINES = 30
HANDLER = Node(("handler",))


def check(project: Project) -> Iterator[Finding]:
    """Report broad excepts around saving or restoring state that go on without it."""
    yield from dict.fromkeys(
        finding_in(RULE, Spot(unit.path, handler.position), _message(site), node=HANDLER)
        for unit in followed_functions(project.symbols)
        for handler in unit.function.handlers
        if handler.outcome != "handled" and _is_broad(handler)
        for site in islice(_swallowed(handler, unit, project), 1)
        if _goes_on(site, unit, project)
        and not _has_fallback(site, handler, unit)
        and not _ends(handler, unit)
        and not _is_told(handler, unit, project)
    )


def _is_broad(handler: Handler) -> bool:
    caught = {name.rpartition(".")[2] for name in handler.caught}
    return not caught or not BROAD.isdisjoint(caught)


def _swallowed(handler: Handler, unit: FunctionRef, project: Project) -> Iterator[Site]:
    """Yield what saves or restores state in a `try` block that does nothing else of weight, last first."""
    lines = range(handler.first_line, handler.last_line + 1)
    inside = [site for site in unit.function.calls if site.position.line in lines]
    if len(lines) <= MAX_LINES and not trains(inside):
        yield from (site for site in reversed(inside) if keeps_state(site, unit, project.contract))


def _goes_on(site: Site, unit: FunctionRef, project: Project) -> bool:
    """Tell whether what restores may train: a player or evaluator that saves nothing waits for the next file."""
    if RESTORES.search(called_name(site.call)) is None or EVALUATES.search(unit.class_id) is None:
        return True
    names = project.contract.hierarchy.method_names(unit.class_id)
    return "state_dict" in names or any(verb_and_stem(name)[0] in SAVES for name in names)


def _has_fallback(site: Site, handler: Handler, unit: FunctionRef) -> bool:
    """Tell whether the same is tried once more: after the handler, or in a loop over several copies."""
    call, restores = site.call, RESTORES.search(called_name(site.call)) is not None
    after = [each.call for each in unit.function.calls if each.position.line > handler.position.line]
    if any(_is_same_state(each, call) or each.callee == call.callee and restores for each in after):
        return True
    own = isinstance(call.callee, Attr) and _varies(call.callee.base)
    return "loop" in site.guards and not own and restores


def _is_same_state(one: Call, other: Call) -> bool:
    """Tell whether two calls save the same, or give the same state to an object or to a part of it."""
    if isinstance(one.callee, Attr) and isinstance(other.callee, Attr):
        return one.callee.name == other.callee.name and bool(one.args) and one.args == other.args
    return one.callee == other.callee and one.args[:1] == other.args[:1]


def _varies(value: Value) -> bool:
    """Tell whether an object may be another one in each turn of a loop."""
    while isinstance(value, (Attr, Local)):
        value = value.base if isinstance(value, Attr) else value.value
    return isinstance(value, (Element, Item, Unknown))


def _ends(handler: Handler, unit: FunctionRef) -> bool:
    """Tell whether a handler gives up the rest of its function, which may need the state."""
    follows = any(site.position.line > handler.position.line for site in unit.function.calls)
    return follows and handler.outcome != "swallowed"


def _is_told(handler: Handler, unit: FunctionRef, project: Project) -> bool:
    """Tell whether what the handler gives back goes to a caller who looks at it."""
    if handler.outcome == "swallowed":
        return False
    looks = [site.used for site in _calls_of(unit, project)]
    return any(looks) or not looks and handler.outcome == "told"


def _calls_of(unit: FunctionRef, project: Project) -> Iterator[Site]:
    """Yield the calls that reach a function, or may reach it."""
    for other in followed_functions(project.symbols):
        for site in other.function.calls:
            if called_name(site.call) == unit.function.name:
                callee = project.families.evaluator.callee_of(site.call, CallContext(other))
                if callee is None or callee.identity == unit.identity:
                    yield site


def _message(site: Site) -> str:
    name = called_name(site.call)
    lost = "restored" if RESTORES.search(name) else "saved"
    return f"every error of {name}() ends here, printed at most: the run goes on and nothing is {lost}"


RULE = Rule(__name__, "CKP212", check=check)
