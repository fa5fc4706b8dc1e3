"""Objects with state that training changes, held by code that saves and resumes, and on neither side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.family import CheckpointGroup
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
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import bind
from flake8_ckpt.linking.functions import functions_of
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import mentions
from flake8_ckpt.losses.resumption import Resumption
from flake8_ckpt.losses.sb3_algorithms import Algorithms
from flake8_ckpt.losses.unsaved_locals import escapes
from flake8_ckpt.losses.unsaved_locals import is_wound_forward
from flake8_ckpt.losses.unsaved_object import KEEPS
from flake8_ckpt.losses.unsaved_object import KINDS
from flake8_ckpt.losses.unsaved_object import TAKES_OVER
from flake8_ckpt.losses.unsaved_object import TUNES
from flake8_ckpt.losses.unsaved_object import UPDATES
from flake8_ckpt.losses.unsaved_object import UnsavedObject
from flake8_ckpt.losses.unsaved_object import given
from flake8_ckpt.losses.unsaved_object import is_whole
from flake8_ckpt.losses.unsaved_object import listed
from flake8_ckpt.losses.unsaved_object import may_take_over
from flake8_ckpt.losses.unsaved_object import named_in

AMP_SET_UP, AMP_STATE = "apex.amp.initialize", "apex.amp.state_dict"


class UnsavedObjects:
    """Finds the objects that a save and its load both forget."""

    def __init__(self, contract: Contract, kind_evaluator: KindEvaluator) -> None:
        self.contract = contract
        self.kind_evaluator = kind_evaluator
        self.families = contract.families
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.kinds = contract.kinds
        self.resuming = Resumption(contract.families)

    @cached_property
    def found(self) -> tuple[UnsavedObject, ...]:
        """Return what is forgotten, family by family."""
        first: dict[tuple[str, Optional[Spot]], UnsavedObject] = {}
        for each in self._found():
            first.setdefault((each.name, each.made or each.location), each)
        return tuple(first.values())

    def _found(self) -> Iterator[UnsavedObject]:
        for family in [*self.families.files, *self.families.hooks]:
            if not self._keeps_training_state(family):
                continue
            for writing in family.writings:
                if not contents(writing.payload).open:
                    yield from self._in_class(writing, family)
                    yield from self._in_function(writing, family)
        yield from self._outside_registries()
        yield from self._beside_optimizers()
        for class_id in self.algorithms.classes:
            yield from self._outside_hooks(class_id)

    def _keeps_training_state(self, family: CheckpointGroup) -> bool:
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

    def _in_class(self, writing: SaveEffect, family: CheckpointGroup) -> Iterator[UnsavedObject]:
        """Yield what a saving class updates and neither side names, if training goes on after its load."""
        class_id = writing.source.class_id
        readings = [each for each in family.readings if self._is_of(each, class_id)]
        if not class_id or not any(
            each.keys and self.contract.evidence.is_training_state(each) for each in readings
        ):
            return
        found = list(self._left_out(writing, class_id, named_in(family)))
        if found and self.resuming.is_resumed(class_id, {each.source.function.name for each in readings}):
            yield from found

    def _left_out(self, writing: SaveEffect, class_id: str, known: set[str]) -> Iterator[UnsavedObject]:
        location = self.contract.own_save(writing)
        for attr, made in self.attributes(class_id):
            kind = self.kinds.of(self.evaluator.attribute_class(class_id, attr))
            if attr in known or kind not in KINDS or attr in self.kept_anywhere:
                continue
            if self.is_updated(class_id, attr) and attr not in self._gathered(class_id, known):
                yield UnsavedObject(f"self.{attr}", kind, location, made)
        yield from self._optimized(writing, class_id, known, location)
        yield from self._inside_modules(writing, known, location)

    def _gathered(self, class_id: str, known: set[str]) -> Iterator[str]:
        """Yield the attributes of a class and its heirs that are put into a container that is known."""
        for _, method in self.hierarchy.related_methods(class_id):
            for write in method.writes:
                holds = write.how in ("grow", "item") or isinstance(write.value, (Container, Record))
                if holds and (write.attr in known or write.attr in self.kept_anywhere):
                    yield from mentions(write.value)

    def _is_of(self, reading: LoadEffect, class_id: str) -> bool:
        return bool(reading.source.class_id and class_id) and self.hierarchy.are_related(
            reading.source.class_id, class_id
        )

    def attributes(self, class_id: str) -> Iterator[tuple[str, Spot]]:
        """Yield the attributes of a class with the place where each is first set."""
        seen: set[str] = set()
        for owner, method in self.hierarchy.inherited_methods(class_id):
            for write in method.writes:
                if write.how == "assign" and write.attr not in seen:
                    seen.add(write.attr)
                    yield write.attr, Spot(owner.partition(":")[0], write.position)

    def is_updated(self, class_id: str, attr: str) -> bool:
        """Tell whether a method of a class, its ancestors or heirs updates the object that an attribute holds."""
        for _, method in self.hierarchy.related_methods(class_id):
            for use in method.uses:
                if use.attr == attr and any(
                    UPDATES.search(how[1:]) for how in use.how if how.startswith(".")
                ):
                    return True
        return False

    def _optimized(
        self, writing: SaveEffect, class_id: str, known: set[str], location: Spot
    ) -> Iterator[UnsavedObject]:
        """Yield the tensors of a plain class that a saved optimizer trains and that are not saved themselves."""
        if self.hierarchy.is_module(class_id):
            return
        saved = {last_name(object_of(value)) for _, value in states_in(writing.payload)}
        for owner, method in self.hierarchy.inherited_methods(class_id):
            for write in method.writes:
                if write.attr in saved and isinstance(write.value, Call) and write.value.args:
                    for attr in listed(write.value.args[0]):
                        if attr not in known and self._is_trained_tensor(class_id, attr):
                            made = Spot(owner.partition(":")[0], write.position)
                            yield UnsavedObject(f"self.{attr}", "tensor", location, made)

    def _is_trained_tensor(self, class_id: str, attr: str) -> bool:
        value = self.kind_evaluator.attribute(class_id, attr)
        is_tensor = all(isinstance(each, (Tensor, Parameter)) for each in options_of(value))
        return is_tensor and attr not in self.kept_anywhere

    def _inside_modules(
        self, writing: SaveEffect, known: set[str], location: Spot
    ) -> Iterator[UnsavedObject]:
        """Yield the optimizers that a saved module steps itself: its state_dict does not hold them."""
        for _, value in states_in(writing.payload):
            inner = self.evaluator.class_of(object_of(value), CallContext(writing.unit))
            if inner not in self.hierarchy.symbols.classes or not self.hierarchy.is_module(inner):
                continue
            if self.hierarchy.defines(inner, "state_dict") or self.hierarchy.defines(
                inner, "get_extra_state"
            ):
                continue
            owner = last_name(object_of(value))
            for attr, made in self.attributes(inner):
                kind = self.kinds.of(self.evaluator.attribute_class(inner, attr))
                if kind in ("optimizer", "scaler") and self.is_updated(inner, attr):
                    if not self._is_kept_of(attr, owner, made.path):
                        yield UnsavedObject(f"self.{owner}.{attr}", kind, location, made)

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

    def _in_function(self, writing: SaveEffect, family: CheckpointGroup) -> Iterator[UnsavedObject]:
        """Yield the locals of the saving function that are updated and appear on neither side."""
        function = writing.unit.function
        if TUNES.search(writing.unit.identity):
            return
        readings = [
            each for each in family.readings if each.unit.identity == writing.unit.identity and each.keys
        ]
        if not any(map(self.contract.evidence.is_training_state, readings)) or any(
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
            kind = self.kinds.of(self.evaluator.class_of(target.value, CallContext(writing.unit)))
            if is_wound_forward(target.value) or kind not in KINDS:
                continue
            if self._is_stepped(target.name, writing.unit) and not escapes(target.name, function):
                known.add(target.name)
                location = writing.location if writing.call_chain else writing.save_call
                yield UnsavedObject(target.name, kind, location, Spot(writing.unit.path, store.position))

    def _is_stepped(self, name: str, unit: FunctionRef) -> bool:
        for site in unit.function.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and UPDATES.search(callee.name) and last_name(callee.base) == name:
                return True
            if any(isinstance(each, Local) and each.name == name for each in given(site)):
                if self._is_stepped_inside(site, name, unit):
                    return True
        return False

    def _is_stepped_inside(self, site: Site, name: str, unit: FunctionRef) -> bool:
        """Tell whether a function that is given an object updates it."""
        inner = self.evaluator.callee_of(site.call, CallContext(unit))
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

    def _outside_hooks(self, class_id: str) -> Iterator[UnsavedObject]:
        """Yield the components that an algorithm rebuilds and that its pair of hooks leaves out."""
        carried = self.algorithms.carried(class_id)
        if carried is None:
            return
        for attr, location in self.algorithms.rebuilt(class_id):
            if attr not in carried:
                yield UnsavedObject(f"self.{attr}", "stateful", location, None)

    def _beside_optimizers(self) -> Iterator[UnsavedObject]:
        """Yield the attributes that a class forgets which saves and restores its optimizer by name."""
        for class_id in self.families.classes:
            saved = self._optimizer_save(class_id)
            if saved is None:
                continue
            for attr, made in self.attributes(class_id):
                kind = self.kinds.of(self.evaluator.attribute_class(class_id, attr))
                if (
                    kind in KINDS - {"stateful"}
                    and self.is_updated(class_id, attr)
                    and attr not in self.kept_anywhere
                ):
                    yield UnsavedObject(f"self.{attr}", kind, saved, made)
            if self._calls(class_id, AMP_SET_UP) and not self._calls(class_id, AMP_STATE):
                yield UnsavedObject("amp", "scaler", saved, None)

    def _optimizer_save(self, class_id: str) -> Optional[Spot]:
        """Return where a class itself takes the state of an optimizer that it also restores."""
        found = None
        restored = False
        for method in self.hierarchy.methods(class_id).values():
            states = list(self._optimizer_states(class_id, method))
            if any(SELF in given(site) and (states or may_take_over(site)) for site in method.calls):
                return None
            for site, name in states:
                if name == "state_dict":
                    found = found or Spot(class_id.partition(":")[0], site.position)
                restored = restored or name == "load_state_dict"
        return found if restored else None

    def _optimizer_states(self, class_id: str, method: FunctionFacts) -> Iterator[tuple[Site, str]]:
        """Yield the calls by which a method takes or sets the state of an optimizer of its object."""
        for site in method.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and isinstance(callee.base, Attr) and callee.base.base == SELF:
                kind = self.kinds.of(self.evaluator.attribute_class(class_id, callee.base.name))
                if kind == "optimizer" and callee.name in ("state_dict", "load_state_dict"):
                    yield site, callee.name

    def _calls(self, class_id: str, path: str) -> bool:
        symbols = self.hierarchy.symbols
        return any(
            isinstance(site.call.callee, Name)
            and symbols.resolve(site.call.callee.path, owner.partition(":")[0]) == path
            for owner, method in self.hierarchy.inherited_methods(class_id)
            for site in method.calls
        )

    def _outside_registries(self) -> Iterator[UnsavedObject]:
        """Yield the objects that a class does not put into the registry that its base class saves."""
        for class_id in self.families.classes:
            for registry, names in self._registered(class_id).items():
                if self._keeps_training(class_id, names) and self._is_saved_registry(class_id, registry):
                    yield from self._unregistered(class_id, names)

    def _keeps_training(self, class_id: str, names: set[str]) -> bool:
        """Tell whether several objects are registered, one of which only training needs."""
        kinds = {self.kinds.of(self.evaluator.attribute_class(class_id, name)) for name in names}
        return len(names) > 1 and not kinds.isdisjoint(KINDS - {"stateful"})

    def _registered(self, class_id: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for method in self.hierarchy.methods(class_id).values():
            for store in method.stores:
                target = store.target
                if isinstance(target, Item) and isinstance(target.base, Attr) and target.base.base == SELF:
                    found.setdefault(target.base.name, set()).update(mentions(store.value))
        return found

    def _is_saved_registry(self, class_id: str, registry: str) -> bool:
        for _, method in self.hierarchy.inherited_methods(class_id):
            uses = [how for use in method.uses if use.attr == registry for how in use.how]
            saves = any(last_name(site.call.callee) in ("save", "dump") for site in method.calls)
            if saves and any(how in ("iter", ".items", "item", "plain") for how in uses):
                return True
        return False

    def _unregistered(self, class_id: str, names: set[str]) -> Iterator[UnsavedObject]:
        for method in self.hierarchy.methods(class_id).values():
            for write in method.writes:
                kind = self.kinds.of(self.evaluator.attribute_class(class_id, write.attr))
                if (
                    kind in KINDS - {"stateful"}
                    and write.attr not in names
                    and self.is_updated(class_id, write.attr)
                ):
                    if write.attr not in self.kept_anywhere:
                        location = Spot(class_id.partition(":")[0], write.position)
                        yield UnsavedObject(f"self.{write.attr}", kind, location, None)
                        names.add(write.attr)
