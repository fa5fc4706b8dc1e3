"""Tensors that a `fit` leaves behind together with a flag, which other methods ask for before they read them."""

from __future__ import annotations

import re

from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Const
from flake8_ckpt.modules.attribute_lifetime import is_tensor
from flake8_ckpt.modules.attribute_lifetime import is_transient
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.own_saving import is_carried_by_hooks

# `self.is_fitted`, `self.calibrated`: flags of classes in the manner of scikit-learn.
FLAGS = re.compile(r"fit|calibrat|estimat|trained")


def is_fitted_under_flag(state: ClassState, attr: str) -> bool:
    """Tell whether one method sets an attribute and a flag, and another wants the flag and reads the attribute."""
    if (
        state.registered(attr)
        or state.has_unknown_base
        or is_carried_by_hooks(state, attr)
        or is_transient(attr)
    ):
        return False
    if any(change.value != NONE for change in state.constructed(attr)):
        return False
    writes = [
        change
        for change in state.runtime_writes(attr)
        if change.write.how == "assign" and is_tensor(change.value)
    ]
    return any(_is_fit(state, change, flag) for change in writes for flag in _flags(state, change))


def _flags(state: ClassState, change: AttributeWrite) -> list[str]:
    """Return the flags that start unset and that the method of a write sets."""
    return [
        each.attr
        for each in change.method.facts.writes
        if each.value == Const(True) and FLAGS.search(each.attr) and state.flag(each.attr, False)
    ]


def _is_fit(state: ClassState, change: AttributeWrite, flag: str) -> bool:
    readers = {each.method.name for each in state.reads(change.write.attr) if each.use.first} - {
        change.method.name
    }
    asking = {each.method.name for each in state.reads(flag) if "test" in each.use.how}
    return bool(readers & asking) and not _is_run_on_demand(state, change, flag)


def _is_run_on_demand(state: ClassState, change: AttributeWrite, flag: str) -> bool:
    """Tell whether methods run the fit themselves where the flag is unset: then a reload does it over, as meant."""
    return any(
        Guard("unset", flag) in site.guards and name == change.method.name
        for method in state.methods
        for name, site in method.own_calls()
    )
