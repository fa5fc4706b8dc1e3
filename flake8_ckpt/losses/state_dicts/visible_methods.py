"""The methods that objects of a class run, with those of its ancestors in the project."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.hooks.values import own_calls
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.linking.class_hierarchy import Hierarchy


class VisibleMethods:
    """The methods of one class: the nearest of each name, and those that it calls with `super()`."""

    def __init__(self, class_id: str, hierarchy: Hierarchy) -> None:
        self.class_id = class_id
        self.hierarchy = hierarchy
        self.all = list(self._visible())

    def _visible(self) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the methods with the classes that define them."""
        hidden: set[str] = set()
        classes = self.hierarchy.symbols.classes
        for owner in self.hierarchy.ancestors(self.class_id):
            for method in self.hierarchy.methods(owner).values():
                if method.name not in hidden:
                    yield owner, method
            if owner in classes:
                asking = {name for name, callees in classes[owner].graph if name in callees}
                hidden |= set(classes[owner].method_names) - asking - CONSTRUCTION

    def about(self, attr: str) -> list[tuple[str, FunctionFacts]]:
        """Return the methods that set or read an attribute, with the classes that define them."""
        return self._by_attribute.get(attr, [])

    def run(self, *names: str) -> list[FunctionFacts]:
        """Return the methods of these names, and those that they call on the same object."""
        known = set(names)
        found = [method for name in known for method in self._by_name.get(name, ())]
        for method in found:
            called = {name for name, _ in own_calls(method)} - known
            known |= called
            found += [each for name in called for each in self._by_name.get(name, ())]
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[FunctionFacts]]:
        found: dict[str, list[FunctionFacts]] = {}
        for _, method in self.all:
            found.setdefault(method.name, []).append(method)
        return found

    @cached_property
    def _by_attribute(self) -> dict[str, list[tuple[str, FunctionFacts]]]:
        found: dict[str, list[tuple[str, FunctionFacts]]] = {}
        for owner, method in self.all:
            for attr in {*(write.attr for write in method.writes), *(use.attr for use in method.uses)}:
                found.setdefault(attr, []).append((owner, method))
        return found
