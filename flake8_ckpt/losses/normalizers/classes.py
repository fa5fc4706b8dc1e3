"""Classes of normalizers that are updated by a call: by which methods, and which of them normalize."""

from __future__ import annotations

import re

from flake8_ckpt.frameworks.module_bases import is_external_module
from flake8_ckpt.linking.class_hierarchy import Hierarchy

# `update_mean_var`, `record`, `push`: the calls that a normalizer waits for.
UPDATE = re.compile(r"^_?(update|record|push|observe|partial_fit|add|fit|step)")
# Methods that leave statistics alone, or restore them as they were made.
HARMLESS = re.compile(
    r"^__\w+__$|^_?(get|is|has|reset|init\w*|state_dict|load_state_dict|to|cuda|cpu|train|eval|extra_repr"
    r"|copy|clone|shape|dtype|device|mean|var|std|variance|stddev|count|sum|size|clip|inverse\w*)(_|$)"
)
PLAIN_BASES = frozenset(["object", "abc.ABC", "typing.Generic", "torch.nn.Module"])


class NormalizerClasses:
    """Tells the methods of normalizers."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self.known = hierarchy.symbols.known
        self.means = self.known.hint("attribute", "mean")
        self.spreads = self.known.hint("attribute", "spread")
        self.normalizing = self.known.hint("method", "normalizes")
        self._updates: dict[str, frozenset[str]] = {}

    def updates(self, class_id: str) -> frozenset[str]:
        """Return the methods that update a normalizer; none where it is no normalizer, or updates itself."""
        if class_id not in self._updates:
            self._updates[class_id] = self._updates_of(class_id)
        return self._updates[class_id]

    def update_of(self, class_id: str) -> str:
        """Return the method to call: `update` where there is one, else the first of a plain name."""
        return min(self.updates(class_id), key=lambda name: (name != "update", name.startswith("_"), name))

    def _updates_of(self, class_id: str) -> frozenset[str]:
        if class_id not in self.symbols.classes:
            return self.known.plain_updates.get(class_id, frozenset())
        ancestors = self.hierarchy.ancestors(class_id)
        outside = [each for each in ancestors if each not in self.symbols.classes]
        if any(each not in PLAIN_BASES and not is_external_module(each, self.known) for each in outside):
            return frozenset()
        names = self.hierarchy.method_names(class_id)
        known = [*names, *(each for owner in ancestors for each in self._statistics(owner))]
        if not any(map(self.means.search, known)) or not any(map(self.spreads.search, known)):
            return frozenset()
        found = self._callers_of({name for name in names if UPDATE.search(name)}, class_id)
        others = names - found
        is_understood = all(self.normalizing.search(name) or HARMLESS.search(name) for name in others)
        normalizes = {name for name in names if self.normalizing.search(name)}
        if not is_understood or found & normalizes or self._sets_statistics(normalizes, class_id):
            return frozenset()
        return frozenset(found)

    def _statistics(self, class_id: str) -> tuple[str, ...]:
        return self.symbols.classes[class_id].statistics if class_id in self.symbols.classes else ()

    def _callers_of(self, methods: set[str], class_id: str) -> set[str]:
        """Return some methods of a class, and all other methods but its constructor that call them."""
        graph = [
            edge
            for each in self.hierarchy.ancestors(class_id)
            if each in self.symbols.classes
            for edge in self.symbols.classes[each].graph
        ]
        found = set(methods)
        while True:
            more = {name for name, called in graph if name != "__init__" and found & set(called)} - found
            if not more:
                return found
            found |= more

    def _sets_statistics(self, methods: set[str], class_id: str) -> bool:
        statistics = {
            each for owner in self.hierarchy.ancestors(class_id) for each in self._statistics(owner)
        }
        return any(
            write.attr in statistics
            for _, method in self.hierarchy.inherited_methods(class_id)
            if method.name in methods
            for write in method.writes
        )

    def normalizes(self, name: str, made: str) -> bool:
        """Tell whether a method or attribute of a normalizer, or its call, is what normalizing takes."""
        if name == "call":
            return not self.hierarchy.method_names(made).isdisjoint(("__call__", "forward"))
        return self.normalizing.search(name) is not None or self.spreads.search(name) is not None
