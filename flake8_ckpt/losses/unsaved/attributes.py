"""Attributes that a class with a save of its own updates, and that neither side of the checkpoint names."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import mentions
from flake8_ckpt.losses.resumption import Resumption
from flake8_ckpt.losses.unsaved.held_objects import HeldObjects
from flake8_ckpt.losses.unsaved.saved_names import SavedNames
from flake8_ckpt.losses.unsaved.unsaved_object import KINDS
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject
from flake8_ckpt.losses.unsaved.unsaved_object import listed
from flake8_ckpt.losses.unsaved.unsaved_object import named_in


class UnsavedAttributes:
    """Asks the class of a save that is understood."""

    def __init__(
        self, contract: Contract, kind_evaluator: KindEvaluator, held: HeldObjects, saved: SavedNames
    ) -> None:
        self.contract = contract
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.kind_evaluator = kind_evaluator
        self.held = held
        self.saved = saved
        self.resumption = Resumption(contract.groups)

    def of(self, save: SaveEffect, group: CheckpointGroup) -> Iterator[UnsavedObject]:
        """Yield what a saving class updates and neither side names, if training goes on after its load."""
        class_id = save.source.class_id
        loads = [each for each in group.loads if self._is_of(each, class_id)]
        if not class_id or not any(
            each.keys and self.contract.evidence.is_training_state(each) for each in loads
        ):
            return
        found = list(self._left_out(save, class_id, named_in(group)))
        if found and self.resumption.is_resumed(class_id, {each.source.function.name for each in loads}):
            yield from found

    def _left_out(self, save: SaveEffect, class_id: str, known: set[str]) -> Iterator[UnsavedObject]:
        location = self.contract.own_save(save)
        for attr, made in self.held.attributes(class_id):
            kind = self.held.kind_of(class_id, attr)
            if attr in known or kind not in KINDS or attr in self.saved.anywhere:
                continue
            if self.held.is_updated(class_id, attr) and attr not in self._gathered(class_id, known):
                yield UnsavedObject(f"self.{attr}", kind, location, made)
        yield from self._optimized(save, class_id, known, location)
        yield from self._inside_modules(save, location)

    def _gathered(self, class_id: str, known: set[str]) -> Iterator[str]:
        """Yield the attributes of a class and its subclasses that are put into a container that is known."""
        for _, method in self.hierarchy.related_methods(class_id):
            for write in method.writes:
                holds = write.how in ("grow", "item") or isinstance(write.value, (Container, Record))
                if holds and (write.attr in known or write.attr in self.saved.anywhere):
                    yield from mentions(write.value)

    def _is_of(self, load: LoadEffect, class_id: str) -> bool:
        return bool(load.source.class_id and class_id) and self.hierarchy.are_related(
            load.source.class_id, class_id
        )

    def _optimized(
        self, save: SaveEffect, class_id: str, known: set[str], location: Spot
    ) -> Iterator[UnsavedObject]:
        """Yield the tensors of a plain class that a saved optimizer trains and that are not saved themselves."""
        if self.hierarchy.is_module(class_id):
            return
        saved = {last_name(object_of(value)) for _, value in states_in(save.payload)}
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
        return is_tensor and attr not in self.saved.anywhere

    def _inside_modules(self, save: SaveEffect, location: Spot) -> Iterator[UnsavedObject]:
        """Yield the optimizers that a saved module steps itself: its state_dict does not hold them."""
        for _, value in states_in(save.payload):
            inner = self.evaluator.class_of(object_of(value), CallContext(save.unit))
            if inner not in self.hierarchy.symbols.classes or not self.hierarchy.is_module(inner):
                continue
            if any(self.hierarchy.defines(inner, name) for name in ("state_dict", "get_extra_state")):
                continue
            owner = last_name(object_of(value))
            for attr, made in self.held.attributes(inner):
                kind = self.held.kind_of(inner, attr)
                if kind in ("optimizer", "scaler") and self.held.is_updated(inner, attr):
                    if not self.saved.is_saved_of(attr, owner, made.path):
                        yield UnsavedObject(f"self.{owner}.{attr}", kind, location, made)
