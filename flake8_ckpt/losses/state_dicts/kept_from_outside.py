"""States of objects that other code writes to files, attribute by attribute.

torch.save({"net": trainer.net.state_dict(), "step": trainer.step}, path)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.hooks.methods import HookMethods
from flake8_ckpt.checkpoints.hooks.values import bare_object
from flake8_ckpt.checkpoints.hooks.values import copied
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.state_dicts.own_state import OwnState

SCRIPT = "<module>"


class StatesFromOutside:
    """Asks the files of a project for the attributes of the objects of each class that they hold."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.methods = HookMethods(contract.hierarchy)

    def all(self) -> Iterator[OwnState]:
        """Yield the state of each class once, with all attributes that some file holds."""
        found: dict[str, tuple[SaveEffect, CheckpointGroup, set[str]]] = {}
        asked: set[str] = set()
        for group in self.contract.groups.files:
            for save in group.saves:
                asked |= set(self._asked_themselves(save))
                for class_id, attr in self._given(save) if self._goes_with(group, save) else ():
                    found.setdefault(class_id, (save, group, set()))[2].add(attr)
        for class_id, (save, group, given) in found.items():
            if class_id in asked or save.source.name == SCRIPT:
                continue
            if any(self._goes_on(class_id, each) for each in given):
                given |= self._set_by(group)
                yield OwnState(class_id, save.source, group.loads[0].source, (), frozenset(given))

    def sets(self, class_id: str, attr: str) -> bool:
        """Tell whether other code sets an attribute of the objects of a class: it is its affair to restore it."""
        owners = (self.evaluator.class_of(base, CallContext(unit)) for unit, base in self._set.get(attr, ()))
        return any(each and self.hierarchy.are_related(class_id, each) for each in owners)

    @cached_property
    def _set(self) -> dict[str, list[tuple[FunctionRef, Value]]]:
        """Return the attributes that functions set of other objects, with these."""
        found: dict[str, list[tuple[FunctionRef, Value]]] = {}
        for unit in followed_functions(self.hierarchy.symbols):
            for target in (each.target for each in unit.function.stores):
                if isinstance(target, Attr) and target.base != SELF:
                    found.setdefault(target.name, []).append((unit, target.base))
        return found

    def _goes_on(self, class_id: str, attr: str) -> bool:
        """Tell whether an attribute is a counter or an optimizer."""
        return self.methods.is_changed(class_id, attr) or self.methods.is_stepped(class_id, attr)

    def _goes_with(self, group: CheckpointGroup, save: SaveEffect) -> bool:
        """Tell whether training goes on with a file, all keys of which are known and taken one by one."""
        wholesale = any(not each.keys and not each.into for each in group.loads)
        if not group.loads or wholesale or contents(save.payload).open:
            return False
        return self.contract.evidence.resumes(group.loads)

    def _asked_themselves(self, save: SaveEffect) -> Iterator[str]:
        """Yield the classes of the objects that a payload holds, or a method of which gives a part of it."""
        held = [copied(value) for _, value in all_keys(save.payload)]
        for value in (*held, *parts_of(save.payload)):
            owner = value.callee.base if isinstance(value, Call) and isinstance(value.callee, Attr) else None
            if owner is not None or value in held:
                yield self.evaluator.class_of(owner or value, CallContext(save.unit))

    def _given(self, save: SaveEffect) -> Iterator[tuple[str, str]]:
        """Yield the attributes that a payload takes from objects of the project, each with the class."""
        context = CallContext(save.unit)
        for _, value in all_keys(save.payload):
            taken = copied(bare_object(value) or value)
            if isinstance(taken, Attr) and taken.base != SELF:
                class_id = self.evaluator.class_of(taken.base, context)
                if self._is_plain(class_id):
                    yield class_id, taken.name

    def _is_plain(self, class_id: str) -> bool:
        """Tell whether a class of the project has no state of its own kind: it is no module and has no hooks."""
        if class_id not in self.hierarchy.symbols.classes or is_test(class_id.partition(":")[0]):
            return False
        return not self.hierarchy.is_module(class_id) and self.methods.has_plain_bases(class_id)

    def _set_by(self, group: CheckpointGroup) -> set[str]:
        """Return the attributes that the functions which load set on some object."""
        stores = (each for load in group.loads for each in load.source.function.stores)
        targets: Iterator[Value] = (each.target for each in stores)
        return {each.name for each in targets if isinstance(each, Attr)}
