"""Whether nothing is lost with a module that a plain container holds: it has no weights and no train mode."""

from __future__ import annotations

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Unknown
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch import is_stateless
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.usage.measures import is_measure

# A list of losses, of which each holds a pooling; deeper ones may hold anything.
MAX_NESTED = 4
PLAIN_BASES = frozenset("torch.nn.Module object abc.ABC typing.Generic".split())


def holds_no_state(state: ClassState, path: str, depth: int = MAX_NESTED) -> bool:
    """Tell whether the objects of a class register nothing when they are made, as far as its text tells."""
    known = state.hierarchy.symbols.classes
    if path not in known or depth == 0:
        return is_stateless(path)
    if is_measure(state.hierarchy, path):
        return True
    if not any(state.hierarchy.defines(path, each) for each in ("forward", "__call__")):
        return False  # a base of what computes
    return all(
        _adds_no_state(state, each, depth) if each in known else each in PLAIN_BASES or is_stateless(each)
        for each in state.hierarchy.relatives(path)
    )


def _adds_no_state(state: ClassState, path: str, depth: int) -> bool:
    known = state.hierarchy.symbols.classes[path]
    if known.stateless:
        return True
    if "__init__" not in {each.name for each in known.methods}:
        return False
    held = ClassState(path, state.hierarchy, state.kind_evaluator)
    if any(method.runs_at_construction for method, _ in held.registers):
        return False
    return all(_is_harmless(held, each, depth) for attr in held.changes for each in held.constructed(attr))


def _is_harmless(held: ClassState, change: AttributeWrite, depth: int) -> bool:
    """Tell whether a constructor sets an attribute to something that is no module with state."""
    options = [each for option in options_of(change.value) for each in _within(option)]
    if any(isinstance(each, (Parameter, Buffer)) for each in options):
        return False
    modules = [each for each in options if isinstance(each, Module)]
    if modules:
        return all(holds_no_state(held, each.path, depth - 1) for each in modules)
    if isinstance(change.write.value, Param):
        called = frozenset().union(*held.graph.values())
        return change.attr not in called or _has_default(change)
    return not any(isinstance(each, Unknown) for each in options)


def _within(value: Value) -> tuple[Value, ...]:
    return options_of(value.of) if isinstance(value, Container) and value.size != 0 else (value,)


def _has_default(change: AttributeWrite) -> bool:
    """Tell whether a write takes over a parameter that is something else than a module if it is left out."""
    raw = change.write.value
    return isinstance(raw, Param) and any(
        each.name == raw.name and each.default not in (None, NONE) and not isinstance(each.default, Module)
        for each in change.method.facts.parameters
    )
