"""What a fresh value is: nothing of what was there before or of what was loaded goes into it."""

from __future__ import annotations

from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.linking.value_names import mentions
from flake8_ckpt.linking.value_names import path_text
from flake8_ckpt.linking.value_names import paths_in

# Methods of data that give statistics of it.
MEASURES = frozenset(["mean", "std", "var", "sum", "min", "max"])


class FreshValues:
    """Tells fresh values from those that go on with what there was."""

    def __init__(self, hierarchy: Hierarchy, evaluator: SymbolicEvaluator) -> None:
        self.hierarchy = hierarchy
        self.evaluator = evaluator
        self.known = hierarchy.symbols.known

    def is_fresh(self, value: Value, target: Value, context: CallContext) -> bool:
        """Tell whether a new value has nothing of what was there before or of what was loaded."""
        if isinstance(target, Local) and target.value == UNKNOWN:
            counts = self.known.hint("key", "counter").search(target.name) is not None
            return isinstance(value, Const) and counts or value == Const(0)
        if value in (UNKNOWN, NONE) or isinstance(value, (Module, Number)):
            return False
        if isinstance(value, (Const, Tensor, NdArray)):
            return True
        held = self.evaluator.expand(value, context)
        if not all(self._is_made(each, context) for each in options_of(held)):
            return False
        named = {*paths_in(value), *paths_in(held)}
        return path_text(target) not in named and not self.is_from_argument(held) and not _is_loaded(held)

    def _is_made(self, value: Value, context: CallContext) -> bool:
        """Tell whether a value is made where it stands, not one that exists or that a method of its own gives."""
        while isinstance(value, Local):
            value = value.value
        if isinstance(value, Call):
            callee = value.callee
            known = isinstance(callee, Name) and callee.path.partition(".")[0] in ("torch", "numpy")
            measured = (
                isinstance(callee, Attr) and callee.name in MEASURES and not isinstance(callee.base, Self)
            )
            class_id = self.evaluator.class_of(value, context)
            is_class = class_id in self.hierarchy.symbols.classes or class_id.rpartition(".")[2][:1].isupper()
            return known or measured or is_class
        return value not in (UNKNOWN, NONE) and not isinstance(
            value, (Attr, Item, Element, Name, Param, Self)
        )

    def is_from_argument(self, value: Value) -> bool:
        """Tell whether a value comes out of a payload, or out of what the function is given."""
        return any(True for _ in rooted(value, self.known))


def _is_loaded(value: Value) -> bool:
    return any("load" in name.lower() or "from_" in name for name in mentions(value))
