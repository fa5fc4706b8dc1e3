"""Tensors that a method leaves beside a buffer, made of the same data: one is restored, the other is not.

def fit(self, points):
    self.scaled = points / self.width                  # plain
    self.register_buffer("low", self.scaled.amin(0))   # kept
def forward(self, x):
    return x - self.scaled - self.low
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import STEPS
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.modules.attribute_lifetime import IDLE_USES
from flake8_ckpt.modules.attribute_lifetime import is_tensor
from flake8_ckpt.modules.attribute_lifetime import is_transient
from flake8_ckpt.modules.attribute_lifetime import tensor_writes
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.fit_flags import is_fitted_under_flag
from flake8_ckpt.modules.members import AttributeRead
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.members import Method
from flake8_ckpt.modules.own_saving import is_carried_by_hooks

# What each forward pass sets belongs to that pass; `update` may be called once for all of them.
PASSES = STEPS - {"update"}


@dataclass(frozen=True)
class BufferSibling:
    """A plain attribute, the method that sets it, and the buffer that the method sets beside it."""

    attribute: Attribute
    method: str
    buffer: str


def buffer_siblings(state: ClassState) -> Iterator[BufferSibling]:
    """Yield the attributes of a class that one method sets beside a buffer, and another reads beside one."""
    for attr, changes in state.owned():
        settings = [change for change in changes if change.value != NONE]
        if not settings or not _is_set_by_one_method(state, settings) or _is_kept_otherwise(state, attr):
            continue
        first = settings[0]
        buffer = _buffer_beside(state, first)
        if buffer and any(_is_read_beside_buffer(state, first.method, read) for read in state.reads(attr)):
            yield BufferSibling(Attribute(state, attr, tuple(settings)), first.method.name, buffer)


def _is_set_by_one_method(state: ClassState, settings: list[AttributeWrite]) -> bool:
    """Tell whether one method of the class alone sets an attribute, and no forward pass runs it."""
    method = settings[0].method
    if any(each.method != method or each.write.how != "assign" for each in settings):
        return False
    if method.owner != state.identity or method.name in CONSTRUCTION:
        return False
    return method.name not in state.reach(PASSES)


def _is_kept_otherwise(state: ClassState, attr: str) -> bool:
    if state.registered(attr) or state.has_unknown_base or is_transient(attr):
        return True
    if tensor_writes(state, attr):
        return True  # it is a plain tensor from the start, and judged as one
    return is_carried_by_hooks(state, attr) or is_fitted_under_flag(state, attr)


def _buffer_beside(state: ClassState, change: AttributeWrite) -> str:
    """Return the persistent buffer that the method of a write sets from the attribute, or beside a sure tensor."""
    for name, value in _buffers_set(state, change.method):
        if is_tensor(change.value) or Attr(SELF, change.attr) in parts_of(value):
            return name
    return ""


def _buffers_set(state: ClassState, method: Method) -> Iterator[tuple[str, Value]]:
    for each in method.facts.registers:
        if each.kind == "buffer" and each.persistent and each.value != NONE:
            yield each.name, each.value
    kept = _persistent(state)
    for write in method.facts.writes:
        if write.how == "assign" and write.attr in kept:
            yield write.attr, write.value


def _persistent(state: ClassState) -> set[str]:
    named = {each.name for _, each in state.registers if each.kind == "buffer" and each.persistent}
    assigned = {
        attr
        for attr, changes in state.changes.items()
        if any(change.value == Buffer(True) for change in changes)
    }
    return named | assigned


def _is_read_beside_buffer(state: ClassState, setter: Method, read: AttributeRead) -> bool:
    """Tell whether a method reads what the setter left, and a buffer that is kept, without running the setter."""
    method = read.method
    if not read.use.first or IDLE_USES.issuperset(read.use.how) or method.name == setter.name:
        return False
    if setter.name in state.reach(frozenset([method.name])):
        return False
    kept = _persistent(state)
    return any(use.attr in kept and not IDLE_USES.issuperset(use.how) for use in method.facts.uses)
