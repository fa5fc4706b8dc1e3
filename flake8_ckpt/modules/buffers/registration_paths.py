"""Writes that no registration of the same name can meet: construction takes one arm of a branch, or the other.

    if self.affine:
        self.register_buffer("scale", torch.ones(size))
    else:
        self.scale = torch.ones(size)        # a plain tensor here, whatever the other arm does

A write after a registration, on some path of the method, is what `register_buffer` asks for: it fills the buffer.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.members import Method


@dataclass(frozen=True)
class _Place:
    """Where a name is registered: the line, the lines that may have set it before, and whether it then takes lists."""

    method: Method
    line: int
    after: tuple[int, ...]
    is_buffer: bool


def unregistered(state: ClassState, attr: str, writes: Iterable[AttributeWrite]) -> list[AttributeWrite]:
    """Return the writes of tensors to an attribute after which it is a plain one."""
    if not state.registered(attr):
        return list(writes)
    places = _places(state, attr)
    return [] if places is None else [each for each in writes if all(_is_apart(each, it) for it in places)]


def unregistered_lists(
    state: ClassState, attr: str, writes: Iterable[AttributeWrite]
) -> list[AttributeWrite]:
    """Return the writes of containers by construction after which an attribute is a plain one.

    What later methods register comes too late for those, and a name that is a module or a Parameter by then
    refuses a list: such a write is in an arm of its own.
    """
    if not state.registered(attr):
        return list(writes)
    places = _places(state, attr)
    if places is None or any(each.write.how == "delete" for each in state.changes[attr]):
        return []
    early = [each for each in places if each.method.runs_at_construction]
    return [each for each in writes if all(_is_apart(each, it) or _refuses(each, it) for it in early)]


def _places(state: ClassState, attr: str) -> list[_Place] | None:
    """Return where an attribute is registered, None where some of it goes by computed names."""
    if state.hierarchy.defines(state.identity, attr) or not _is_known(state, attr):
        return None
    return [*_registered(state, attr), *_assigned(state, attr)]


def _refuses(change: AttributeWrite, place: _Place) -> bool:
    """Tell whether a list is assigned where the name is surely no list, or a later one does not undo it."""
    return not place.is_buffer and change.method == place.method and change.write.position.line > place.line


def buffers_apart(state: ClassState, change: AttributeWrite) -> list[Register]:
    """Return the persistent buffers of the name that other arms register."""
    return [
        each
        for method, each in state.registers
        if each.name == change.attr
        and each.kind == "buffer"
        and each.persistent
        and _is_apart(change, _Place(method, each.position.line, each.after, True))
    ]


def is_buffer_itself(state: ClassState, attr: str) -> bool:
    """Tell whether construction registers the very tensor under another name, and nothing binds a new one."""
    registered = any(
        each.kind == "buffer"
        and each.persistent
        and each.value == Attr(SELF, attr)
        and method.runs_at_construction
        for method, each in state.registers
    )
    later = state.runtime_writes(attr)
    return registered and all(change.write.how in ("inplace", "item", "augment") for change in later)


def _is_known(state: ClassState, attr: str) -> bool:
    """Tell whether all that registers an attribute names it."""
    return not any(each != attr and fnmatchcase(attr, each) for each in state.registered_names)


def _registered(state: ClassState, attr: str) -> Iterator[_Place]:
    for method, each in state.registers:
        is_buffer = each.kind not in ("module", "parameter")
        if each.name == attr:
            yield _Place(method, each.position.line, each.after, is_buffer)
        elif each.name.startswith("$"):
            yield _Place(method, 0, (0,), True)


def _assigned(state: ClassState, attr: str) -> Iterator[_Place]:
    for each in state.changes.get(attr, ()):
        kinds = {type(option) for option in options_of(each.value)}
        if kinds & {Parameter, Buffer, Module} and each.write.how == "assign":
            yield _Place(each.method, each.write.position.line, each.write.after, Buffer in kinds)


def _is_apart(change: AttributeWrite, place: _Place) -> bool:
    """Tell whether no path of one method runs both a write and a registration."""
    written, before = change.write.position.line, change.write.after
    if change.method != place.method or place.line == written or _may_run_again(change):
        return False
    return not {written, 0}.intersection(place.after) and not {place.line, 0}.intersection(before)


def _may_run_again(change: AttributeWrite) -> bool:
    """Tell whether another round of a loop, or another call, may have registered the attribute before."""
    if LOOP in change.guards or any(guard.name == change.attr for guard in change.guards):
        return True
    return change.method.name not in CONSTRUCTION and any(guard.name for guard in change.guards)
