"""Numbers that a held object counts on while it trains, where who holds it saves other parts of it: a loss scale."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator

from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.state_dicts.carried_attributes import CarriedAttributes
from flake8_ckpt.losses.state_dicts.own_state import OwnState
from flake8_ckpt.losses.unsaved.held_schedules import scheduling_counters
from flake8_ckpt.losses.unsaved.save_points import SavePoint
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject

# Who calls these trains: an environment or a buffer has a `step`, too.
TRAINS = frozenset(["backward", "zero_grad"])
# Methods of a class that saves or restores its own objects: what these forget is told of them.
PAIRED = re.compile(
    r"^_?(save|load|restore|dump)(_|$)|^(load_)?state_dict$|^_?[gs]et_state|^__[gs]etstate__$|extra_state$"
)
# What decides how much an agent explores: `self.epsilon *= self.epsilon_decay`.
RATES = re.compile(r"(^|_)(eps|epsilon|explor\w*|noise|temperature)(_(rate|scale|std|factor|level))?$")
FILLS = frozenset(["grow", "item", "inplace"])


class HeldNumbers:
    """Asks the classes of what belongs to a save, if they train and leave it to others to save them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.hierarchy = ledger.hierarchy

    def lost(self, point: SavePoint, candidates: Iterable[tuple[Holder, Spot]]) -> Iterator[UnsavedObject]:
        """Yield the numbers of the owner itself, where another object saves it, and of the objects it holds."""
        if point.ends is None or not point.trains_on:
            return
        if point.unit is None and point.shown != OWN:
            yield from self._numbers(point.owner, point.shown, point)
        elif point.unit is None:
            yield from self._rates(point)
        for holder, _ in candidates:
            classes = self.ledger.kinds.classes(holder)
            prefix = point.shown + holder.path[len(OWN) :] if holder.is_attribute else holder.path
            if len(classes) == 1 and not self._is_whole(holder):
                if not self.ledger.is_handed_over(holder):
                    yield from self._numbers(next(iter(classes)), prefix, point)
                    yield from self._schedules(next(iter(classes)), prefix, point)

    def _schedules(self, class_id: str, shown: str, point: SavePoint) -> Iterator[UnsavedObject]:
        """Yield the counters of an object that leaves its numbers to others to save, and drives a schedule by them."""
        names = self.hierarchy.method_names(class_id) if class_id in self.hierarchy.symbols.classes else ()
        if not names or any(map(PAIRED.search, names)) or self._trains(class_id):
            return
        for attr, location in scheduling_counters(class_id, self.hierarchy):
            holder = Holder(class_id, f"{OWN}.{attr}")
            if attr not in point.names and not self._is_known(holder):
                yield UnsavedObject(f"{shown}.{attr}", "number", point.location or location, location)

    def _is_whole(self, holder: Holder) -> bool:
        """Tell whether some program pickles an object, or puts back all of it."""
        kept = (each for each in self.ledger.mentions(holder) if each.how in ("saved", "restored"))
        return any(not each.name for each in kept)

    def _numbers(self, class_id: str, shown: str, point: SavePoint) -> Iterator[UnsavedObject]:
        if self._trains_unsaved(class_id):
            yield from self._carried(class_id, shown, point)

    def _rates(self, point: SavePoint) -> Iterator[UnsavedObject]:
        """Yield the rates of exploration of an object that saves itself and steps its own optimizer."""
        if self._trains(point.owner):
            for each in self._carried(point.owner, point.shown, point):
                if RATES.search(each.name.rpartition(".")[2]):
                    yield each

    def _carried(self, class_id: str, shown: str, point: SavePoint) -> Iterator[UnsavedObject]:
        if point.ends is None:
            return
        kept = frozenset(each.name for each in self.ledger.kept if self._is_own(each, class_id))
        state = OwnState(class_id, *point.ends, (), kept)
        for each in CarriedAttributes(state, self.hierarchy).unsaved():
            holder = Holder(class_id, f"{OWN}.{each.attr}")
            if each.attr not in point.names and self._is_number(holder) and not self._is_known(holder):
                location, made = point.location or each.location, each.location
                yield UnsavedObject(f"{shown}.{each.attr}", "number", location, made)

    def _trains_unsaved(self, class_id: str) -> bool:
        """Tell whether a class of the project trains, and has no methods that save or restore its objects."""
        if class_id not in self.hierarchy.symbols.classes or self.hierarchy.is_module(class_id):
            return False
        if any(map(PAIRED.search, self.hierarchy.method_names(class_id))):
            return False
        return self._trains(class_id)

    def _trains(self, class_id: str) -> bool:
        return any(
            called_name(site.call) in TRAINS
            for _, method in self.hierarchy.inherited_methods(class_id)
            for site in method.calls
        )

    def _is_own(self, holder: Holder, class_id: str) -> bool:
        return holder.is_attribute and self.hierarchy.are_related(holder.owner, class_id)

    def _is_number(self, holder: Holder) -> bool:
        """Tell whether an attribute is no array or list that methods fill."""
        writes = (
            each for _, method in self.hierarchy.inherited_methods(holder.owner) for each in method.writes
        )
        return not any(each.attr == holder.name and each.how in FILLS for each in writes)

    def _is_known(self, holder: Holder) -> bool:
        """Tell whether other code saves a number, or sets it: it knows where training goes on."""
        if self.ledger.is_kept(holder, "stateful"):
            return True
        return any(
            not each.unit.class_id or not self.hierarchy.are_related(each.unit.class_id, holder.owner)
            for each in self.ledger.aliases.bindings(holder)
        )
