"""Whether the program that saves a policy runs the function that makes an environment."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.programs import Programs
from flake8_ckpt.losses.environments.made import NO
from flake8_ckpt.losses.environments.made import SWITCHES
from flake8_ckpt.losses.environments.made import NormalizedEnvironment


class EnvironmentReach:
    """Follows calls and imports from a save to an environment."""

    def __init__(self, allocations: AllocationSites) -> None:
        self.allocations = allocations
        self.symbols = allocations.symbols
        self.programs = Programs(allocations)

    def program_of(self, path: str) -> frozenset[str]:
        """Return the files of the programs that a file is part of."""
        return self.programs.around(path)

    def is_made(self, made: NormalizedEnvironment, saving: str, files: frozenset[str]) -> bool:
        """Tell whether a program runs the function that makes an environment, and lets it normalize."""
        if made.unit.path not in files or self._is_switched_off(made, files):
            return False
        if made.unit.path == saving:
            return True
        return self._is_called(made, files) or self._is_imported(made, files)

    def is_near(self, made: NormalizedEnvironment, saving: str) -> bool:
        """Tell whether the very file that saves makes an environment, or calls the function that does."""
        callers = self.allocations.callers.get(made.unit.identity, ())
        return saving in (made.unit.path, *(caller.path for caller, _ in callers))

    def _is_called(self, made: NormalizedEnvironment, files: frozenset[str]) -> bool:
        """Tell whether a call in another file of a program leads to the function."""
        seen = {made.unit.identity}
        waiting = [made.unit.identity]
        while waiting:
            for caller, _ in self.allocations.callers.get(waiting.pop(), ()):
                if caller.path in files and caller.path != made.unit.path:
                    return True
                if caller.identity not in seen:
                    seen.add(caller.identity)
                    waiting.append(caller.identity)
        return False

    def _is_imported(self, made: NormalizedEnvironment, files: frozenset[str]) -> bool:
        """Tell whether another file of a program imports the function, or its class, and may hand it on."""
        importers = {
            path
            for identity in {made.unit.identity, made.unit.class_id} - {""}
            for path in self._importers.get(identity, ())
        }
        return not importers.isdisjoint(files - {made.unit.path})

    @cached_property
    def _importers(self) -> dict[str, set[str]]:
        """Return the files that import something of the project, by the identity of what they import."""
        found: dict[str, set[str]] = defaultdict(set)
        for path, names in self.symbols.imports.items():
            for name in names.values():
                found[self.symbols.resolve(name, path)].add(path)
        return found

    def _is_switched_off(self, made: NormalizedEnvironment, files: frozenset[str]) -> bool:
        """Tell whether every call of a program says no to a parameter that asks for normalizing."""
        calls = [
            self.allocations.arguments(site.call, made.unit)
            for caller, site in self.allocations.callers.get(made.unit.identity, ())
            if caller.path in files
        ]
        flags = [each.name for each in made.unit.function.parameters if SWITCHES.search(each.name)]
        return bool(calls) and any(all(given.get(flag) == NO for given in calls) for flag in flags)
