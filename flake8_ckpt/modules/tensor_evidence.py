"""Whether an attribute is a tensor, judged by all that is done with it where no assignment says so."""

from __future__ import annotations

from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.modules.class_state import ClassState

# Methods that arrays, containers and numbers do not have.
TENSOR_METHODS = frozenset(
    "clone detach unsqueeze squeeze float half lerp_ mul_ add_ copy_ sub_ div_ addcmul_ zero_ fill_"
    " new_zeros new_ones type_as expand_as view_as expand requires_grad_ masked_fill masked_fill_ is_cuda"
    " amax amin".split()
)


def is_tensor_by_use(state: ClassState, attr: str) -> bool:
    """Tell whether some later write gives a tensor, or only a tensor has the methods called on it."""
    changes = state.runtime_writes(attr)
    values = [option for change in changes for option in options_of(change.value)]
    if any(isinstance(value, (Number, Container, NdArray)) or _is_literal(value) for value in values):
        return False
    if any(isinstance(value, Tensor) for value in values):
        return True
    if any(change.write.how == "inplace" for change in changes):
        return True
    if any(_calls_tensor_method(change.write.value) for change in changes):
        return True
    hows = {how[1:] for read in state.uses.get(attr, ()) for how in read.use.how if how.startswith(".")}
    return bool(hows & TENSOR_METHODS)


def _is_literal(value: Value) -> bool:
    return isinstance(value, Const) and value.value is not None


def _calls_tensor_method(value: Value) -> bool:
    if isinstance(value, Arith):
        return any(_calls_tensor_method(each) for each in value.operands)
    if not isinstance(value, Call):
        return (
            any(_calls_tensor_method(each) for each in options_of(value))
            if options_of(value) != (value,)
            else False
        )
    return isinstance(value.callee, Attr) and value.callee.name in TENSOR_METHODS
