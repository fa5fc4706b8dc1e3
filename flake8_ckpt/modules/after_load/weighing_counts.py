"""Counts by which a step weighs what it adds to saved statistics: a reload that loses them lets the next batch win."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.carried_writes import depends_on_previous_value
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.plain_attributes import plain_numbers
from flake8_ckpt.modules.registrations import saved_buffers


@dataclass(frozen=True)
class WeighingCount:
    """A plain number that calls count up, and the saved buffer whose updates it weighs."""

    attribute: Attribute
    target: str


def weighing_counts(state: ClassState) -> Iterator[WeighingCount]:
    """Yield the numbers of a class that weigh what its methods add to its buffers."""
    targets = saved_buffers(state) | _parameters(state)
    for number in plain_numbers(state) if targets else ():
        if not number.is_carried_by_hooks and _is_counted(state, number.name):
            target = next((each for each in sorted(targets) if _weighs(state, number.name, each)), "")
            if target and not _are_restarted(state, number.name, target):
                yield WeighingCount(number, target)


def _parameters(state: ClassState) -> frozenset[str]:
    """Return the attributes that are parameters: those that code moves itself are statistics."""
    return frozenset(
        attr
        for attr in state.changes
        if any(isinstance(each.value, Parameter) for each in state.constructed(attr))
    )


def _is_counted(state: ClassState, attr: str) -> bool:
    return any(depends_on_previous_value(state, each) for each in state.runtime_writes(attr))


def _weighs(state: ClassState, number: str, buffer: str) -> bool:
    """Tell whether some method moves a buffer on by an amount that a number decides, or where a number says so."""
    writes = state.runtime_writes(buffer)
    moves = [each for each in writes if depends_on_previous_value(state, each)]
    if any(number in each.write.sources for each in moves):
        return True
    asked = {each.method.name for each in moves if Guard("about", number) in each.guards}
    return any(
        each.method.name in asked and Guard("about", number) in each.guards and _is_taken_from_data(each)
        for each in writes
        if each not in moves
    )


def _is_taken_from_data(change: AttributeWrite) -> bool:
    """Tell whether a write sets a buffer to something else than a constant: `if self.n == 0: self.mean = x.mean()`."""
    return change.write.how in ("assign", "inplace", "item") and change.write.value not in (Tensor(), UNKNOWN)


def _are_restarted(state: ClassState, number: str, buffer: str) -> bool:
    """Tell whether a method sets both anew: then they last for one epoch or episode."""
    return bool(_restarts(state, number) & _restarts(state, buffer))


def _restarts(state: ClassState, attr: str) -> set[str]:
    return {
        each.method.name
        for each in state.runtime_writes(attr)
        if not depends_on_previous_value(state, each)
        and (
            each.write.how in ("inplace", "item")
            or isinstance(each.value, (Const, Number))
            or not each.guards
        )
    }
