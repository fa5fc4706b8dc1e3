"""Counters of held objects that drive a schedule of their own: `self.weight = self.schedule(self.steps)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Const
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.linking.class_hierarchy import Hierarchy

# What a count of steps decides of a training: `self.epsilon`, `self.decay`, `self.weight`, `self.kl_coef`.
SCHEDULED = re.compile(
    r"(^|_)(eps|epsilon|decay|weight|beta|alpha|temp|temperature|coeff?|lr|rate|noise|sigma|tau|prob|lambda|ratio)$"
)


def scheduling_counters(class_id: str, hierarchy: Hierarchy) -> Iterator[tuple[str, Spot]]:
    """Yield the attributes that begin at a number, that nothing but counting changes, and that decide another one."""
    writes = [
        (owner, method.name in CONSTRUCTION, write)
        for owner, method in hierarchy.inherited_methods(class_id)
        for write in method.writes
    ]
    later = [write for _, is_made, write in writes if not is_made]
    driven = [each for each in later if each.how == "assign" and SCHEDULED.search(each.attr)]
    for attr in dict.fromkeys(name for each in driven for name in each.sources if name != each.attr):
        own = [(owner, is_made, write) for owner, is_made, write in writes if write.attr == attr]
        begun = [write for _, is_made, write in own if is_made]
        counted = [(owner, write) for owner, is_made, write in own if not is_made]
        is_number = bool(begun) and all(_is_number(each) for each in begun)
        if is_number and counted and all(_counts(write) for _, write in counted):
            owner, first = counted[0]
            yield attr, Spot(owner.partition(":")[0], first.position)


def _is_number(write: Write) -> bool:
    return isinstance(write.value, Const) and type(write.value.value) in (int, float)


def _counts(write: Write) -> bool:
    """Tell whether a write adds a constant: `self.steps += 1`."""
    steps = write.value.operands if isinstance(write.value, Arith) else ()
    return write.how == "augment" and any(isinstance(each, Const) for each in steps)
