"""Objects with state that training changes, held by code that saves and resumes, and on neither side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.values import Record
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.losses.sb3_algorithms import Algorithms
from flake8_ckpt.losses.unsaved.attributes import UnsavedAttributes
from flake8_ckpt.losses.unsaved.beside_library import UnsavedBesideLibrary
from flake8_ckpt.losses.unsaved.beside_optimizer import UnsavedBesideOptimizer
from flake8_ckpt.losses.unsaved.beside_registered import UnsavedBesideRegistered
from flake8_ckpt.losses.unsaved.held_objects import HeldObjects
from flake8_ckpt.losses.unsaved.locals import UnsavedLocals
from flake8_ckpt.losses.unsaved.registries import UnsavedRegistries
from flake8_ckpt.losses.unsaved.saved_names import SavedNames
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject


class UnsavedObjects:
    """Finds the objects that a save and its load both forget."""

    def __init__(self, contract: Contract, kind_evaluator: KindEvaluator) -> None:
        self.contract = contract
        self.groups = contract.groups
        self.algorithms = Algorithms(contract)
        held, saved = HeldObjects(contract), SavedNames(contract.hierarchy.symbols)
        self.attributes = UnsavedAttributes(contract, kind_evaluator, held, saved)
        self.locals = UnsavedLocals(contract, saved)
        self.beside_registered = UnsavedBesideRegistered(self.locals)
        self.beside_library = UnsavedBesideLibrary(contract, held, saved)
        self.registries = UnsavedRegistries(contract.groups, held, saved)
        self.beside_optimizer = UnsavedBesideOptimizer(contract.groups, held, saved)

    @cached_property
    def found(self) -> tuple[UnsavedObject, ...]:
        """Return what is on neither side, group by group."""
        first: dict[tuple[str, Optional[Spot]], UnsavedObject] = {}
        for each in self._found():
            first.setdefault((each.name, each.made or each.location), each)
        return tuple(first.values())

    def _found(self) -> Iterator[UnsavedObject]:
        for group in [*self.groups.files, *self.groups.hooks]:
            for save in group.saves if _keeps_training_state(group) else ():
                if not contents(save.payload).open:
                    yield from self.attributes.of(save, group)
                    yield from self.locals.of(save, group)
        yield from self.registries.all()
        yield from self.beside_optimizer.all()
        yield from self.beside_registered.all()
        yield from self.beside_library.all()
        for attr, location in self.algorithms.lost():
            yield UnsavedObject(f"self.{attr}", "stateful", location, None)


def _keeps_training_state(group: CheckpointGroup) -> bool:
    return any(True for save in group.saves for _ in states_in(save.payload)) or any(
        isinstance(save.payload, Record) for save in group.saves
    )
