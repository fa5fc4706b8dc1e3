"""Attributes that no registration knows: tensors, arrays and numbers that a module keeps by itself."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.modules.attribute_lifetime import tensor_writes
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.buffers.registration_paths import unregistered
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite


def plain_tensors(state: ClassState) -> Iterator[Attribute]:
    """Yield the attributes that construction sets to tensors which nothing registers or hides."""
    for attr in state.changes:
        yield from _plain(state, attr, tensor_writes(state, attr))


def plain_arrays(state: ClassState) -> Iterator[Attribute]:
    """Yield the attributes that the class's own construction sets to numpy arrays."""
    for attr in state.changes:
        yield from _plain(state, attr, [each for each in state.constructed(attr) if _is_array(each.value)])


def plain_numbers(state: ClassState) -> Iterator[Attribute]:
    """Yield the attributes that the class's own construction sets to numbers or bools, and to nothing else."""
    for attr in state.changes:
        made = state.constructed(attr)
        if all(_is_number(each.value) for each in made):
            yield from _plain(state, attr, made)


def _plain(state: ClassState, attr: str, writes: list[AttributeWrite]) -> Iterator[Attribute]:
    """Yield an attribute that the class itself sets, if nothing registers it."""
    if writes and all(each.method.owner == state.identity for each in writes):
        plain = unregistered(state, attr, writes)
        if plain:
            yield Attribute(state, attr, tuple(plain))


def _is_array(value: Value) -> bool:
    options = [option for option in options_of(value) if option != NONE]
    return bool(options) and all(isinstance(option, NdArray) for option in options)


def _is_number(value: Value) -> bool:
    if isinstance(value, Const):
        return isinstance(value.value, (bool, int, float))
    return isinstance(value, Number)
