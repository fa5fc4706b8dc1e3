"""Gradient scalers that are never on: `GradScaler(enabled=False)` has no state."""

from __future__ import annotations

from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger

OFF = Const(False)


def is_disabled(scaler: Holder, ledger: Ledger) -> bool:
    """Tell whether all that makes a scaler switches it off by a constant."""
    made = ledger.kinds.made(scaler)
    return bool(made) and all(
        isinstance(value, Call) and _is_off(dict(value.keywords).get("enabled"), unit, ledger)
        for unit, value in made
    )


def _is_off(value: Value | None, unit: FunctionRef, ledger: Ledger) -> bool:
    """Tell whether a value is False, or an attribute of the object that nothing sets to anything else."""
    while isinstance(value, Local):
        value = value.value
    if not isinstance(value, Attr) or value.base != SELF:
        return value == OFF
    related = ledger.hierarchy.related_methods(unit.class_id)
    set_to = [write.value for _, method in related for write in method.writes if write.attr == value.name]
    return bool(set_to) and all(option == OFF for each in set_to for option in options_of(each))
