"""Registrations that do less than they seem to: of what is not saved, comes too late, or is dropped at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.modules.attribute_lifetime import is_tensor
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite

REGISTRARS = ("register_buffer", "register_parameter")


@dataclass(frozen=True)
class UnsavedBuffer:
    """A buffer with `persistent=False`, and where it is registered."""

    attribute: Attribute
    location: Spot


@dataclass(frozen=True)
class RegistrationResult:
    """An attribute that is set to what a registration of it returns, which is None."""

    write: AttributeWrite
    registrar: str


def unsaved_buffers(state: ClassState) -> Iterator[UnsavedBuffer]:
    """Yield the buffers with `persistent=False` that the class's own construction registers."""
    for attr, position in sorted({*_registered_unsaved(state), *_assigned_unsaved(state)}):
        yield UnsavedBuffer(Attribute(state, attr), Spot(state.path, position))


def _registered_unsaved(state: ClassState) -> Iterator[tuple[str, Position]]:
    for method, register in state.registers:
        own = method.owner == state.identity and method.runs_at_construction
        if own and register.kind == "buffer" and not register.persistent:
            yield register.name, register.position


def _assigned_unsaved(state: ClassState) -> Iterator[tuple[str, Position]]:
    for attr in state.changes:
        for change in state.constructed(attr):
            if change.method.owner == state.identity and change.value == Buffer(False):
                yield attr, change.write.position


def saved_buffers(state: ClassState) -> frozenset[str]:
    """Return the buffers that construction registers and a checkpoint holds."""
    called = {
        each.name
        for method, each in state.registers
        if each.kind == "buffer" and each.persistent and method.runs_at_construction
    }
    assigned = {
        attr for attr in state.changes if any(each.value == Buffer(True) for each in state.constructed(attr))
    }
    return frozenset(called | assigned)


def tensors_before_registration(state: ClassState) -> Iterator[AttributeWrite]:
    """Yield the writes of tensors to an attribute for which the same method calls register_buffer later."""
    for method, register in state.registers:
        if register.kind == "buffer" and method.owner == state.identity and method.runs_at_construction:
            before = (
                each
                for each in state.changes.get(register.name, ())
                if each.method == method and _is_before(each, register)
            )
            first = next(before, None)
            if first is not None and not _is_deleted(state, register.name):
                yield first


def _is_before(change: AttributeWrite, register: Register) -> bool:
    """Tell whether a tensor is certainly in the way of a registration."""
    if change.guards or register.guards or change.write.how != "assign":
        return False
    return change.write.position < register.position and is_tensor(change.value)


def _is_deleted(state: ClassState, attr: str) -> bool:
    return any(each.write.how == "delete" for each in state.changes[attr])


def registration_results(state: ClassState) -> Iterator[RegistrationResult]:
    """Yield the attributes of the class that are set to what a registration of them returns."""
    for attr, changes in state.owned():
        for change in changes:
            registrar = _registrar(change, attr)
            if registrar and change.method.owner == state.identity:
                yield RegistrationResult(change, registrar)


def _registrar(change: AttributeWrite, attr: str) -> str:
    """Return which method registers an attribute where it is assigned, or an empty string."""
    call = change.write.value
    if change.write.how != "assign" or not isinstance(call, Call) or not isinstance(call.callee, Attr):
        return ""
    if call.args[:1] != (Const(attr),) or call.args[1:] == (NONE,):
        return ""
    return call.callee.name if call.callee.base == SELF and call.callee.name in REGISTRARS else ""
