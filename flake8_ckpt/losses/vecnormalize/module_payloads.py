"""Payloads that hold modules and plain values alone: then no wrapper is among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from typing import Union

from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator


def holds_modules_only(payload: Value, place: Place, evaluator: SymbolicEvaluator) -> bool:
    """Tell whether all of a payload is known: modules of the project, their state and plain values."""
    parts = list(_leaves(payload, place, evaluator))
    return all(parts) and "module" in parts


def _leaves(
    value: Value, place: Place, evaluator: SymbolicEvaluator
) -> Iterator[Literal["module", "plain", ""]]:
    """Yield "module", "plain", or "" for what is not known, for each part of a payload."""
    if isinstance(value, Local):
        yield from _leaves(value.value, place, evaluator)
    elif isinstance(value, (Join, Container, Record)):
        for part in _members(value):
            yield from _leaves(part, place, evaluator)
    elif isinstance(value, Call) and isinstance(value.callee, Attr):
        if value.callee.name == "state_dict":
            yield "module"
        elif value.callee.name in MODULE_METHODS:
            yield from _leaves(value.callee.base, place, evaluator)
        else:
            yield ""
    elif isinstance(value, (Call, Module)):
        yield "module" if evaluator.hierarchy.is_module(evaluator.class_of(value, place.context)) else ""
    else:
        yield "plain" if isinstance(value, (Const, Number, Name, Arith, Tensor)) else ""


def _members(value: Union[Join, Container, Record]) -> tuple[Value, ...]:
    if isinstance(value, Join):
        return value.options
    if isinstance(value, Container):
        return value.items or (value.of,)
    return (*(each.value for each in value.fields), *((UNKNOWN,) if value.open else ()))
