"""Containers that are known to hold modules by what is done with their elements."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Param
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite

# `for net in self.nets: net.parameters()`: only modules have these methods.
MODULE_CALLS = frozenset(
    "element.parameters element.named_parameters element.state_dict element.load_state_dict element.eval"
    " element.requires_grad_ element.zero_grad element.modules element.half element.cuda element.train".split()
)
# `self.critics = critics`, iterated over and called: lists of modules by their names.
HANDED_NAMES = re.compile(
    r"^_?(models|encoders|decoders|generators|networks|nets|critics|actors|policies|experts)$"
)
# Methods that strings, mappings, numbers and environments have too: no sign of a module.
PLAIN_METHODS = frozenset(
    "split lower upper strip get keys items values append extend format join startswith endswith replace"
    " item tolist size shape dim reset step close update copy pop index count".split()
)
# A list that was handed in and whose elements are called needs such a name to be one of modules.
MODULE_NAMES = re.compile(
    r"(^|_)(models?|encoders?|decoders?|generators?|layers?|nets?|networks?|modules?|blocks?|critics?|actors?|heads?)$"
)


def holds_modules_by_use(state: ClassState, attr: str, made: Sequence[AttributeWrite]) -> bool:
    """Tell whether a container that was handed in holds modules, as far as its use tells."""
    hows = {how for read in state.uses.get(attr, ()) for how in read.use.how}
    if not all(_is_handed_in(change) for change in made):
        return False
    if hows & MODULE_CALLS:
        return True
    methods = {how[8:] for how in hows if how.startswith("element.")}
    if HANDED_NAMES.search(attr) and "iter" in hows and methods - PLAIN_METHODS:
        return True
    called = "element()" in hows or "element.forward" in hows
    copied = any(isinstance(change.write.value, Container) for change in made)
    return called and copied and MODULE_NAMES.search(attr) is not None


def _is_handed_in(change: AttributeWrite) -> bool:
    raw = change.write.value
    if isinstance(raw, Param):
        return change.value == UNKNOWN
    return (
        isinstance(raw, Container)
        and raw.size == -1
        and isinstance(change.value, Container)
        and change.value.of == UNKNOWN
    )
