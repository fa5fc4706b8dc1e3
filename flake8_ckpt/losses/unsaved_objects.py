"""Objects with state that training changes, held by code that saves and resumes, and on neither side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.effects import Reading
from flake8_ckpt.checkpoints.effects import Writing
from flake8_ckpt.checkpoints.family import Family
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import Callee
from flake8_ckpt.linking.functions import Scope
from flake8_ckpt.linking.functions import bind
from flake8_ckpt.linking.functions import functions_of
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.value_kinds import Resolver
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import mentions
from flake8_ckpt.losses.resumption import Resuming
from flake8_ckpt.losses.sb3_algorithms import Algorithms
from flake8_ckpt.losses.unsaved_locals import escapes
from flake8_ckpt.losses.unsaved_locals import is_wound_forward
from flake8_ckpt.losses.unsaved_object import KEEPS
from flake8_ckpt.losses.unsaved_object import KINDS
from flake8_ckpt.losses.unsaved_object import TAKES_OVER
from flake8_ckpt.losses.unsaved_object import TUNES
from flake8_ckpt.losses.unsaved_object import UPDATES
from flake8_ckpt.losses.unsaved_object import Forgotten
from flake8_ckpt.losses.unsaved_object import given
from flake8_ckpt.losses.unsaved_object import is_whole
from flake8_ckpt.losses.unsaved_object import listed
from flake8_ckpt.losses.unsaved_object import may_take_over
from flake8_ckpt.losses.unsaved_object import named_in

AMP_SET_UP, AMP_STATE = "apex.amp.initialize", "apex.amp.state_dict"


class Forgetting:
    """Finds the objects that a save and its load both forget."""

    def __init__(self, contract: Contract, resolver: Resolver) -> None:
        self.contract = contract
        self.resolver = resolver
        self.families = contract.families
        self.hierarchy = contract.hierarchy
        self.unfolder = contract.unfolder
        self.kinds = contract.kinds
        self.resuming = Resuming(contract.families)

    @cached_property
    def found(self) -> tuple[Forgotten, ...]:
        """Return what is forgotten, family by family."""
        first: dict[tuple[str, Optional[Spot]], Forgotten] = {}
        for each in self._found():
            first.setdefault((each.name, each.made or each.spot), each)
        return tuple(first.values())

    def _found(self) -> Iterator[Forgotten]:
        for family in [*self.families.files, *self.families.hooks]:
            if not self._keeps_training_state(family):
                continue
            for writing in family.writings:
                if not contents(writing.payload).open:
                    yield from self._in_class(writing, family)
                    yield from self._in_function(writing, family)
        yield from self._outside_registries()
        yield from self._beside_optimizers()
        for klass in self.algorithms.classes:
            yield from self._outside_hooks(klass)

    def _keeps_training_state(self, family: Family) -> bool:
        return any(True for writing in family.writings for _ in states_in(writing.payload)) or any(
            isinstance(writing.payload, Record) and mentions(writing.payload) for writing in family.writings
        )

    @cached_property
    def kept(self) -> dict[str, set[str]]:
        """Return by file the last names of the objects whose state some function saves, loads or hands over."""
        return {path: set(self._kept_in(path)) for path in self.hierarchy.symbols.files if not is_test(path)}

    @cached_property
    def kept_anywhere(self) -> frozenset[str]:
        """Return the last names of all objects whose state some function of the project takes care of."""
        return frozenset(name for names in self.kept.values() for name in names)

    def _kept_in(self, path: str) -> Iterator[str]:
        for function in functions_of(self.hierarchy.symbols.files[path]):
            for site in function.calls:
                callee = site.call.callee
                restores = isinstance(callee, Attr) and callee.name == "restore" and bool(site.call.args)
                if isinstance(callee, Attr) and (KEEPS.search(callee.name) or restores):
                    yield last_name(callee.base)
                name = last_name(callee)
                is_amp = isinstance(callee, Name) and callee.path == AMP_SET_UP
                if not is_amp and TAKES_OVER.search(name) or KEEPS.search(name):
                    yield from (each for value in given(site) for each in mentions(value))
            for use in function.uses:
                if any(KEEPS.search(how.lstrip(".")) for how in use.how):
                    yield use.attr

    def _is_kept(self, name: str, paths: set[str]) -> bool:
        return any(name in self.kept.get(path, ()) for path in paths)

    def _in_class(self, writing: Writing, family: Family) -> Iterator[Forgotten]:
        """Yield what a saving class updates and neither side names, if training goes on after its load."""
        klass = writing.source.klass
        readings = [each for each in family.readings if self._is_of(each, klass)]
        if not klass or not any(each.keys and self.contract.is_training_state(each) for each in readings):
            return
        found = list(self._left_out(writing, klass, named_in(family)))
        if found and self.resuming.is_resumed(klass, {each.source.function.name for each in readings}):
            yield from found

    def _left_out(self, writing: Writing, klass: str, known: set[str]) -> Iterator[Forgotten]:
        spot = self.contract.own_save(writing)
        for attr, made in self.attributes(klass):
            kind = self.kinds.of(self.unfolder.attribute_class(klass, attr))
            if attr in known or kind not in KINDS or attr in self.kept_anywhere:
                continue
            if self.is_updated(klass, attr) and attr not in self._gathered(klass, known):
                yield Forgotten(f"self.{attr}", kind, spot, made)
        yield from self._optimized(writing, klass, known, spot)
        yield from self._inside_modules(writing, known, spot)

    def _gathered(self, klass: str, known: set[str]) -> Iterator[str]:
        """Yield the attributes of a class and its heirs that are put into a container that is known."""
        for each in [*self.hierarchy.ancestors(klass), *self.hierarchy.heirs(klass)]:
            for method in self.hierarchy.methods(each).values():
                for write in method.writes:
                    holds = write.how in ("grow", "item") or isinstance(write.value, (Container, Record))
                    if holds and (write.attr in known or write.attr in self.kept_anywhere):
                        yield from mentions(write.value)

    def _is_of(self, reading: Reading, klass: str) -> bool:
        return bool(reading.source.klass and klass) and self.families.are_related(reading.source.klass, klass)

    def attributes(self, klass: str) -> Iterator[tuple[str, Spot]]:
        """Yield the attributes of a class with the place where each is first set."""
        seen: set[str] = set()
        for owner in self.hierarchy.ancestors(klass):
            for method in self.hierarchy.methods(owner).values():
                for write in method.writes:
                    if write.how == "assign" and write.attr not in seen:
                        seen.add(write.attr)
                        yield write.attr, Spot(owner.partition(":")[0], write.position)

    def is_updated(self, klass: str, attr: str) -> bool:
        """Tell whether a method of a class, its ancestors or heirs updates the object that an attribute holds."""
        for each in [*self.hierarchy.ancestors(klass), *self.hierarchy.heirs(klass)]:
            for method in self.hierarchy.methods(each).values():
                for use in method.uses:
                    if use.attr == attr and any(
                        UPDATES.search(how[1:]) for how in use.how if how.startswith(".")
                    ):
                        return True
        return False

    def _optimized(self, writing: Writing, klass: str, known: set[str], spot: Spot) -> Iterator[Forgotten]:
        """Yield the tensors of a plain class that a saved optimizer trains and that are not saved themselves."""
        if self.hierarchy.is_module(klass):
            return
        saved = {last_name(object_of(value)) for _, value in states_in(writing.payload)}
        for owner in self.hierarchy.ancestors(klass):
            for method in self.hierarchy.methods(owner).values():
                for write in method.writes:
                    if write.attr in saved and isinstance(write.value, Call) and write.value.args:
                        for attr in listed(write.value.args[0]):
                            if attr not in known and self._is_trained_tensor(klass, attr):
                                yield Forgotten(
                                    f"self.{attr}",
                                    "tensor",
                                    spot,
                                    Spot(owner.partition(":")[0], write.position),
                                )

    def _is_trained_tensor(self, klass: str, attr: str) -> bool:
        value = self.resolver.attribute(klass, attr)
        is_tensor = all(isinstance(each, (Tensor, Parameter)) for each in options_of(value))
        return is_tensor and attr not in self.kept_anywhere

    def _inside_modules(self, writing: Writing, known: set[str], spot: Spot) -> Iterator[Forgotten]:
        """Yield the optimizers that a saved module steps itself: its state_dict does not hold them."""
        for _, value in states_in(writing.payload):
            inner = self.unfolder.class_of(object_of(value), Scope(writing.unit))
            if inner not in self.hierarchy.symbols.classes or not self.hierarchy.is_module(inner):
                continue
            if self.hierarchy.defines(inner, "state_dict") or self.hierarchy.defines(
                inner, "get_extra_state"
            ):
                continue
            owner = last_name(object_of(value))
            for attr, made in self.attributes(inner):
                kind = self.kinds.of(self.unfolder.attribute_class(inner, attr))
                if kind in ("optimizer", "scaler") and self.is_updated(inner, attr):
                    if not self._is_kept_of(attr, owner, made.path):
                        yield Forgotten(f"self.{owner}.{attr}", kind, spot, made)

    def _is_kept_of(self, attr: str, owner: str, path: str) -> bool:
        """Tell whether some function saves the attribute of an owner: `owner.attr.state_dict()`, or in its own file."""
        if self._is_kept(attr, {path}):
            return True
        for file in self.hierarchy.symbols.files.values():
            for function in functions_of(file):
                for site in function.calls:
                    callee = site.call.callee
                    if (
                        isinstance(callee, Attr)
                        and KEEPS.search(callee.name)
                        and isinstance(callee.base, Attr)
                    ):
                        if callee.base.name == attr and last_name(callee.base.base) == owner:
                            return True
        return False

    def _in_function(self, writing: Writing, family: Family) -> Iterator[Forgotten]:
        """Yield the locals of the saving function that are updated and appear on neither side."""
        function = writing.unit.function
        if TUNES.search(writing.unit.identity):
            return
        readings = [
            each for each in family.readings if each.unit.identity == writing.unit.identity and each.keys
        ]
        if not any(map(self.contract.is_training_state, readings)) or any(
            TAKES_OVER.search(last_name(site.call.callee)) for site in function.calls if is_whole(site)
        ):
            return
        known = named_in(family) | self.kept.get(writing.unit.path, set())
        for store in function.stores:
            target = store.target
            if (
                not isinstance(target, Local)
                or target.name in known
                or not {"loop", "nested"}.isdisjoint(store.guards)
            ):
                continue
            kind = self.kinds.of(self.unfolder.class_of(target.value, Scope(writing.unit)))
            if is_wound_forward(target.value) or kind not in KINDS:
                continue
            if self._is_stepped(target.name, writing.unit) and not escapes(target.name, function):
                known.add(target.name)
                spot = writing.spot if writing.via else writing.origin
                yield Forgotten(target.name, kind, spot, Spot(writing.unit.path, store.position))

    def _is_stepped(self, name: str, unit: Callee) -> bool:
        for site in unit.function.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and UPDATES.search(callee.name) and last_name(callee.base) == name:
                return True
            if any(isinstance(each, Local) and each.name == name for each in given(site)):
                if self._is_stepped_inside(site, name, unit):
                    return True
        return False

    def _is_stepped_inside(self, site: Site, name: str, unit: Callee) -> bool:
        """Tell whether a function that is given an object updates it."""
        inner = self.unfolder.callee_of(site.call, Scope(unit))
        if inner is None:
            return False
        bound = bind(inner, list(site.call.args), dict(site.call.keywords))
        taken = {key for key, value in bound.items() if isinstance(value, Local) and value.name == name}
        return any(
            isinstance(each.call.callee, Attr)
            and UPDATES.search(each.call.callee.name) is not None
            and isinstance(each.call.callee.base, Param)
            and each.call.callee.base.name in taken
            for each in inner.function.calls
        )

    @cached_property
    def algorithms(self) -> Algorithms:
        """Return the classes that derive from an algorithm of Stable-Baselines3."""
        return Algorithms(self.contract)

    def _outside_hooks(self, klass: str) -> Iterator[Forgotten]:
        """Yield the components that an algorithm rebuilds and that its pair of hooks leaves out."""
        carried = self.algorithms.carried(klass)
        if carried is None:
            return
        for attr, spot in self.algorithms.rebuilt(klass):
            if attr not in carried:
                yield Forgotten(f"self.{attr}", "stateful", spot, None)

    def _beside_optimizers(self) -> Iterator[Forgotten]:
        """Yield the attributes that a class forgets which saves and restores its optimizer by name."""
        for klass in self.families.classes:
            saved = self._optimizer_save(klass)
            if saved is None:
                continue
            for attr, made in self.attributes(klass):
                kind = self.kinds.of(self.unfolder.attribute_class(klass, attr))
                if (
                    kind in KINDS - {"stateful"}
                    and self.is_updated(klass, attr)
                    and attr not in self.kept_anywhere
                ):
                    yield Forgotten(f"self.{attr}", kind, saved, made)
            if self._calls(klass, AMP_SET_UP) and not self._calls(klass, AMP_STATE):
                yield Forgotten("amp", "scaler", saved, None)

    def _optimizer_save(self, klass: str) -> Optional[Spot]:
        """Return where a class itself takes the state of an optimizer that it also restores."""
        found = None
        restored = False
        for method in self.hierarchy.methods(klass).values():
            states = list(self._optimizer_states(klass, method))
            if any(SELF in given(site) and (states or may_take_over(site)) for site in method.calls):
                return None
            for site, name in states:
                if name == "state_dict":
                    found = found or Spot(klass.partition(":")[0], site.position)
                restored = restored or name == "load_state_dict"
        return found if restored else None

    def _optimizer_states(self, klass: str, method: FunctionFacts) -> Iterator[tuple[Site, str]]:
        """Yield the calls by which a method takes or sets the state of an optimizer of its object."""
        for site in method.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and isinstance(callee.base, Attr) and callee.base.base == SELF:
                kind = self.kinds.of(self.unfolder.attribute_class(klass, callee.base.name))
                if kind == "optimizer" and callee.name in ("state_dict", "load_state_dict"):
                    yield site, callee.name

    def _calls(self, klass: str, path: str) -> bool:
        symbols = self.hierarchy.symbols
        for owner in self.hierarchy.ancestors(klass):
            for method in self.hierarchy.methods(owner).values():
                for site in method.calls:
                    callee = site.call.callee
                    if (
                        isinstance(callee, Name)
                        and symbols.resolve(callee.path, owner.partition(":")[0]) == path
                    ):
                        return True
        return False

    def _outside_registries(self) -> Iterator[Forgotten]:
        """Yield the objects that a class does not put into the registry that its base class saves."""
        for klass in self.families.classes:
            for registry, names in self._registered(klass).items():
                if self._keeps_training(klass, names) and self._is_saved_registry(klass, registry):
                    yield from self._unregistered(klass, names)

    def _keeps_training(self, klass: str, names: set[str]) -> bool:
        """Tell whether several objects are registered, one of which only training needs."""
        kinds = {self.kinds.of(self.unfolder.attribute_class(klass, name)) for name in names}
        return len(names) > 1 and not kinds.isdisjoint(KINDS - {"stateful"})

    def _registered(self, klass: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for method in self.hierarchy.methods(klass).values():
            for store in method.stores:
                target = store.target
                if isinstance(target, Item) and isinstance(target.base, Attr) and target.base.base == SELF:
                    found.setdefault(target.base.name, set()).update(mentions(store.value))
        return found

    def _is_saved_registry(self, klass: str, registry: str) -> bool:
        for owner in self.hierarchy.ancestors(klass):
            for method in self.hierarchy.methods(owner).values():
                uses = [how for use in method.uses if use.attr == registry for how in use.how]
                saves = any(last_name(site.call.callee) in ("save", "dump") for site in method.calls)
                if saves and any(how in ("iter", ".items", "item", "plain") for how in uses):
                    return True
        return False

    def _unregistered(self, klass: str, names: set[str]) -> Iterator[Forgotten]:
        for method in self.hierarchy.methods(klass).values():
            for write in method.writes:
                kind = self.kinds.of(self.unfolder.attribute_class(klass, write.attr))
                if (
                    kind in KINDS - {"stateful"}
                    and write.attr not in names
                    and self.is_updated(klass, write.attr)
                ):
                    if write.attr not in self.kept_anywhere:
                        spot = Spot(klass.partition(":")[0], write.position)
                        yield Forgotten(f"self.{write.attr}", kind, spot, None)
                        names.add(write.attr)
