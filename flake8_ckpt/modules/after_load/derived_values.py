"""Values derived from what a checkpoint restores: after a load they say what the constructor said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.frameworks.torch_methods import CARRIERS
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.own_saving import is_carried_by_hooks
from flake8_ckpt.modules.plain_attributes import plain_numbers
from flake8_ckpt.modules.plain_attributes import plain_tensors
from flake8_ckpt.modules.registrations import UnsavedBuffer
from flake8_ckpt.modules.registrations import saved_buffers
from flake8_ckpt.modules.registrations import unsaved_buffers

# With one of these a class can derive its values anew after a load, in a function of any name.
POST_HOOKS = frozenset(["register_load_state_dict_post_hook", "_register_load_state_dict_post_hook"])


@dataclass(frozen=True)
class StaleNumber:
    """A number that construction takes from a parameter, and the parameter."""

    attribute: Attribute
    source: str


@dataclass(frozen=True)
class StaleBuffer:
    """A buffer that is not saved, the saved one that it is derived from, and the method that does so."""

    buffer: UnsavedBuffer
    source: str
    method: str


@dataclass(frozen=True)
class StaleTensor:
    """A plain tensor, the saved buffer that it is derived from, and the method that does so."""

    attribute: Attribute
    source: str
    method: str


def stale_numbers(state: ClassState) -> Iterator[StaleNumber]:
    """Yield the numbers that construction takes from what a load changes, and that no load takes again."""
    for number in plain_numbers(state):
        made = {source for each in number.writes for source in each.write.sources}
        source = next((each for each in sorted(made) if _is_restored(state, each)), "")
        if source and _is_read_as_left(state, number.name) and not _is_refreshed(state, number.name):
            yield StaleNumber(number, source)


def _is_restored(state: ClassState, attr: str) -> bool:
    """Tell whether a load gives an attribute another value than construction: it is trained, or updated."""
    if any(isinstance(each.value, Parameter) for each in state.constructed(attr)):
        return True
    if any(each.kind == "parameter" and each.name == attr for _, each in state.registers):
        return True
    return attr in saved_buffers(state) and bool(state.runtime_writes(attr))


def _is_refreshed(state: ClassState, attr: str) -> bool:
    """Tell whether a load, or each step, takes the value again."""
    writers = {each.method.name for each in state.runtime_writes(attr)}
    return _is_taken_care_of(state, attr, writers) or bool(writers & state.stepping)


def stale_buffers(state: ClassState) -> Iterator[StaleBuffer]:
    """Yield the buffers with `persistent=False` that a method derives from saved ones, and no load derives again."""
    for buffer in unsaved_buffers(state):
        if buffer.attribute.lifetime != "state":
            yield from (StaleBuffer(buffer, *each) for each in _derivations(state, buffer.attribute.name))


def stale_tensors(state: ClassState) -> Iterator[StaleTensor]:
    """Yield the plain tensors of which the same is true."""
    for tensor in plain_tensors(state):
        if tensor.lifetime == "scratch":
            yield from (StaleTensor(tensor, *each) for each in _derivations(state, tensor.name))


def _derivations(state: ClassState, attr: str) -> Iterator[tuple[str, str]]:
    """Yield the saved buffer from which a method derives an attribute that other code reads as it was left, if any."""
    for change in state.runtime_writes(attr):
        sources = {each for each in change.write.sources if each != attr and _is_restored(state, each)}
        if sources & saved_buffers(state) and not _is_rebuilt_on_demand(state, change):
            if _is_read_elsewhere(state, change) and not _is_taken_care_of(state, attr, {change.method.name}):
                yield min(sources & saved_buffers(state)), change.method.name
                return


def _is_rebuilt_on_demand(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a write runs where a look says that something must be made: after a load it must be."""
    placeholders = {change.attr, *(each.attribute.name for each in unsaved_buffers(state))}
    return any(
        guard.kind in ("none", "missing")
        or guard.kind == "about"
        and guard.name in placeholders
        or guard.kind == "unset"
        and state.flag(guard.name, False)
        for guard in change.guards
    )


def _is_read_elsewhere(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a method reads an attribute before it was derived in it, or in what it calls."""
    writer = change.method.name
    for read in state.reads(change.attr):
        if "held" in read.use.how:
            called = state.reach(frozenset([read.method.name])) - {read.method.name}
            if writer not in called:
                return True
    return False


def _is_read_as_left(state: ClassState, attr: str) -> bool:
    writers = {each.method.name for each in state.runtime_writes(attr)}
    return any(
        "held" in read.use.how
        and not writers & (state.reach(frozenset([read.method.name])) - {read.method.name})
        for read in state.reads(attr)
    )


def _is_taken_care_of(state: ClassState, attr: str, writers: set[str]) -> bool:
    """Tell whether the class's own loading mentions an attribute, or runs a method that derives it."""
    if is_carried_by_hooks(state, attr):
        return True
    if any(use.attr in POST_HOOKS for method in state.methods for use in method.facts.uses):
        return True
    loaders = frozenset(each.name for each in state.methods if each.name in CARRIERS)
    return bool(writers & state.reach(loaders))
