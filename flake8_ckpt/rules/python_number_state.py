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

from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.modules.attribute_lifetime import is_transient
from flake8_ckpt.modules.attribute_lifetime import lifetime
from flake8_ckpt.modules.carried_writes import depends_on_previous_value
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.members import Method
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at


def check(project: Project) -> Iterator[Finding]:
    """Report bool flags that let a method initialize buffers or weights once more after a reload."""
    for state in project.module_classes:
        for attr, writes in _plain_numbers(state):
            if len(writes) == 1 and _is_flag(writes[0].value):
                views = [state, *state.heir_views()]
                target = next(filter(None, (_initialized(view, attr, writes[0].value) for view in views)), "")
                if target:
                    message = f"'{attr}' is a plain bool: after a reload it lets '{target}' be initialized over again"
                    yield finding_at(RULE, writes, message)


def check_numbers(project: Project) -> Iterator[Finding]:
    """Report numbers that methods count up and that results depend on."""
    for state in project.module_classes:
        for attr, writes in _plain_numbers(state):
            if lifetime(state, attr) == "state" and not is_transient(attr) and _is_used(state, attr):
                writer = next(
                    each for each in state.runtime_writes(attr) if depends_on_previous_value(state, each)
                ).method.name
                message = (
                    f"'{attr}' is a number that {writer}() changes: state_dict() omits it, a reload resets it"
                )
                yield finding_at(RULE, writes, message)


def _plain_numbers(state: ClassState) -> Iterator[tuple[str, list[AttributeWrite]]]:
    for attr, _ in state.owned():
        writes = state.constructed(attr)
        if not writes or any(change.method.owner != state.identity for change in writes):
            continue
        if all(_is_number(change.value) for change in writes):
            if not state.registered(attr) and not state.carried_by_hooks(attr):
                yield attr, writes


def _is_number(value: Value) -> bool:
    return (
        isinstance(value, Number) or isinstance(value, Const) and isinstance(value.value, (bool, int, float))
    )


def _is_used(state: ClassState, attr: str) -> bool:
    return any(reading.method.name in state.stepping for reading in state.readings(attr))


def _is_flag(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, bool)


def _initialized(state: ClassState, flag: str, initial: Value) -> str:
    """Return the buffer or weight that a step initializes while the flag is as it started, or an empty string."""
    start = initial == Const(True)
    guard = f"{'set' if start else 'unset'}:{flag}"
    turned = [
        change
        for change in state.runtime_writes(flag)
        if _is_flag(change.value) and change.value == Const(not start)
    ]
    if not any(change.method.name in state.stepping for change in turned):
        return ""
    for change in turned:
        for attr, others in state.changes.items():
            for other in others:
                if other.method == change.method and guard in other.guards and _overwrites(state, other):
                    return attr
        helper = _initializing_helper(state, change, guard) or _guarded_caller(state, change, guard)
        if helper:
            return helper
    return ""


def _overwrites(state: ClassState, change: AttributeWrite) -> bool:
    attr = change.write.attr
    if depends_on_previous_value(state, change) and change.write.how != "item":
        return False
    buffers = {each.name for method, each in state.registers if each.kind in ("buffer", "parameter")}
    made = {type(option) for each in state.constructed(attr) for option in options_of(each.value)}
    if change.write.how in ("inplace", "item"):
        return attr in buffers or bool(made & {Parameter, Buffer})
    return change.write.how == "assign" and (attr in buffers or Buffer in made)


def _guarded_caller(state: ClassState, change: AttributeWrite, guard: str) -> str:
    """Return what the method that turns the flag initializes, where it is called only while the flag has not turned."""
    for method in state.methods:
        if change.method.name in _called_under(method, guard):
            for attr, others in state.changes.items():
                if any(other.method == change.method and _overwrites(state, other) for other in others):
                    return attr
    return ""


def _initializing_helper(state: ClassState, change: AttributeWrite, guard: str) -> str:
    called = _called_under(change.method, guard)
    for attr, others in state.changes.items():
        if any(other.method.name in called and _overwrites(state, other) for other in others):
            return attr
    return ""


def _called_under(method: Method, guard: str) -> set[str]:
    return {name for name, site in method.own_calls() if guard in site.guards}


RULE = Rule(__name__, "CKP110", check=check, opt_in=check_numbers)
