"""Whether training goes on after a load: who calls the method that loads, and whether that trains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.pairing.function_names import EXACT_PAIRS
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.value_names import last_name

# Functions of libraries with these names load files, not the objects of a project.
GENERAL = frozenset(["load", "restore", "loads"])
# A caller that trains: `trainer.fit()`, `train_epoch()`, `run_training()`.
RUNS = re.compile(r"^(train|fit|learn|run|optimi[sz]e|train_\w+|\w+_train(ing)?|run_\w+)$")


class Resumption:
    """Asks the callers of the methods that load."""

    def __init__(self, groups: CheckpointGroups) -> None:
        self.hierarchy = groups.hierarchy
        self.symbols = groups.hierarchy.symbols

    def is_resumed(self, class_id: str, loaders: set[str]) -> bool:
        """Tell whether a method that loads is called where training goes on; nobody may call it in a library."""
        if not loaders.isdisjoint(EXACT_PAIRS.values()):
            # Whose `load_state_dict` it is that is called is not known by its name.
            return True
        reached: set[str] = set()
        names = set(loaders)
        found = False
        while names - reached:
            reached |= names
            callers = list(self._callers(frozenset(names)))
            if any(
                owner and self.hierarchy.are_related(owner, class_id) or _trains(each)
                for owner, each in callers
            ):
                return True
            found = found or bool(callers)
            names = {each.name for _, each in callers} - reached
        return not found

    def _callers(self, names: frozenset[str]) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the functions that call something of these names, each with its class."""
        for name in sorted(names):
            yield from (each for each in self._by_call.get(name, ()) if each[1].name not in names)

    @cached_property
    def _by_call(self) -> dict[str, list[tuple[str, FunctionFacts]]]:
        """Return the functions outside of tests that are followed closely by the last names of what they call."""
        found: dict[str, list[tuple[str, FunctionFacts]]] = {}
        for each in followed_functions(self.symbols):
            called = {
                last_name(site.call.callee)
                for site in each.function.calls
                if not isinstance(site.call.callee, Name) or last_name(site.call.callee) not in GENERAL
            }
            for name in called:
                found.setdefault(name, []).append((each.class_id, each.function))
        return found


def _trains(function: FunctionFacts) -> bool:
    """Tell whether a function runs a training."""
    return any(
        RUNS.search(last_name(site.call.callee)) or last_name(site.call.callee) == "backward"
        for site in function.calls
    )
