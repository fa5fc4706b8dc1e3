"""Which classes only hold statistics, and have their objects normalized with by those who use them:
`(x - stats.mean) / np.sqrt(stats.var)`.

A file's text tells the names of such objects (`FileFacts.normalized`). Who holds an object of that name tells
its class; where nobody does, as for the parameter of a helper, the classes that the file defines or imports count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.facts.values import Local
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator


class NormalizedClasses:
    """The classes of a project whose objects are normalized with from outside."""

    def __init__(self, objects: SymbolicEvaluator) -> None:
        self.objects = objects
        self.symbols = objects.symbols

    @cached_property
    def all(self) -> frozenset[str]:
        """Return them."""
        if not self._candidates:
            return frozenset()
        return frozenset(
            class_id
            for path, facts in self.symbols.files.items()
            if not is_test(path)
            for name in facts.normalized
            for class_id in self._held.get(name) or self._known_in(path)
        )

    @cached_property
    def _candidates(self) -> frozenset[str]:
        """Return the classes with statistics."""
        return frozenset(each for each, facts in self.symbols.classes.items() if facts.statistics)

    @cached_property
    def _held(self) -> dict[str, set[str]]:
        """Return the classes with statistics of the objects of each name that some file normalizes with."""
        names = {name for facts in self.symbols.files.values() for name in facts.normalized}
        found: dict[str, set[str]] = defaultdict(set)
        for name, class_id in (*self._attributes(names), *self._locals(names)):
            found[name] |= {class_id} & self._candidates
        return found

    def _attributes(self, names: set[str]) -> Iterator[tuple[str, str]]:
        for holder, facts in self.symbols.classes.items():
            for name in names & {write.attr for method in facts.methods for write in method.writes}:
                yield name, self.objects.attribute_class(holder, name)

    def _locals(self, names: set[str]) -> Iterator[tuple[str, str]]:
        for unit in followed_functions(self.symbols):
            for store in unit.function.stores:
                if isinstance(store.target, Local) and store.target.name in names:
                    yield store.target.name, self.objects.class_of(store.value, CallContext(unit))

    def _known_in(self, path: str) -> Iterator[str]:
        """Yield the classes with statistics that a file defines or imports."""
        for class_id in self._candidates:
            if class_id.partition(":")[0] == path:
                yield class_id
        for imported in self.symbols.imports.get(path, {}).values():
            if self.symbols.resolve(imported, path) in self._candidates:
                yield self.symbols.resolve(imported, path)
