"""What the methods of a class that save, restore or move its objects take care of."""

from __future__ import annotations

from flake8_ckpt.frameworks.torch_methods import CARRIERS
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import LOADERS
from flake8_ckpt.frameworks.torch_methods import MOVERS
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import Method


def is_carried_by_hooks(state: ClassState, attr: str) -> bool:
    """Tell whether the class's own saving mentions an attribute, or all of them."""
    if state.saves_itself:
        return True
    return any(
        _mentions(each, attr) or each.name in CARRIERS and _sets(each, attr) for each in state.carriers
    )


def is_rebuilt_by_hooks(state: ClassState, attr: str) -> bool:
    """Tell whether the class's own loading runs a method that makes an attribute from others: a cache of them."""
    run = state.reach(LOADERS)
    return any(
        change.method.name in run and (change.write.how == "item" or set(change.write.sources) - {attr})
        for change in state.changes.get(attr, ())
    )


def is_moved_by_hooks(state: ClassState, attr: str) -> bool:
    """Tell whether the class moves an attribute itself in `_apply` or `to`, or makes it anew there."""
    own = [each for each in state.methods if each.name in MOVERS]
    if any(_mentions(each, attr) or _sets(each, attr) for each in own):
        return True
    movers = frozenset(name for name in MOVERS if state.hierarchy.defines(state.identity, name))
    run = state.reach(movers) - CONSTRUCTION
    return any(change.method.name in run for change in state.changes.get(attr, ()))


def _mentions(method: Method, attr: str) -> bool:
    return any(use.attr in (attr, "__dict__") for use in method.facts.uses)


def _sets(method: Method, attr: str) -> bool:
    return any(write.attr == attr for write in method.facts.writes)
