"""Tensors that construction does not make: they start as None, or only a fit sets them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.modules.attribute_lifetime import is_transient
from flake8_ckpt.modules.attribute_lifetime import lifetime
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.carried_writes import depends_on_previous_value
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.fit_flags import is_fitted_under_flag
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.own_saving import is_carried_by_hooks
from flake8_ckpt.modules.tensor_evidence import is_tensor_by_use


@dataclass(frozen=True)
class LateTensor:
    """An attribute that later calls make a tensor, and the method that carries it on or fits it."""

    attribute: Attribute
    kind: Literal["carried", "fitted"]
    method: str


def late_tensors(state: ClassState) -> Iterator[LateTensor]:
    """Yield the attributes of a class that are state once a method has set them."""
    for attr, changes in state.owned():
        if _starts_empty(state, attr) and _becomes_state(state, attr):
            starts = [each for each in state.constructed(attr) if each.method.owner == state.identity]
            tensor = Attribute(state, attr, tuple(starts or _settings(state, changes)))
            yield LateTensor(tensor, "carried", tensor.change.method.name)
        elif is_fitted_under_flag(state, attr):
            tensor = Attribute(state, attr, tuple(_settings(state, changes)))
            yield LateTensor(tensor, "fitted", tensor.writes[0].method.name)


def _starts_empty(state: ClassState, attr: str) -> bool:
    """Tell whether construction leaves None, or nothing at all where no base class may set it."""
    if any(change.value != NONE for change in state.constructed(attr)):
        return False
    if not state.constructed(attr) and (state.has_unknown_base or not _is_made_later(state, attr)):
        return False
    inherited = [change for change in state.constructed(attr) if change.method.owner != state.identity]
    return not inherited and not state.registered(attr)


def _is_made_later(state: ClassState, attr: str) -> bool:
    return any(
        change.write.how == "assign" and not depends_on_previous_value(state, change)
        for change in state.runtime_writes(attr)
    )


def _becomes_state(state: ClassState, attr: str) -> bool:
    if is_transient(attr) or is_carried_by_hooks(state, attr) or lifetime(state, attr) != "state":
        return False
    if _is_used_up(state, attr):
        return False
    return is_tensor_by_use(state, attr)


def _is_used_up(state: ClassState, attr: str) -> bool:
    """Tell whether a method takes what others have gathered, and sets it back."""
    emptying = {
        change.method.name
        for change in state.runtime_writes(attr)
        if change.write.how == "assign" and change.value == NONE
    }
    return any(each.method.name in emptying and "held" in each.use.how for each in state.reads(attr))


def _settings(state: ClassState, changes: list[AttributeWrite]) -> list[AttributeWrite]:
    """Return the writes of the class's own methods that give a value, or all of them where none does."""
    later = [
        change
        for change in changes
        if not change.method.runs_at_construction and change.method.owner == state.identity
    ]
    return [change for change in later if change.write.how == "assign" and change.value != NONE] or later
