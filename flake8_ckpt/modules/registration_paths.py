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
from fnmatch import fnmatchcase

from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.members import Method

# A place where a name is registered: the method, the line, and the lines that may have set the name before.
_Place = tuple[Method, int, tuple[int, ...]]


def unregistered(state: ClassState, attr: str, writes: Iterable[AttributeWrite]) -> list[AttributeWrite]:
    """Return the writes to an attribute after which it is a plain one."""
    if not state.registered(attr):
        return list(writes)
    if state.hierarchy.defines(state.identity, attr) or not _is_known(state, attr):
        return []
    places = [*_registered(state, attr), *_assigned(state, attr)]
    return [each for each in writes if all(_is_apart(each, place) for place in places)]


def buffers_apart(state: ClassState, change: AttributeWrite) -> list[Register]:
    """Return the persistent buffers of the name that other arms register."""
    return [
        each
        for method, each in state.registers
        if each.name == change.attr
        and each.kind == "buffer"
        and each.persistent
        and _is_apart(change, (method, each.position.line, each.after))
    ]


def _is_known(state: ClassState, attr: str) -> bool:
    """Tell whether all that registers an attribute names it."""
    return not any(each != attr and fnmatchcase(attr, each) for each in state.registered_names)


def _registered(state: ClassState, attr: str) -> Iterator[_Place]:
    for method, each in state.registers:
        if each.name == attr:
            yield method, each.position.line, each.after
        elif each.name.startswith("$"):
            yield method, 0, (0,)


def _assigned(state: ClassState, attr: str) -> Iterator[_Place]:
    for each in state.changes.get(attr, ()):
        registers = any(isinstance(option, (Parameter, Buffer, Module)) for option in options_of(each.value))
        if registers and each.write.how == "assign":
            yield each.method, each.write.position.line, each.write.after


def _is_apart(change: AttributeWrite, place: _Place) -> bool:
    """Tell whether no path of one method runs both a write and a registration."""
    method, line, after = place
    written, before = change.write.position.line, change.write.after
    if change.method != method or line == written or _may_run_again(change):
        return False
    return not {written, 0}.intersection(after) and not {line, 0}.intersection(before)


def _may_run_again(change: AttributeWrite) -> bool:
    """Tell whether another round of a loop, or another call, may have registered the attribute before."""
    if LOOP in change.guards or any(guard.name == change.attr for guard in change.guards):
        return True
    return change.method.name not in CONSTRUCTION and any(guard.name for guard in change.guards)
