"""What a method changes for an episode, for a life or for its own time, and not for the whole training."""

from __future__ import annotations

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.modules.attribute_lifetime import RESETS

# So many attributes set to literals, whatever they held, are the start of an episode or of a life.
MIN_RESTARTED = 4


def puts_back(method: FunctionFacts, attr: str) -> bool:
    """Tell whether a method changes an attribute for its own time: `before = self.on`, ..., `self.on = before`."""
    return any(
        write.attr == attr and write.how == "assign" and write.value == Attr(SELF, attr)
        for write in method.writes
    )


def begins_element(write: Write) -> bool:
    """Tell whether an element is set to a literal, to a new array, or to what a reset gives."""
    if write.how != "item" or not write.guards:
        return False
    value = write.value
    while isinstance(value, Item):
        value = value.base
    if isinstance(value, Call):
        return isinstance(value.callee, Attr) and RESETS.search(value.callee.name) is not None
    return isinstance(value, (Const, Number, Tensor, NdArray))


def restarts(method: FunctionFacts) -> bool:
    """Tell whether a method of any name starts an object over: it sets many attributes to literals."""
    literals = {write.attr for write in method.writes if not write.guards and isinstance(write.value, Const)}
    return len(literals) >= MIN_RESTARTED
