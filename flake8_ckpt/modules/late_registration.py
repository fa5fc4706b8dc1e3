"""Buffers and parameters that a class registers only after construction."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flake8_ckpt.facts.model import GuardKind
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch import is_stateless
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.modules.attribute_lifetime import is_transient
from flake8_ckpt.modules.attribute_lifetime import lifetime
from flake8_ckpt.modules.carried_writes import depends_on_previous_value
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.members import Method
from flake8_ckpt.modules.training_writes import is_left_by_training

# Methods in which a class can create what a checkpoint holds before the base class looks for it.
LOADERS = frozenset(["_load_from_state_dict", "load_state_dict", "set_extra_state", "__setstate__"])
PRE_HOOKS = frozenset(
    "_register_load_state_dict_pre_hook register_load_state_dict_pre_hook _register_load_state_dict_hook".split()
)
# What layers and norms of torch register in their own constructors, which are not read.
FOREIGN = frozenset(
    "weight bias running_mean running_var num_batches_tracked in_proj_weight in_proj_bias".split()
)
# Guards of lazy creation: `if self.x is None`, `if not hasattr(self, "x")`, `if not self.built`.
LAZY: frozenset[GuardKind] = frozenset(["none", "missing", "unset"])

# `convert_to_deploy`, `switch_to_deploy`, `fuse`, `reparameterize`, `merge_bn`: what they make is for export.
CONVERTS = re.compile(r"deploy|fuse|fusing|reparam|(^|_)(merge|convert|export|quanti[sz]e|prune)(_|$)")


@dataclass(frozen=True)
class LateRegistration:
    """An attribute registered outside construction, the method that does it, and where."""

    attr: str
    method: str
    location: Spot


def late_registrations(state: ClassState) -> list[LateRegistration]:
    """Return what a class registers lazily, in order of place; nothing where a load hook prepares it."""
    if _prepares_itself(state):
        return []
    certain = _certain_construction(state)
    found = [
        LateRegistration(each.name, method.name, Spot(state.path, each.position))
        for method, each in state.registers
        if _is_late(state, method, each, certain)
    ]
    found += [*_late_assignments(state, certain), *_declared_only(state)]
    return sorted(found, key=lambda each: each.location.position)


def deciding_parameters(state: ClassState, attr: str) -> set[str]:
    """Return the parameters of the constructor of which each, if it is not None, lets it register an attribute."""
    makers = {method.name for method, each in state.registers if each.name == attr}
    makers |= {each.method.name for each in state.changes.get(attr, ()) if each.value != NONE}
    return {
        guard.name
        for method in state.methods
        if method.name == "__init__"
        for name, site in method.own_calls()
        if name in makers
        for guard in site.guards
        if guard.kind == "present"
    }


def _is_late(state: ClassState, method: Method, register: Register, certain: frozenset[str]) -> bool:
    if (
        method.owner != state.identity
        or method.name in certain
        or not _is_lazy(state, method, register.guards)
    ):
        return False
    if not _is_persistent(register) or _is_foreign(state, register.name):
        return False
    return not _is_registered_first(state, register.name, certain)


def _declared_only(state: ClassState) -> list[LateRegistration]:
    """Return the buffers that are registered as None and that a method fills with what it learns."""
    declared = {
        each.name
        for method, each in state.registers
        if method.owner == state.identity and each.value == NONE and each.kind == "buffer" and each.persistent
    }
    return [
        LateRegistration(attr, change.method.name, change.location)
        for attr in sorted(declared)
        if not is_transient(attr)
        for change in state.runtime_writes(attr)
        if change.method.owner == state.identity
        and change.write.how == "assign"
        and _is_learned(state, change)
    ]


def _is_learned(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a write fills a buffer with what the method is given, other than to look it up again."""
    if depends_on_previous_value(state, change):
        return True
    if is_left_by_training(state, change.attr, state.runtime_writes(change.attr)):
        return True
    looked_at = any(guard.name == change.attr for guard in change.guards)
    return (
        not looked_at
        and change.method.name not in state.stepping
        and lifetime(state, change.write.attr) == "fitted"
    )


def _late_assignments(state: ClassState, certain: frozenset[str]) -> list[LateRegistration]:
    return [
        LateRegistration(attr, change.method.name, change.location)
        for attr, changes in state.changes.items()
        for change in changes
        if change.method.owner == state.identity
        and change.method.name not in certain
        and change.write.how == "assign"
        and (isinstance(change.value, Parameter) or change.value == Buffer(True) or _is_layer(change))
        and _is_lazy(state, change.method, change.guards)
        and not _is_registered_first(state, attr, certain)
        and not _is_foreign(state, attr)
        and not _is_converted(state, change)
        and not any(each.value == NONE for each in state.runtime_writes(attr))
    ]


def _is_converted(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a method that no step runs makes another form of the module: training goes on with the first."""
    return change.method.name not in state.stepping and CONVERTS.search(change.method.name) is not None


def _is_layer(change: AttributeWrite) -> bool:
    """Tell whether a write makes a layer of torch that has weights."""
    made = isinstance(change.write.value, (Module, Call)) and isinstance(change.value, Module)
    if not made or not isinstance(change.value, Module):
        return False
    return change.value.path.startswith("torch.nn.") and not is_stateless(change.value.path)


def _is_persistent(register: Register) -> bool:
    if register.kind not in ("buffer", "parameter") or "*" in register.name:
        return False
    return register.persistent and register.value != NONE


def _is_foreign(state: ClassState, attr: str) -> bool:
    """Tell whether a base class of torch declares the name itself."""
    return state.has_unknown_base and attr in FOREIGN


def _is_registered_first(state: ClassState, attr: str, certain: frozenset[str]) -> bool:
    """Tell whether construction always gives the attribute a value that a checkpoint can fill."""
    for method, each in state.registers:
        if each.name == attr and method.name in certain and each.value != NONE:
            return True
    assigned = [change for change in state.changes.get(attr, ()) if change.method.name in certain]
    return any(change.value != NONE for change in assigned)


def _is_lazy(state: ClassState, method: Method, guards: Guards) -> bool:
    """Tell whether a step runs a method, or some method does where a look says that it has not run yet."""
    if method.runs_at_construction and not any(
        method.name in callees
        for name, callees in state.graph.items()
        if name not in state.runs_at_construction
    ):
        return False
    if any(guard.kind in LAZY for guard in guards):
        return True
    return any(method.name in _called(each, lazily=True) for each in state.methods)


def _called(method: Method, lazily: bool) -> set[str]:
    """Return the methods that a method calls: those under a lazy guard, or those it always calls."""
    return {
        name
        for name, site in method.own_calls()
        if (any(guard.kind in LAZY for guard in site.guards) if lazily else not site.guards)
    }


def _certain_construction(state: ClassState) -> frozenset[str]:
    """Return the methods that construction runs whatever its arguments are."""
    read = {method.name: method for method in state.methods}
    reached = set(CONSTRUCTION)
    stack = list(CONSTRUCTION)
    while stack:
        name = stack.pop()
        callees = _called(read[name], lazily=False) if name in read else state.graph.get(name, frozenset())
        for callee in callees - reached:
            reached.add(callee)
            stack.append(callee)
    return frozenset(reached)


def _prepares_itself(state: ClassState) -> bool:
    if any(use.attr in PRE_HOOKS for method in state.methods for use in method.facts.uses):
        return True
    if any(each.endswith("LazyModuleMixin") for each in state.hierarchy.ancestors(state.identity)):
        return True
    loaders = [method for method in state.methods if method.name in LOADERS]
    if not loaders:
        return False
    makers = {method.name for method, _ in state.registers}
    makers |= {
        change.method.name for changes in state.changes.values() for change in changes if _is_made(change)
    }
    return any(_makes_first(state, method, makers) for method in loaders)


def _makes_first(state: ClassState, loader: Method, makers: set[str]) -> bool:
    """Tell whether a load hook creates something before it lets the base class look."""
    handed_on = [
        site.position
        for site in loader.facts.calls
        if isinstance(site.call.callee, Attr) and isinstance(site.call.callee.base, Super)
    ]
    creations = [each.position for each in loader.facts.registers]
    creations += [each.position for each in loader.facts.writes if _is_creation(each)]
    creations += [
        site.position for name, site in loader.own_calls() if state.reach(frozenset([name])) & makers
    ]
    return bool(creations) and (not handed_on or min(creations) < min(handed_on))


def _is_made(change: AttributeWrite) -> bool:
    if isinstance(change.value, (Parameter, Buffer, Tensor, Module)):
        return True
    return change.value == UNKNOWN and change.write.how == "assign"


def _is_creation(write: Write) -> bool:
    return write.how == "assign" and not isinstance(write.value, Const)
