"""Which files run together: a script and all that it imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cached_property

from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.symbols import Symbols


class Programs:
    """The programs of a project."""

    def __init__(self, allocations: AllocationSites) -> None:
        self.symbols: Symbols = allocations.symbols
        self.allocations = allocations
        self._found: dict[str, frozenset[str]] = {}

    def around(self, path: str) -> frozenset[str]:
        """Return the files of all programs that a file is part of."""
        if path not in self._found:
            users = _closure([path], self._users)
            starts = [each for each in users if not self._users.get(each, set()) - {each}] or sorted(users)
            self._found[path] = frozenset(_closure(starts, self._used))
        return self._found[path]

    @cached_property
    def _used(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for path in self.symbols.files:
            found[path].update(self._imported(path))
        for identity, calls in self.allocations.callers.items():
            for caller, _ in calls:
                found[caller.path].add(identity.partition(":")[0])
        return found

    @cached_property
    def _users(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for path, used in self._used.items():
            for each in used:
                found[each].add(path)
        return found

    def _imported(self, path: str) -> Iterator[str]:
        names = [
            *self.symbols.imports.get(path, {}).values(),
            *(f"{star}.*" for star in self.symbols.files[path].stars),
        ]
        for name in names:
            file = self.symbols.module_of(name, path)
            if file:
                yield file


def _closure(starts: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    found = set(starts)
    waiting = list(found)
    while waiting:
        for each in edges.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found
