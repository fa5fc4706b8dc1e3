"""Networks that training moves slowly towards others, and that a load makes again as plain copies of these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence
from functools import cached_property

from flake8_ckpt.checkpoints.hooks.values import own_attribute
from flake8_ckpt.checkpoints.hooks.values import receiver_of
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.state_dicts.kept_attributes import keeps
from flake8_ckpt.losses.state_dicts.visible_methods import VisibleMethods
from flake8_ckpt.losses.unsaved.save_points import SavePoint
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject

# `soft_update(target, net)`: what mixes two networks without being told by how much.
MIXES = re.compile(r"soft|polyak|moving|average|(^|_)ema(_|$)")
# What mixes two networks by an amount is given at least three things: `update(target, net, tau)`.
MIXED = 3
AMOUNTS = (Arith, Attr, Const, Name, Number, Param)


class AveragedCopies:
    """Asks the classes of saves of programs that train on."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.hierarchy = ledger.hierarchy
        # The averages that were found, with their classes: a file may be known by its path and by its hooks.
        self.told: set[tuple[str, str]] = set()

    def lost(self, point: SavePoint) -> Iterator[UnsavedObject]:
        """Yield the averages of a class that no method saves, where its load copies what they are averages of."""
        if not point.trains_on or point.owner not in self.hierarchy.symbols.classes:
            return
        if self.hierarchy.is_module(point.owner):
            return
        methods = VisibleMethods(point.owner, self.hierarchy)
        taken = self._taken_of(point.owner)
        pairs = {frozenset(pair) for _, method in methods.all for pair in _averaged(method)}
        loads = [(owner, each) for owner, each in methods.all if keeps(each.name) and _restores_files(each)]
        for owner, method in loads if pairs else ():
            for copied, source, position in _copies(method):
                if frozenset([copied, source]) in pairs and copied not in taken:
                    location = Spot(owner.partition(":")[0], position)
                    yield UnsavedObject(f"{OWN}.{copied}", "ema", location, None)
        if point.location is not None and loads:
            for average in _left(pairs, methods, taken):
                if (point.owner, average) not in self.told and self._may_be_network(average, point.owner):
                    self.told.add((point.owner, average))
                    yield UnsavedObject(f"{OWN}.{average}", "ema", point.location, None)

    def _may_be_network(self, name: str, class_id: str) -> bool:
        """Tell whether an attribute is not known to hold something else: `self.step.reward += self.bonus`."""
        classes = self.ledger.kinds.classes(Holder(class_id, f"{OWN}.{name}"))
        return all(
            each not in self.hierarchy.symbols.classes or self.hierarchy.is_module(each) for each in classes
        )

    def _taken_of(self, class_id: str) -> set[str]:
        """Return the names of objects whose state some function takes: of its own ones only a class that is related."""
        return {
            name
            for name, owners in self._takers.items()
            if any(not each or self.hierarchy.are_related(each, class_id) for each in owners)
        }

    @cached_property
    def _takers(self) -> dict[str, set[str]]:
        """Return the last names of all objects whose state is taken, with the classes that do so with their own."""
        found: dict[str, set[str]] = {}
        for unit in followed_functions(self.hierarchy.symbols):
            for callee in (site.call.callee for site in unit.function.calls):
                if isinstance(callee, Attr) and callee.name == "state_dict" and isinstance(callee.base, Attr):
                    found.setdefault(callee.base.name, set()).add(
                        unit.class_id if own_attribute(callee.base) else ""
                    )
        return found


def _left(pairs: set[frozenset[str]], methods: VisibleMethods, taken: set[str]) -> Iterator[str]:
    """Yield the copies that no method which saves or loads mentions, where it does so with the live network."""
    copied = {frozenset(each[:2]) for _, method in methods.all for each in _copies(method)}
    for pair in map(frozenset, sorted(map(sorted, pairs & copied))):
        kept = {name for name in pair if any(keeps(each.name) for _, each in methods.about(name))}
        if len(kept) == 1 and kept <= taken and taken.isdisjoint(pair - kept):
            yield from pair - kept


def _averaged(method: FunctionFacts) -> Iterator[tuple[str, str]]:
    """Yield the attributes of which a method moves one towards the other, in either order."""
    moved = {write.attr for write in method.writes if write.how == "weights" and write.carried}
    for write in method.writes:
        if write.how == "weights" and write.attr in moved:
            yield from ((write.attr, source) for source in write.sources if source != write.attr)
    for site in method.calls:
        given = arguments_of(site.call)
        own = [name for name in (own_attribute(receiver_of(each)) for each in given) if name]
        if len(own) > 1 and (_is_mixed(site, given) or MIXES.search(called_name(site.call))):
            yield own[0], own[1]


def _is_mixed(site: Site, given: Sequence[Value]) -> bool:
    """Tell whether a call is given two networks and an amount: `rollout(self.net, batch, self.scaling)` uses them."""
    amounts = [each for each in given if not own_attribute(receiver_of(each))]
    return len(given) >= MIXED and not site.used and all(isinstance(each, AMOUNTS) for each in amounts)


def _copies(method: FunctionFacts) -> Iterator[tuple[str, str, Position]]:
    """Yield the attributes that a method makes copies of others, with these: `self.target = deepcopy(self.net)`."""
    for write in method.writes:
        source = own_attribute(receiver_of(write.value))
        if write.how == "assign" and source and source != write.attr:
            yield write.attr, source, write.position
    first: dict[Value, str] = {}
    for site in method.calls:
        copied, source = _loaded(site)
        if copied:
            source = source or first.setdefault(site.call.args[0], copied)
            if copied != source:
                yield copied, source, site.position


def _restores_files(method: FunctionFacts) -> bool:
    """Tell whether a method also restores objects from somewhere else."""
    return any(target and not source for target, source in map(_loaded, method.calls))


def _loaded(site: Site) -> tuple[str, str]:
    """Return the attributes a and b of `self.a.load_state_dict(self.b.state_dict())`; "" for what is none."""
    callee, given = site.call.callee, site.call.args[:1]
    if not isinstance(callee, Attr) or callee.name != "load_state_dict" or not given:
        return "", ""
    is_state = isinstance(given[0], Call) and called_name(given[0]) == "state_dict"
    return own_attribute(callee.base), own_attribute(receiver_of(given[0])) if is_state else ""
