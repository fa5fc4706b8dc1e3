"""Bool flags under which a step initializes buffers or weights once: a reload that loses them does it over."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Unknown
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import is_flag
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.carried_writes import depends_on_previous_value
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.members import Method
from flake8_ckpt.modules.plain_attributes import plain_numbers

# `on_train_epoch_start`, `begin_episode`: what these set lasts for one of them.
PERIODS = re.compile(r"epoch|episode|^on_\w+_(start|begin|end)$")


@dataclass(frozen=True)
class InitializationFlag:
    """A plain flag, and the buffer or weight that is initialized while it is as it started."""

    attribute: Attribute
    target: str


def initialization_flags(state: ClassState) -> Iterator[InitializationFlag]:
    """Yield the flags of a class that let a step of it, or of a class that derives from it, initialize something."""
    for flag in plain_numbers(state):
        start = flag.writes[0].value
        if len(flag.writes) == 1 and is_flag(start) and not flag.is_carried_by_hooks:
            views = (state, *state.subclass_states())
            target = next(filter(None, (_initialized(view, flag.name, start) for view in views)), "")
            if target:
                yield InitializationFlag(flag, target)


def _initialized(state: ClassState, flag: str, initial: Value) -> str:
    """Return what a step initializes while the flag is as it started, or an empty string."""
    start = initial == Const(True)
    guard = Guard("set" if start else "unset", flag)
    turned = [
        change
        for change in state.runtime_writes(flag)
        if is_flag(change.value) and change.value == Const(not start)
    ]
    if not any(map(_is_step_of(state), turned)) or _is_turned_back(state, flag, start):
        return ""
    found = (_initialized_beside(state, change, guard) for change in turned)
    return next(filter(None, found), "")


def _is_step_of(state: ClassState) -> Callable[[AttributeWrite], bool]:
    """Return what tells whether a write is one of a step: forward or an update runs it, or it also moves a buffer."""
    buffers = _buffers(state)
    updating = {
        each.method.name
        for attr in sorted(buffers & state.changes.keys())
        for each in state.runtime_writes(attr)
        if depends_on_previous_value(state, each)
    }
    return lambda change: change.method.name in state.stepping | updating


def _buffers(state: ClassState) -> set[str]:
    return {each.name for _, each in state.registers if each.kind in ("buffer", "parameter")}


def _is_turned_back(state: ClassState, flag: str, start: bool) -> bool:
    """Tell whether each epoch, or a step, sets a flag as it started: then doing it over is what is meant."""
    return any(
        change.value == Const(start)
        and (PERIODS.search(change.method.name) is not None or change.method.name in state.stepping)
        for change in state.runtime_writes(flag)
    )


def _initialized_beside(state: ClassState, change: AttributeWrite, guard: Guard) -> str:
    """Return what is initialized where a flag turns: under it, in a helper, or in the method that turns it."""
    for attr, others in state.changes.items():
        for other in others:
            if other.method == change.method and guard in other.guards and _overwrites(state, other):
                return attr
    helpers = _called_under(change.method, guard)
    return _overwritten_in(state, helpers) or _guarded_caller(state, change.method, guard)


def _guarded_caller(state: ClassState, turning: Method, guard: Guard) -> str:
    """Return what the method that turns the flag initializes, where it is called only while the flag has not turned."""
    if any(turning.name in _called_under(each, guard) for each in state.methods):
        for attr, others in state.changes.items():
            if any(other.method == turning and _overwrites(state, other) for other in others):
                return attr
    return ""


def _overwritten_in(state: ClassState, methods: Container[str]) -> str:
    for attr, others in state.changes.items():
        if any(other.method.name in methods and _overwrites(state, other) for other in others):
            return attr
    return ""


def _overwrites(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a write gives a buffer or weight a value that owes nothing to the old one, or scales a weight."""
    attr = change.write.attr
    if change.write.how == "weights":
        return any(isinstance(option, (Module, Unknown)) for option in _constructed(state, attr))
    if depends_on_previous_value(state, change) and change.write.how != "item":
        return False
    if change.write.value == Tensor() and all(
        each.write.value == Tensor() for each in state.runtime_writes(attr)
    ):
        return False  # the same table each time
    buffers = _buffers(state)
    made = {type(option) for option in _constructed(state, attr)}
    if change.write.how in ("inplace", "item"):
        return attr in buffers or bool(made & {Parameter, Buffer})
    return change.write.how == "assign" and (attr in buffers or Buffer in made)


def _constructed(state: ClassState, attr: str) -> list[Value]:
    return [option for each in state.constructed(attr) for option in options_of(each.value)]


def _called_under(method: Method, guard: Guard) -> set[str]:
    return {name for name, site in method.own_calls() if guard in site.guards}
