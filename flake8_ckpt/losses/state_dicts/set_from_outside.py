"""Attributes that the code around an object sets: `self.learner.updates = book["updates"]`."""

from __future__ import annotations

from functools import cached_property

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import followed_functions


class SetFromOutside:
    """Asks the functions that may save or load what they set of other objects."""

    def __init__(self, contract: Contract) -> None:
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator

    def sets(self, class_id: str, attr: str) -> bool:
        """Tell whether other code sets an attribute of the objects of a class: it is its affair to restore it."""
        owners = (self.evaluator.class_of(base, CallContext(unit)) for unit, base in self._set.get(attr, ()))
        return any(each and self.hierarchy.are_related(class_id, each) for each in owners)

    @cached_property
    def _set(self) -> dict[str, list[tuple[FunctionRef, Value]]]:
        """Return the attributes that functions set of other objects, with these."""
        found: dict[str, list[tuple[FunctionRef, Value]]] = {}
        for unit in followed_functions(self.hierarchy.symbols):
            for target in (each.target for each in unit.function.stores):
                if isinstance(target, Attr) and target.base != SELF:
                    found.setdefault(target.name, []).append((unit, target.base))
        return found
