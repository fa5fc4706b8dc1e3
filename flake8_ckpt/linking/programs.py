"""Which files run together: a script and all that it imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.file_imports import closure
from flake8_ckpt.linking.file_imports import imported_files
from flake8_ckpt.linking.file_imports import reversed_edges
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
            users = closure([path], self._users)
            starts = [each for each in users if not self._users.get(each, set()) - {each}] or sorted(users)
            self._found[path] = frozenset(closure(starts, self._used))
        return self._found[path]

    @cached_property
    def _used(self) -> Mapping[str, set[str]]:
        found = defaultdict(set, imported_files(self.symbols))
        for identity, calls in self.allocations.callers.items():
            for caller, _ in calls:
                found[caller.path].add(identity.partition(":")[0])
        return found

    @cached_property
    def _users(self) -> Mapping[str, set[str]]:
        return reversed_edges(self._used)
