"""What a call gives: a `VecNormalize`, fresh or restored, or a model, made or loaded."""

from __future__ import annotations

from typing import Literal
from typing import Optional

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.stable_baselines3 import ALGORITHM
from flake8_ckpt.frameworks.stable_baselines3 import ALGORITHM_TABLE
from flake8_ckpt.frameworks.stable_baselines3 import WRAPPER
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

WrapperRole = Literal["fresh", "restored", ""]
ModelRole = Literal["made", "loaded", ""]


def argument(call: Call, index: int, *names: str) -> Optional[Value]:
    """Return an argument by position or name."""
    if index < len(call.args):
        return call.args[index]
    return next((value for name, value in call.keywords if name in names), None)


class Roles:
    """Tells wrappers and algorithms by their classes."""

    def __init__(self, evaluator: SymbolicEvaluator) -> None:
        self.hierarchy = evaluator.hierarchy
        self.symbols = evaluator.symbols
        self.evaluator = evaluator

    def target(self, call: Call, place: Place) -> str:
        """Return what a call names, as an identity or an absolute name; "" for a method of an object."""
        if not isinstance(call.callee, Name):
            return ""
        return self.symbols.resolve(call.callee.path, place.callee.path)

    def of_wrapper(self, call: Call, place: Place) -> WrapperRole:
        """Return "fresh" or "restored" for a call that gives a `VecNormalize`."""
        target = self.target(call, place)
        if target:
            head, _, tail = target.rpartition(".")
            if self.is_wrapper(target):
                return "fresh"
            return "restored" if tail == "load" and self.is_wrapper(head) else ""
        if isinstance(call.callee, Attr) and call.callee.name == "load":
            is_wrapper = self.is_wrapper(self.evaluator.class_of(call.callee.base, place.context))
            return "restored" if is_wrapper else ""
        return ""

    def of_model(self, call: Call, place: Place) -> ModelRole:
        """Return "made" or "loaded" for a call that gives a model."""
        target = self.target(call, place)
        if target:
            head, _, tail = target.rpartition(".")
            if self.is_algorithm(target):
                return "made"
            return "loaded" if tail == "load" and self.is_algorithm(head) else ""
        if isinstance(call.callee, Attr):
            loads = call.callee.name == "load" and self._loads_model(call.callee.base, place)
            return "loaded" if loads else ""
        return "made" if self._is_algorithm_value(call.callee, place) else ""

    def is_wrapper(self, class_id: str) -> bool:
        """Tell whether a class is `VecNormalize` or derives from it."""
        return any(map(WRAPPER.search, self.hierarchy.ancestors(class_id)))

    def is_algorithm(self, class_id: str) -> bool:
        """Tell whether a class is an algorithm of Stable-Baselines3."""
        return any(map(ALGORITHM.search, self.hierarchy.ancestors(class_id)))

    def _loads_model(self, base: Value, place: Place) -> bool:
        return self._is_algorithm_value(base, place) or self.is_algorithm(
            self.evaluator.class_of(base, place.context)
        )

    def _is_algorithm_value(self, value: Value, place: Place) -> bool:
        """Tell whether a value is a class of algorithms: one of several, or one from a table of them."""
        if isinstance(value, Join):
            return all(self._is_algorithm_value(option, place) for option in value.options)
        if isinstance(value, Local):
            return self._is_algorithm_value(value.value, place)
        if isinstance(value, Item):
            return isinstance(value.base, Name) and ALGORITHM_TABLE.search(value.base.path) is not None
        return isinstance(value, Name) and self.is_algorithm(
            self.symbols.resolve(value.path, place.callee.path)
        )
