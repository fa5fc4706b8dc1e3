"""A Python number or flag that a module updates and depends on is not in its `state_dict()`.

## What it does

Finds attributes of an `nn.Module` that hold an int, float or bool, that methods update, and that later
results depend on.
A flag that guards the initialization of buffers or weights is reported by default: its loss overwrites
what the checkpoint restored.
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
- Numbers other than an initialization flag, unless CKP110 is enabled.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.get_extra_state
- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Finding
from flake8_ckpt.project.lifetime import is_transient
from flake8_ckpt.project.lifetime import lifetime
from flake8_ckpt.project.project import Project
from flake8_ckpt.project.state import Change
from flake8_ckpt.project.state import ClassState
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at


def check(project: Project) -> Iterator[Finding]:
    """Report bool flags that let a method initialize buffers or weights once more after a reload."""
    for state in project.module_classes:
        for attr, writes in _plain_numbers(state):
            if state.flag(attr, False):
                target = _initialized(state, attr)
                if target:
                    message = f"'{attr}' is a plain bool: after a reload it lets '{target}' be initialized over again"
                    yield finding_at(RULE, writes, message)


def check_numbers(project: Project) -> Iterator[Finding]:
    """Report numbers that methods count up and that results depend on."""
    for state in project.module_classes:
        for attr, writes in _plain_numbers(state):
            if lifetime(state, attr) == "state" and not is_transient(attr) and _is_used(state, attr):
                writer = next(each for each in state.later(attr) if state.carries(each)).method.name
                message = f"'{attr}' is a plain number that {writer}() changes: state_dict() omits it, a reload resets it"
                yield finding_at(RULE, writes, message)


def _plain_numbers(state: ClassState) -> Iterator[tuple[str, list[Change]]]:
    for attr, _ in state.owned():
        writes = state.constructed(attr)
        if not writes or any(change.method.owner != state.identity for change in writes):
            continue
        if all(_is_number(change.value) for change in writes):
            if not state.registered(attr) and not state.carried_by_hooks(attr):
                yield attr, writes


def _is_number(value: Value) -> bool:
    return isinstance(value, Number) or isinstance(value, Const) and isinstance(value.value, (bool, int, float))


def _is_used(state: ClassState, attr: str) -> bool:
    return any(reading.method.name in state.stepping for reading in state.readings(attr))


def _initialized(state: ClassState, flag: str) -> str:
    """Return the buffer or weight that is initialized where the flag is still unset, or an empty string."""
    raised = [change for change in state.later(flag) if change.value == Const(True)]
    for change in raised:
        for attr, others in state.changes.items():
            for other in others:
                if other.method == change.method and f"unset:{flag}" in other.guards and _overwrites(state, other):
                    return attr
        helper = _initializing_helper(state, change, flag)
        if helper:
            return helper
    return ""


def _overwrites(state: ClassState, change: Change) -> bool:
    attr = change.write.attr
    if change.write.how not in ("inplace", "item", "assign") or not state.registered(attr):
        return False
    return any(each.name == attr for method, each in state.registers if method.early) or bool(state.constructed(attr))


def _initializing_helper(state: ClassState, change: Change, flag: str) -> str:
    called = {
        site.call.callee.name
        for site in change.method.facts.calls
        if f"unset:{flag}" in site.guards
        and isinstance(site.call, Call)
        and isinstance(site.call.callee, Attr)
        and site.call.callee.base == SELF
    }
    for attr, others in state.changes.items():
        if any(other.method.name in called and _overwrites(state, other) for other in others):
            return attr
    return ""


RULE = Rule(__name__, "CKP110", check=check, opt_in=check_numbers)
