"""Constants that break a module once it is moved: plain tensors that meet an input where they were made."""

from __future__ import annotations

from flake8_ckpt.facts.model import REMARK
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.modules.argument_changes import library_arguments
from flake8_ckpt.modules.argument_changes import moved_arguments
from flake8_ckpt.modules.attribute_lifetime import is_tensor
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.members import AttributeWrite


def is_left_behind(tensor: Attribute) -> bool:
    """Tell whether a step uses a constant with its input, and nothing takes the constant to where the input lies."""
    return tensor.is_constant and not excuse_of(tensor)


def excuse_of(tensor: Attribute) -> str:
    """Return what makes a plain tensor harmless as a constant, or an empty string."""
    excuses = {
        "moved by hand at every use": tensor.is_moved_by_hand,
        "put on a device by hand": is_placed(tensor),
        "empty until a method fills it": tensor.is_placeholder,
        "read for its shape or in conditions only": tensor.is_idle,
        "saved by the class itself": tensor.is_carried_by_hooks,
        "there only if it is given": tensor.is_optional,
        "made by what is not known": not _made(tensor),
        "a number in another branch": is_number_elsewhere(tensor),
        "moved by the function that takes it": is_moved_where_taken(tensor),
        "handed to a library that may move it": is_handed_to_library(tensor),
        "without dimensions": is_scalar(tensor),
        "left so by a comment": is_remarked(tensor),
        "set by later calls": not tensor.is_constant,
        "used with no input": not meets_input(tensor),
    }
    return next((each for each, holds in excuses.items() if holds), "")


def is_placed(tensor: Attribute) -> bool:
    """Tell whether construction puts it on a device by hand."""
    made = tensor.state.constructed(tensor.name)
    if any(_is_derived_there(each) or _is_asserted_there(each) for each in made):
        return True
    changes = tensor.state.changes[tensor.name]
    return any(each.write.how == "moved" and each.method.runs_at_construction for each in changes)


def _is_derived_there(change: AttributeWrite) -> bool:
    """Tell whether a write gives a tensor that was put somewhere; one that is handed in may be meant to follow."""
    if isinstance(change.write.value, Param):
        return False
    return any(isinstance(each, Tensor) and each.placed for each in options_of(change.value))


def _is_asserted_there(change: AttributeWrite) -> bool:
    """Tell whether a constructor takes over what its caller has to put where the module is used."""
    value = change.write.value
    return isinstance(value, Param) and value.name in change.method.facts.moves


def is_moved_where_taken(tensor: Attribute) -> bool:
    """Tell whether a method hands it to a function that moves it itself."""
    state = tensor.state
    return any(
        tensor.name in moved_arguments(method, state.identity, state.hierarchy)
        for method in state.methods
        if not method.runs_at_construction
    )


def is_handed_to_library(tensor: Attribute) -> bool:
    """Tell whether each method that combines it with an input hands it to a function that nothing is known of."""
    state = tensor.state
    mixing = [
        each.method
        for each in state.reads(tensor.name)
        if "input" in each.use.how and each.method.name in state.stepping
    ]
    return bool(mixing) and all(
        tensor.name in library_arguments(method, state.hierarchy) for method in mixing
    )


def is_number_elsewhere(tensor: Attribute) -> bool:
    """Tell whether another arm of construction sets it to something that is no tensor for sure."""
    made = [each for each in tensor.state.constructed(tensor.name) if each.value != NONE]
    return not all(is_tensor(each.value) or isinstance(each.value, (Parameter, Buffer)) for each in made)


def is_scalar(tensor: Attribute) -> bool:
    """Tell whether it has no dimension: torch takes such a tensor on any device."""
    made = _made(tensor)
    return bool(made) and all(each.scalar for each in made)


def is_remarked(tensor: Attribute) -> bool:
    """Tell whether a comment at its making says something of buffers: that is the author's word."""
    return any(REMARK in each.guards for each in tensor.writes)


def meets_input(tensor: Attribute) -> bool:
    """Tell whether a forward pass or an update combines it, as it lies, with what it is given."""
    return any(
        "input" in each.use.how
        for each in tensor.state.reads(tensor.name)
        if each.method.name in tensor.state.stepping
    )


def _made(tensor: Attribute) -> list[Tensor]:
    values = (option for each in tensor.state.constructed(tensor.name) for option in options_of(each.value))
    return [option for option in values if option != NONE and isinstance(option, Tensor)]
