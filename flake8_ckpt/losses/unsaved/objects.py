"""Objects with state that training changes, held by code that saves and resumes, and in no file."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import NESTED
from flake8_ckpt.facts.model import Store
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Instance
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.symbols import variable_of
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.ledger.events import is_use
from flake8_ckpt.losses.ledger.holder import ANY_ITEM
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.ledger.mentions import NAMING
from flake8_ckpt.losses.ledger.mentions import named_in
from flake8_ckpt.losses.sb3_algorithms import Algorithms
from flake8_ckpt.losses.unsaved.averaged_copies import AveragedCopies
from flake8_ckpt.losses.unsaved.beside_library import UnsavedBesideLibrary
from flake8_ckpt.losses.unsaved.beside_registered import UnsavedBesideRegistered
from flake8_ckpt.losses.unsaved.disabled_scalers import is_disabled
from flake8_ckpt.losses.unsaved.held_numbers import HeldNumbers
from flake8_ckpt.losses.unsaved.loss_scales import LossScales
from flake8_ckpt.losses.unsaved.registries import Registries
from flake8_ckpt.losses.unsaved.save_points import STEPS
from flake8_ckpt.losses.unsaved.save_points import GroupPoints
from flake8_ckpt.losses.unsaved.save_points import SavePoint
from flake8_ckpt.losses.unsaved.state_pairs import StatePairs
from flake8_ckpt.losses.unsaved.step_counters import unsaved_counters
from flake8_ckpt.losses.unsaved.trained import TrainedObjects
from flake8_ckpt.losses.unsaved.trained import shown
from flake8_ckpt.losses.unsaved.unsaved_object import KINDS
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject
from flake8_ckpt.losses.unsaved.wound_schedulers import is_carried_by_rate
from flake8_ckpt.losses.unsaved.wound_schedulers import is_wound_forward

Candidate = tuple[Holder, Spot]
# `accelerator.save_state(folder)`
SAVES_ALL = frozenset(["save_state"])
# A candidate, what it is an object of a kind as, itself or any item of it, and that kind.
Object = tuple[Holder, Spot, Holder, ObjectKind]


class UnsavedObjects:
    """Asks the ledger for the objects that belong to a save and are in no file."""

    def __init__(
        self,
        ledger: Ledger,
        groups: GroupPoints,
        kind_evaluator: KindEvaluator,
        about: Optional[Collection[str]] = None,
    ) -> None:
        contract = ledger.contract
        self.about = about
        self.kind_evaluator = kind_evaluator
        self.hierarchy = contract.hierarchy
        self.ledger = ledger
        self.groups = groups
        self._of_owner: dict[tuple[str, bool], tuple[Object, ...]] = {}
        self.pairs = StatePairs(contract, self.ledger, groups.resumption)
        self.averages = AveragedCopies(self.ledger)
        self.loss_scales = LossScales(self.hierarchy)
        self.trained = TrainedObjects(self.ledger, kind_evaluator)
        self.numbers = HeldNumbers(self.ledger)
        # The names of what was found, with where they are set: a container and its items are told of once.
        self.told: set[tuple[str, Spot]] = set()
        self.finders = (Registries(contract, ledger), self.pairs, UnsavedBesideRegistered(contract))
        self.beside_library = UnsavedBesideLibrary(contract, self.ledger)
        self.algorithms = Algorithms(contract)

    @cached_property
    def found(self) -> tuple[UnsavedObject, ...]:
        """Return what is in no file, each object once.

        What is told of one file hides what could be told of another. So where few files are asked about, they are
        looked at alone, and all others only if something is found there.
        """
        if self.about is not None:
            if not any(self._is_asked(each.location) for each in self._found()):
                return ()
            return UnsavedObjects(self.ledger, self.groups, self.kind_evaluator).found
        first: dict[tuple[str, Optional[Spot]], UnsavedObject] = {}
        for each in self._found():
            first.setdefault((each.name.rpartition(".")[2], each.made or each.location), each)
        # Where an attribute holds an object of one of several classes, each of them has what one save forgets.
        return tuple({(each.name, each.location): each for each in reversed(first.values())}.values())[::-1]

    def _found(self) -> Iterator[UnsavedObject]:
        points = (*self.groups.found, *(each for finder in self.finders for each in finder.all()))
        # Several saves of one payload forget the same: one in a loop says more than the one before it, and a class
        # that saves is asked before those that derive from it.
        first: dict[tuple[object, ...], SavePoint] = {}
        for each in sorted(points, key=lambda point: point.location is None):
            key = (each.owner, each.shown, each.names, each.trains_on, each.of_tools)
            if key not in first or _is_single(first[key]) and not _is_single(each):
                first[key] = each
        for point in first.values():
            yield from self._beside(point)
            yield from self.numbers.lost(point, self._candidates(point))
            yield from self.averages.lost(point)
            yield from self.loss_scales.lost(point)
        yield from self.beside_library.all()
        for attr, location in self.algorithms.lost():
            yield UnsavedObject(f"self.{attr}", "stateful", location, None)

    def _beside(self, point: SavePoint) -> Iterator[UnsavedObject]:
        """Yield what belongs to a save and is in no file."""
        yield from unsaved_counters(point, self.ledger.aliases.index)
        for each, made, holder, kind in self._objects(point):
            if (holder.path, made) in self.told:
                continue
            if kind in KINDS and self._is_lost(holder, kind, point):
                self.told.update(self._names_of(holder))
                location, origin = (point.location, made) if point.location is not None else (made, None)
                yield UnsavedObject(shown(each, point), kind, location, origin)
            elif kind == "optimizer" and point.trains_on and self.ledger.is_kept(holder, kind):
                yield from self.trained.lost(holder, point)

    def _names_of(self, holder: Holder) -> Iterator[tuple[str, Spot]]:
        aliases = self.ledger.aliases
        for each in aliases.of(holder).holders:
            yield from ((each.path, binding.location) for binding in aliases.bindings(each))

    def _objects(self, point: SavePoint) -> tuple[Object, ...]:
        """Return the candidates that are of a kind which a checkpoint needs: several saves are of one owner."""
        if point.location is not None and not self._is_asked(point.location):
            return ()
        key = (point.owner, point.location is None)
        if key not in self._of_owner:
            asked = (each for each in self._candidates(point) if self._is_asked(point.location or each[1]))
            items = ((each, made, self._item_of(each)) for each, made in asked)
            found = ((each, made, item, self.ledger.kind_of(item)) for each, made, item in items)
            self._of_owner[key] = tuple(each for each in found if each[-1] in KINDS)
        return self._of_owner[key]

    def _is_asked(self, location: Spot) -> bool:
        return self.about is None or location.path in self.about

    def _item_of(self, holder: Holder) -> Holder:
        """Return an object, or where it is a container of some that a checkpoint needs, any item of it."""
        if self.ledger.kind_of(holder) or not self.ledger.may_have_items(holder):
            return holder
        item = holder.inner(ANY_ITEM)
        return item if self.ledger.kind_of(item) in KINDS else holder

    def _candidates(self, point: SavePoint) -> Iterator[Candidate]:
        """Yield the objects that belong to the owner of a save, with the places where they are first set."""
        if point.owner in self.hierarchy.symbols.classes:
            return self.ledger.attributes(point.owner)
        return self._locals(point)

    def _locals(self, point: SavePoint) -> Iterator[Candidate]:
        seen: set[str] = set()
        for name, store in self._stores(point.unit) if point.unit is not None else ():
            if name and name not in seen and {LOOP, NESTED}.isdisjoint(store.guards):
                seen.add(name)
                yield Holder(point.owner, name), Spot(point.owner.partition(":")[0], store.position)

    def _stores(self, unit: FunctionRef) -> Iterator[tuple[str, Store]]:
        """Yield what a function binds to its locals; of a script also what functions bind for it."""
        is_script = unit.name == "<module>"
        for each in unit.function.stores:
            yield each.target.name if isinstance(each.target, Local) else "", each
        for function in self.hierarchy.symbols.files[unit.path].functions if is_script else ():
            yield from ((variable_of(each.target, False), each) for each in function.stores)

    def _is_lost(self, holder: Holder, kind: str, point: SavePoint) -> bool:
        if holder.name in point.names or kind == "normalizer" and not self.ledger.is_used(holder):
            return False
        if not point.trains_on and not self._is_used_alone(holder, kind):
            return False
        if not self.ledger.is_updated(holder, kind) or is_wound_forward(holder, self.ledger):
            return False
        if self._is_made_unseen(holder) or self._is_spelled(holder) or self._is_given_back(holder, kind):
            return False
        if self._is_of_saved_state(holder) or kind == "scaler" and is_disabled(holder, self.ledger):
            return False
        is_doubtful = point.trains_on and point.weights_alone and kind in ("optimizer", "scheduler")
        if is_doubtful and not self.groups.continued.trains_restored(holder):
            return False
        if kind == "ema" and self._is_taken_to_kept(holder):
            return False
        if kind == "scheduler" and is_carried_by_rate(holder, self.ledger):
            return False
        return not self.ledger.is_kept(holder, kind) and not self.ledger.is_handed_over(holder)

    def _is_taken_to_kept(self, average: Holder) -> bool:
        """Tell whether a function makes something to be saved of an average: `torch.save(averaged(model, ema))`."""
        aliases = self.ledger.aliases
        for each in self.ledger.mentions(average):
            if each.how == "given" and each.site is not None and not each.name[:1].isupper():
                made = (b for b in aliases.index.bindings_of(each.unit) if b.position == each.position)
                named = (aliases.bound(b) for b in made if not isinstance(b.value, NAMING))
                if any(one is not None and self.ledger.is_kept(one, "module") for one in named):
                    return True
        return False

    def _is_used_alone(self, holder: Holder, kind: str) -> bool:
        """Tell whether a normalizer is used where nothing is trained: whoever loads the weights needs it, too."""
        used = (each.unit for each in self.ledger.mentions(holder) if each.how == "called" and is_use(each))
        return kind == "normalizer" and any(
            STEPS.isdisjoint(called_name(site.call) for site in unit.function.calls) for unit in used
        )

    def _is_spelled(self, holder: Holder) -> bool:
        """Tell whether a class lists an attribute by its name, as a string: `return ["policy", "alpha_optimizer"]`."""
        if not holder.is_attribute:
            return False
        for _, method in self.hierarchy.related_methods(holder.owner):
            for value in (each.value for each in method.stores if each.target == Name("return")):
                if any(holder.name == text.partition(".")[0] for text in _strings(value)):
                    return True
        return False

    def _is_made_unseen(self, holder: Holder) -> bool:
        """Tell whether a function of the project makes an object that is not followed: it may keep it as well."""
        made = self.ledger.kinds.made(holder)
        return any(isinstance(value, Instance) and not unit.function.contract for unit, value in made)

    def _is_of_saved_state(self, holder: Holder) -> bool:
        """Tell whether a library saves all it has prepared, and what its maker has given to it is not seen."""
        if not holder.is_attribute or self.ledger.kinds.made(holder):
            return False
        callees = (
            site.call.callee
            for _, method in self.hierarchy.related_methods(holder.owner)
            for site in method.calls
        )
        return any(
            isinstance(each, Attr) and each.name in SAVES_ALL and each.base != SELF for each in callees
        )

    def _is_given_back(self, holder: Holder, kind: str) -> bool:
        """Tell whether a function gives an object for one of its kind that is saved: `opt, net = prepare(opt, net)`."""
        aliases = self.ledger.aliases
        names = [each for source in aliases.sources(holder) for each in (source, source.inner(ANY_ITEM))]
        for bound in (each for name in names for each in aliases.bindings(name)):
            call = bound.value.base if isinstance(bound.value, Item) else bound.value
            call = call.value if isinstance(call, Local) else call
            if not isinstance(call, Call) or called_name(call)[:1].isupper():
                continue
            if self.ledger.known.takes_over(called_name(call)):
                if not self.ledger.is_never_saved(call, bound.unit):
                    return True
            given = (each for arg in arguments_of(call) for each in named_in(arg))
            others = (aliases.holders.of(each, bound.unit) for each in given)
            if any(
                each and self.ledger.kind_of(each) == kind and self.ledger.is_kept(each) for each in others
            ):
                return True
        return False


def _is_single(point: SavePoint) -> bool:
    """Tell whether a function saves once: before its loop, or after it."""
    at = point.location.position if point.unit is not None and point.location is not None else None
    here = (
        [each for each in point.unit.function.calls if each.position == at] if point.unit is not None else []
    )
    return bool(here) and all(LOOP not in each.guards for each in here)


def _strings(value: Value) -> Iterator[str]:
    """Yield the strings in lists."""
    for part in parts_of(value):
        if isinstance(part, Container):
            for option in options_of(part.of):
                if isinstance(option, Const) and isinstance(option.value, str):
                    yield option.value
