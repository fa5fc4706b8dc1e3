"""What a saved optimizer trains, where that is in no file: networks, and tensors such as a temperature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.ledger.mentions import Mention
from flake8_ckpt.losses.ledger.mentions import trained_in
from flake8_ckpt.losses.unsaved.save_points import SavePoint
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject

Trained = tuple[Holder, Literal["tensor", "module"]]


class TrainedObjects:
    """Asks what the optimizers of a save were built over."""

    def __init__(self, ledger: Ledger, kind_evaluator: KindEvaluator) -> None:
        self.ledger = ledger
        self.hierarchy = ledger.hierarchy
        self.kind_evaluator = kind_evaluator

    def lost(self, optimizer: Holder, point: SavePoint) -> Iterator[UnsavedObject]:
        """Yield what a saved optimizer trains and that is in no file."""
        made_of = self.ledger.kinds.made(optimizer)
        trained = [each for unit, value in made_of for each in self._trained(value, unit)]
        names = {holder.name for holder, _ in trained}
        for holder, kind in trained:
            is_elsewhere = point.of_tools and kind == "module" or self._is_taken_from(holder, names)
            if holder.name not in point.names and not is_elsewhere and not self._is_kept(holder, kind):
                made = next(self._made(holder), None)
                location = point.location or made
                if location is not None:
                    yield UnsavedObject(shown(holder, point), kind, location, made)

    def _is_taken_from(self, holder: Holder, names: set[str]) -> bool:
        """Tell whether an attribute is computed from another one that is trained in its place: `log_alpha.exp()`."""
        methods = self.hierarchy.inherited_methods(holder.owner) if holder.is_attribute else ()
        return any(
            write.attr == holder.name and not names.isdisjoint({*write.sources} - {holder.name})
            for _, method in methods
            for write in method.writes
        )

    def _trained(self, value: Value, unit: FunctionRef) -> Iterator[Trained]:
        if not isinstance(value, Call):
            return
        for each, is_module in (found for arg in arguments_of(value) for found in trained_in(arg)):
            holder = self.ledger.aliases.holders.of(each, unit)
            if holder is not None and self._is_beside(holder, unit):
                if self._is_tensor(holder):
                    yield holder, "tensor"
                elif is_module and self._may_be_module(holder):
                    yield holder, "module"

    def _is_beside(self, holder: Holder, unit: FunctionRef) -> bool:
        """Tell whether what is trained is held by who builds the optimizer: a part of another object is its affair."""
        if holder.path == OWN or holder.length > (1 if holder.is_attribute else 0):
            return False
        if not holder.is_attribute:
            return holder.owner == unit.identity
        return bool(unit.class_id) and self.hierarchy.are_related(holder.owner, unit.class_id)

    def _may_be_module(self, holder: Holder) -> bool:
        classes = self.ledger.kinds.classes(holder)
        return all(map(self.hierarchy.is_module, classes))

    def _is_tensor(self, holder: Holder) -> bool:
        if not holder.is_attribute or holder.length > 1:
            return False
        value = self.kind_evaluator.attribute(holder.owner, holder.name)
        is_registered = self.hierarchy.is_module(holder.owner)
        kinds = (Tensor,) if is_registered else (Tensor, Parameter)
        return all(isinstance(each, kinds) for each in options_of(value))

    def _is_kept(self, holder: Holder, kind: str) -> bool:
        """Tell whether some program keeps an object, what it is a part of, or parts of it."""
        ledger = self.ledger
        if ledger.is_kept(holder, kind) or ledger.is_handed_over(holder):
            return True
        if any(map(ledger.is_kept, self._around(holder))):
            return True
        if kind != "module":
            return False
        return ledger.has_kept_parts(holder) or any(map(self._goes_into_kept, ledger.mentions(holder)))

    def _around(self, holder: Holder) -> set[Holder]:
        """Return what holds an object, and the containers it is an item of where a function is given it to train."""
        found = {base for base, _ in (holder.parted(),) if base.path != OWN}
        for each in self.ledger.aliases.of(holder).holders if not holder.is_attribute else ():
            base, step = each.parted()
            while step.startswith("["):
                found.add(base)
                base, step = base.parted()
        return found

    def _goes_into_kept(self, mention: Mention) -> bool:
        """Tell whether a network becomes a part of another one that some program keeps: `nn.Sequential(body, head)`."""
        if mention.how != "given" or not mention.name[:1].isupper():
            return False
        unit = mention.unit
        made = [each.target for each in unit.function.stores if each.position == mention.position]
        names = [Holder(unit.identity, each.name) for each in made if isinstance(each, Local)]
        return not names or any(self.ledger.is_kept(each, "module") for each in names)

    def _made(self, holder: Holder) -> Iterator[Spot]:
        return (Spot(each.unit.path, each.position) for each in self.ledger.aliases.bindings(holder))


def shown(holder: Holder, point: SavePoint) -> str:
    """Return how the code around a save names an object of its owner."""
    return (
        point.shown + holder.path[len(OWN) :] if holder.owner == point.owner and point.shown else holder.path
    )
