"""What is registered, object by object, with something that saves it: `checkpointer.add("actor", self.actor)`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.object_kinds import TRAINING
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.losses.ledger.events import COLLECTS
from flake8_ckpt.losses.ledger.events import KEEPS
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.ledger.mentions import NAMING
from flake8_ckpt.losses.ledger.mentions import named_in
from flake8_ckpt.losses.unsaved.save_points import SavePoint

# What collects objects and saves them puts them back, too: `recover_if_possible()`.
RESUMES = re.compile(r"(^|_)(load|restore|resume|recover)(_|$)")
# One object may be given to anything; a method that is given several of them, one by one, collects them.
MIN_REGISTERED = 2


class Registries:
    """Finds the objects outside the project that are given several objects, one by one, and that save."""

    def __init__(self, contract: Contract, ledger: Ledger) -> None:
        self.evaluator = contract.evaluator
        self.hierarchy = contract.hierarchy
        self.ledger = ledger

    def all(self) -> Iterator[SavePoint]:
        """Yield a save point for each class or function that registers what it trains."""
        for unit in self.ledger.aliases.index.units:
            for sites in self._registering(unit):
                if len(sites) >= MIN_REGISTERED and self._saves(sites[0], unit):
                    if any(self._is_trained(site, unit) for site in sites):
                        yield self._point(unit)

    def _point(self, unit: FunctionRef) -> SavePoint:
        return SavePoint(unit.class_id, None) if unit.class_id else SavePoint(unit.identity, None, unit, "")

    def _registering(self, unit: FunctionRef) -> Iterator[list[Site]]:
        """Yield the calls of one method, outside the project, of one object."""
        found: dict[tuple[Value, str], list[Site]] = defaultdict(list)
        for site in unit.function.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and isinstance(callee.base, NAMING) and COLLECTS.search(callee.name):
                if self.evaluator.callee_of(site.call, CallContext(unit)) is None:
                    found[callee.base, callee.name].append(site)
        yield from found.values()

    def _is_trained(self, site: Site, unit: FunctionRef) -> bool:
        for value in (each for arg in arguments_of(site.call) for each in named_in(arg)):
            holder = self.ledger.aliases.holders.of(value, unit)
            if holder is not None and self.ledger.kind_of(holder) in TRAINING:
                return True
        return False

    def _saves(self, site: Site, unit: FunctionRef) -> bool:
        """Tell whether what collects objects saves them, and puts something back."""
        callee = site.call.callee
        holder = self.ledger.aliases.holders.of(callee.base, unit) if isinstance(callee, Attr) else None
        called = (
            {each.name for each in self.ledger.mentions(holder) if each.how == "called"} if holder else set()
        )
        kept = {name for name in called if KEEPS.search(name) or RESUMES.search(name)}
        return any("save" in name for name in kept) and any("save" not in name for name in kept)
