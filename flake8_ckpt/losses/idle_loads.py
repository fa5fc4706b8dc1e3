"""Loads that nobody calls, of classes that the programs of a project use for something else."""

from __future__ import annotations

from functools import cached_property

from flake8_ckpt.checkpoints.pairing.function_names import EXACT_PAIRS
from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import functions_outside_tests

# Hooks that torch, pickle and Lightning call, whoever else does.
CALLED = frozenset([*EXACT_PAIRS.values(), "set_extra_state", "on_load_checkpoint"])


class IdleLoads:
    """Asks all functions outside tests what they call."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy

    def is_idle(self, reader: FunctionRef) -> bool:
        """Tell whether nobody calls a load, though a program makes objects of its class; else it is a library."""
        if reader.name in CALLED or reader.name in self._calls[0]:
            return False
        related = {reader.class_id, *self.hierarchy.subclasses(reader.class_id)}
        return not related.isdisjoint(self._calls[1])

    @cached_property
    def _calls(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the last names of all that is called, and the classes of which objects are made."""
        symbols = self.hierarchy.symbols
        names: set[str] = set()
        made: set[str] = set()
        for unit in functions_outside_tests(symbols):
            for site in unit.function.calls:
                names.add(called_name(site.call))
                if isinstance(site.call.callee, Name):
                    made.add(symbols.resolve(site.call.callee.path, unit.path))
        return frozenset(names), frozenset(made & symbols.classes.keys())
