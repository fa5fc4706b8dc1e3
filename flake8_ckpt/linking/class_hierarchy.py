"""Which class derives from which, across files, and which classes are modules."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import cached_property

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.frameworks.module_bases import is_external_module
from flake8_ckpt.linking.symbols import Symbols

# More than any real hierarchy has; generated ones end here.
MAX_ANCESTORS = 64


class Hierarchy:
    """The ancestors of every class, in method resolution order (nearest first)."""

    def __init__(self, symbols: Symbols, module_bases: Sequence[str] = ()) -> None:
        self.symbols = symbols
        self.module_bases = tuple(module_bases)
        self._ancestors: dict[str, tuple[str, ...]] = {}
        self._is_module: dict[str, bool] = {}
        self._methods: dict[str, dict[str, FunctionFacts]] = {}

    def ancestors(self, identity: str) -> tuple[str, ...]:
        """Return a class and all its ancestors; those outside the project by absolute name."""
        if identity not in self._ancestors:
            self._ancestors[identity] = (identity,)
            order = [identity]
            for base in self._bases(identity):
                order += self.ancestors(base)
            last = {each: index for index, each in enumerate(order)}
            kept = [each for index, each in enumerate(order) if last[each] == index]
            self._ancestors[identity] = tuple(kept[:MAX_ANCESTORS])
        return self._ancestors[identity]

    def _bases(self, identity: str) -> list[str]:
        facts = self.symbols.classes.get(identity)
        path = identity.partition(":")[0]
        return [self.symbols.resolve(base, path) for base in facts.bases] if facts else []

    def subclasses(self, identity: str) -> list[str]:
        """Return the classes of the project that derive from a class."""
        return self._subclasses.get(identity, [])

    @cached_property
    def _subclasses(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for each in self.symbols.classes:
            for ancestor in self.ancestors(each)[1:]:
                found.setdefault(ancestor, []).append(each)
        return found

    def relatives(self, identity: str) -> list[str]:
        """Return a class with its ancestors, and the classes of the project that derive from it."""
        return [*self.ancestors(identity), *self.subclasses(identity)]

    def are_related(self, one: str, other: str) -> bool:
        """Tell whether one of two classes derives from the other, or they are the same."""
        return one in self.ancestors(other) or other in self.ancestors(one)

    def is_module(self, identity: str) -> bool:
        """Tell whether a class is an `nn.Module`."""
        if identity not in self._is_module:
            self._is_module[identity] = any(
                each not in self.symbols.classes
                and is_external_module(each, self.symbols.known, self.module_bases)
                or each.rpartition(":")[2] in self.module_bases
                for each in self.ancestors(identity)
            )
        return self._is_module[identity]

    def methods(self, identity: str) -> dict[str, FunctionFacts]:
        """Return the methods that one class itself defines and that were read."""
        if identity not in self._methods:
            facts = self.symbols.classes.get(identity)
            self._methods[identity] = {each.name: each for each in facts.methods} if facts else {}
        return self._methods[identity]

    def methods_among(self, identities: Iterable[str]) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the methods that some classes define, each with the class that does, overridden ones too."""
        for each in identities:
            for method in self.methods(each).values():
                yield each, method

    def inherited_methods(self, identity: str) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the methods of a class and its ancestors, each with the class that defines it."""
        return self.methods_among(self.ancestors(identity))

    def related_methods(self, identity: str) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the methods of a class, its ancestors and its subclasses, each with the class that defines it."""
        return self.methods_among(self.relatives(identity))

    def method_names(self, identity: str) -> set[str]:
        """Return the names of all methods of a class and its ancestors in the project, read or not."""
        classes = self.symbols.classes
        return {
            name
            for each in self.ancestors(identity)
            if each in classes
            for name in classes[each].method_names
        }

    def defines(self, identity: str, name: str) -> bool:
        """Tell whether a class or an ancestor in the project defines a method or property of that name."""
        classes = self.symbols.classes
        return any(
            each in classes and name in classes[each].method_names for each in self.ancestors(identity)
        )

    def find_method(self, identity: str, name: str, after: str = "") -> tuple[str, FunctionFacts] | None:
        """Return the class that gives a method, and its summary; `after` asks as `super()` in that class does."""
        order = self.ancestors(identity)
        start = order.index(after) + 1 if after in order else 0
        for each in order[start:]:
            found = self.methods(each).get(name)
            if found is not None:
                return each, found
        return None
