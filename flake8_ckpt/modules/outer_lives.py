"""Attributes that live as long as something beside the module, as far as their writes tell.

self.steps = self.steps[running]         # rows of what still runs: a load begins with other ones
self.actions[:, at] = batch["actions"]   # experience, in a class that computes nothing
"""

from __future__ import annotations

import re

from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import STEPS
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite

# Sizes that count what runs beside the module: `torch.zeros(self.num_envs)`.
ENVIRONMENTS = re.compile(r"(^|_)(n|num)_?envs?$|(^|_)number_of_env(s|ironments)$|(^|_)num_environments$")
# Methods by which each call sets the rows back that a mask or an index names.
SETS_ROWS_BACK = frozenset([".masked_fill_", ".index_fill_"])


def has_rows_of_others(state: ClassState, attr: str) -> bool:
    """Tell whether the rows belong to environments, sequences or the like, which come and go."""
    if any(_keeps_some(each) for each in state.runtime_writes(attr)):
        return True
    if any(SETS_ROWS_BACK.intersection(read.use.how) for read in state.reads(attr)):
        return True
    made = state.constructed(attr)
    return bool(made) and all(any(map(ENVIRONMENTS.search, each.write.sources)) for each in made)


def _keeps_some(change: AttributeWrite) -> bool:
    """Tell whether a write leaves the rows of an attribute that something else chooses."""
    value = change.write.value
    if change.write.how != "assign" or not isinstance(value, Item) or value.base != Attr(SELF, change.attr):
        return False
    return not (isinstance(value.key, Const) and isinstance(value.key.value, int))


def is_begun_again(state: ClassState, attr: str) -> bool:
    """Tell whether construction sets an attribute by a method that later calls run as well, for a new period."""
    return any(
        _sets_anew(change)
        and any(change.method.name in state.graph.get(name, ()) for name in _later_methods(state))
        for change in state.constructed(attr)
    )


def _sets_anew(change: AttributeWrite) -> bool:
    return change.method.name not in CONSTRUCTION and not change.guards and not change.write.carried


def _later_methods(state: ClassState) -> frozenset[str]:
    return frozenset(state.graph) - state.runs_at_construction


def is_experience(state: ClassState, attr: str) -> bool:
    """Tell whether an attribute is a store of what calls hand in, in a class that computes nothing with it."""
    filled = all(
        each.write.how == "item" and attr not in each.write.sources for each in state.runtime_writes(attr)
    )
    return filled and not state.registers and not _computes(state)


def _computes(state: ClassState) -> bool:
    defines = state.hierarchy.defines
    related = (state.identity, *state.hierarchy.subclasses(state.identity))
    if state.has_unknown_base or any(defines(each, name) for each in related for name in STEPS):
        return True
    made = (each.value for attr in state.changes for each in state.constructed(attr))
    return any(isinstance(each, (Module, Parameter, Buffer)) for each in made)
