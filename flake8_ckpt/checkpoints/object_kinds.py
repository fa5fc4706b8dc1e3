"""What kind of state an object holds, by its class: an optimizer, a scheduler, a normalizer and so on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from flake8_ckpt.checkpoints.environment_wrappers import EnvironmentWrappers
from flake8_ckpt.checkpoints.normalized_classes import NormalizedClasses
from flake8_ckpt.frameworks.records import Hinted
from flake8_ckpt.frameworks.records import Identifier
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

ObjectKind = Literal[
    "optimizer", "scheduler", "scaler", "ema", "normalizer", "environment", "stateful", "module", ""
]
# What only training needs: no module that holds it saves it.
TRAINING: frozenset[ObjectKind] = frozenset(["optimizer", "scheduler", "scaler"])
# A class with more attributes that are named like statistics measures many things: it is a log, no normalizer.
MAX_STATISTICS = 12
# `normalize_obs`, `denormalize`: a method that says what it does, however it does it. A `forward` or a `transform`
# of a class with a mean and a deviation says nothing: a Gaussian policy has both.
NORMALIZES = re.compile(r"^_?(de|un|inv(erse)?_?)?(normali[sz]e|standardi[sz]e|whiten)(_|$)")
# The roles of a record that an object can be called by, where it is lost.
KINDS: dict[str, ObjectKind] = {
    "optimizer": "optimizer",
    "scheduler": "scheduler",
    "grad_scaler": "scaler",
    "ema": "ema",
    "normalizer": "normalizer",
}

# What the name of a project's own class may hint, and the methods one of which it must have for that.
HINTED: dict[Hinted, tuple[str, ...]] = {
    "scheduler": ("step",),
    "optimizer": ("step",),
    "grad_scaler": ("update",),
    "ema": ("update", "step", "apply", "__call__"),
}


class Kinds:
    """Tells the kind of a class."""

    def __init__(self, objects: SymbolicEvaluator) -> None:
        self.hierarchy = objects.hierarchy
        self.known = objects.symbols.known
        self.normalized = NormalizedClasses(objects)
        self.wrappers = EnvironmentWrappers(objects, self.is_normalizer)
        self._known: dict[str, ObjectKind] = {}

    def of(self, class_id: str) -> ObjectKind:
        """Return the kind of a class's objects, "" for others."""
        if class_id not in self._known:
            self._known[class_id] = self._kind(class_id) if class_id else ""
        return self._known[class_id]

    def _kind(self, class_id: str) -> ObjectKind:
        if self.wrappers.statistics(class_id):
            return "environment"
        if self.is_normalizer(class_id):
            return "normalizer"
        if class_id not in self.hierarchy.symbols.classes:
            return KINDS.get(self.known.role_of(class_id), "")
        for ancestor in self.hierarchy.ancestors(class_id)[1:]:
            if ancestor not in self.hierarchy.symbols.classes and self.known.role_of(ancestor) in KINDS:
                return KINDS[self.known.role_of(ancestor)]
        names = self.hierarchy.method_names(class_id)
        tail = class_id.rpartition(":")[2].rpartition(".")[2]
        for role, changes in HINTED.items():
            if self.known.hint("class", role).search(tail) and not names.isdisjoint(changes):
                return KINDS[role]
        if "state_dict" in names and "load_state_dict" in names:
            return "stateful"
        return "module" if self.hierarchy.is_module(class_id) else ""

    def is_stateless(self, class_id: str) -> bool:
        """Tell whether a record says that objects of a class have no state, whatever is done with them."""
        return any(self.known.roles.get(each) == "stateless" for each in self.hierarchy.ancestors(class_id))

    def is_normalizer(self, class_id: str) -> bool:
        """Tell whether objects of a class have running statistics that they update and normalize with."""
        classes = self.hierarchy.symbols.classes
        if class_id not in classes:
            return self.known.role_of(class_id) == "normalizer"
        ancestors = self.hierarchy.ancestors(class_id)
        if any(each not in classes and self.known.role_of(each) == "normalizer" for each in ancestors[1:]):
            return True
        if self._hints("class", "normalizer", [class_id.rpartition(":")[2].rpartition(".")[2]]):
            return True
        statistics = [name for each in ancestors if each in classes for name in classes[each].statistics]
        names = self.hierarchy.method_names(class_id)
        return (
            len(statistics) <= MAX_STATISTICS
            and self._hints("attribute", "mean", statistics)
            and self._hints("attribute", "spread", statistics)
            and self._normalizes(class_id, names)
            and (
                self._hints("method", "updates", names)
                or self._hints("attribute", "count", statistics)
                or self._moves(class_id, statistics)
            )
        )

    def _moves(self, class_id: str, statistics: list[str]) -> bool:
        """Tell whether a method that does not construct moves a mean and a spread towards what it is given."""
        moved = {
            write.attr
            for _, method in self.hierarchy.inherited_methods(class_id)
            for write in method.writes
            if write.carried and method.name not in CONSTRUCTION and write.attr in statistics
        }
        return self._hints("attribute", "mean", moved) and self._hints("attribute", "spread", moved)

    def _normalizes(self, class_id: str, names: Iterable[str]) -> bool:
        """Tell whether a class with statistics, or code that uses its objects, normalizes with them."""
        if any(map(NORMALIZES.search, names)):
            return True
        classes, ancestors = self.hierarchy.symbols.classes, self.hierarchy.ancestors(class_id)
        if any(each in classes and classes[each].divides for each in ancestors):
            return True
        return not self.normalized.all.isdisjoint(self.hierarchy.relatives(class_id))

    def _hints(self, of: Identifier, says: Hinted, names: Iterable[str]) -> bool:
        return any(map(self.known.hint(of, says).search, names))
