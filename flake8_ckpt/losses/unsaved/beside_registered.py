"""Objects that a function trains beside those that it has given to a library, which saves and restores only these."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.model import Site
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.records import LoadCall
from flake8_ckpt.frameworks.records import SaveCall
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.value_names import mentions
from flake8_ckpt.losses.unsaved.save_points import SavePoint


class UnsavedBesideRegistered:
    """Asks the functions that save and restore what they have registered: `accelerator.save_state(folder)`."""

    def __init__(self, contract: Contract) -> None:
        self.evaluator = contract.evaluator
        self.known = contract.groups.symbols.known

    def all(self) -> Iterator[SavePoint]:
        """Yield the functions with the names of what they give to the save itself."""
        for unit in followed_functions(self.evaluator.symbols):
            saves = dict(self._saves(unit))
            restored = set(self._restored(unit)) if saves else set()
            kept = [site for library, site in saves.items() if library in restored]
            if kept:
                named = {
                    name for site in kept for value in arguments_of(site.call) for name in mentions(value)
                }
                yield SavePoint(unit.identity, Spot(unit.path, kept[0].position), unit, "", frozenset(named))

    def _saves(self, unit: FunctionRef) -> Iterator[tuple[str, Site]]:
        """Yield the calls that save what was registered, each with the class that does it."""
        for site in unit.function.calls:
            if called_name(site.call) in self._names:
                name = self.evaluator.library_call(site.call, CallContext(unit))
                if name in self.known.saves and _keeps_registered(self.known.saves[name]):
                    yield name.rpartition(".")[0], site

    @cached_property
    def _names(self) -> frozenset[str]:
        """Return the last names of these calls: whatever has another name need not be looked at."""
        found = (name for name, each in self.known.saves.items() if _keeps_registered(each))
        return frozenset(name.rpartition(".")[2] for name in found)

    def _restored(self, unit: FunctionRef) -> Iterator[str]:
        """Yield the classes whose objects restore what was registered with them."""
        for site in unit.function.calls:
            name = self.evaluator.library_call(site.call, CallContext(unit))
            if name in self.known.loads and _fills_registered(self.known.loads[name]):
                yield name.rpartition(".")[0]


def _keeps_registered(record: SaveCall) -> bool:
    return record.kind == "method" and record.writes in ("registered", "extra") and record.to == "file"


def _fills_registered(record: LoadCall) -> bool:
    return record.kind == "method" and record.fills in ("registered", "self")
