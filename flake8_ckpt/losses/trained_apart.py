"""Plain tensors that an optimizer takes by themselves, on modules that no program loads to train on."""

from __future__ import annotations

from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.resumption import Resumption


class TrainedApart:
    """Asks who trains a tensor, and who loads the objects of its class."""

    def __init__(self, resumption: Resumption) -> None:
        self.resumption = resumption
        self.hierarchy = resumption.hierarchy
        self._loaded: dict[str, bool] = {}

    def is_harmless(self, class_id: str, attr: str) -> bool:
        """Tell whether a tensor is trained all the same, and no run goes on with what a file lacks."""
        return self._is_given(class_id, attr) and not self._is_trained_on(class_id)

    def _is_given(self, class_id: str, attr: str) -> bool:
        """Tell whether a method of the class hands the tensor itself to an optimizer: `Adam([self.log_alpha])`."""
        held = Attr(SELF, attr)
        return any(
            held in parts_of(each)
            for _, method in self.hierarchy.related_methods(class_id)
            for site in method.calls
            for each in arguments_of(site.call)[:1]
        )

    def _is_trained_on(self, class_id: str) -> bool:
        if class_id not in self._loaded:
            self._loaded[class_id] = any(
                self.resumption.goes_on_from(unit, site.position)
                for unit in followed_functions(self.hierarchy.symbols)
                for site in unit.function.calls
                if self._may_load(site, unit, class_id)
            )
        return self._loaded[class_id]

    def _may_load(self, site: Site, unit: FunctionRef, class_id: str) -> bool:
        """Tell whether a call may fill an object of a class from a file."""
        callee = site.call.callee
        if not isinstance(callee, Attr) or callee.name != "load_state_dict":
            return False
        loaded = self.resumption.evaluator.class_of(callee.base, CallContext(unit))
        return (
            not loaded
            or loaded in self.hierarchy.symbols.classes
            and self.hierarchy.are_related(loaded, class_id)
        )
