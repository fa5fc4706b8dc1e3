"""Hooks that a framework calls to save and restore an object: which lack a partner, which do not fit it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.hooks.lone import LoneHook
from flake8_ckpt.checkpoints.hooks.lone import LoneHooks
from flake8_ckpt.checkpoints.hooks.mapping_keys import MappingKeys
from flake8_ckpt.checkpoints.hooks.methods import HookMethods
from flake8_ckpt.checkpoints.hooks.resolution import TwoBases
from flake8_ckpt.checkpoints.hooks.resolution import TwoBasesHooks
from flake8_ckpt.checkpoints.hooks.uncalled import uncalled_hooks
from flake8_ckpt.checkpoints.hooks.unpicklable import Unpicklable
from flake8_ckpt.checkpoints.hooks.unpicklable import unpicklable_keys
from flake8_ckpt.checkpoints.hooks.unpickled import Unpickled
from flake8_ckpt.checkpoints.hooks.unpickled import UnpickledAttributes
from flake8_ckpt.checkpoints.hooks.values import bare_object
from flake8_ckpt.checkpoints.hooks.values import copied
from flake8_ckpt.checkpoints.hooks.values import own_attribute
from flake8_ckpt.checkpoints.mismatch import is_framework_hook
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import Hook
from flake8_ckpt.checkpoints.payload import ANY_KEY
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.facts.key_text import is_computed
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_kinds import KindEvaluator


@dataclass(frozen=True)
class LeftKey:
    """A key that holds changing state, that one hook gives and its partner never takes."""

    group: CheckpointGroup
    hook: Hook
    key: str
    location: Spot


@dataclass(frozen=True)
class BareState:
    """A hook that gives a bare `state_dict()`, where its partner takes it from under a key."""

    hook: Hook
    key: str
    location: Spot


@dataclass(frozen=True)
class WholeState:
    """A hook that gives the state of a part under a key, where its partner hands that part all of the keys."""

    hook: Hook
    key: str
    location: Spot


class Hooks:
    """Asks the pairs of hooks of a project."""

    def __init__(self, contract: Contract, kind_evaluator: KindEvaluator) -> None:
        self.groups = contract.groups
        self.hierarchy = contract.hierarchy
        self.kind_evaluator = kind_evaluator
        self.methods = HookMethods(contract.hierarchy)
        self.keys = MappingKeys(contract.hierarchy.symbols)

    def pairs(self) -> Iterator[tuple[CheckpointGroup, Hook]]:
        """Yield the pairs of hooks that a framework calls."""
        for group in self.groups.hooks:
            if group.hook is not None and is_framework_hook(group):
                yield group, group.hook

    def left_keys(self) -> Iterator[LeftKey]:
        """Yield the keys that one hook gives and its partner never takes, though they hold changing state."""
        for group, hook in self.pairs():
            if not _takes_some(group.loads):
                continue
            taken = {each.keys[0] for each in group.loads}
            for save in group.saves:
                for key, slot in contents(save.payload).slots.items():
                    if key not in taken and self._is_lost(key, slot.value, hook):
                        yield LeftKey(group, hook, key, save.location)

    def _is_lost(self, key: str, value: Value, hook: Hook) -> bool:
        if hook.writer.function.name == "on_save_checkpoint" and key in self.keys.read:
            return False
        return any(self._is_changing(option, hook) for option in options_of(value))

    def _is_changing(self, value: Value, hook: Hook) -> bool:
        """Tell whether a value is state of `self` that the partner does not touch in any other way."""
        value = copied(value)
        attr = own_attribute(bare_object(value) or value)
        if not attr or attr in self._touched(hook):
            return False
        return is_state(value) or self.methods.is_changed(hook.class_id, attr)

    def _touched(self, hook: Hook) -> set[str]:
        """Return the attributes that a load hook, or what it runs, sets or uses."""
        run = self.methods.reach(hook.class_id, [hook.reader.function])
        set_there = {each.attr for method in run for each in method.writes}
        return set_there | {each.attr for method in run for each in method.uses}

    def disjoint_pairs(self) -> Iterator[tuple[CheckpointGroup, LoadEffect]]:
        """Yield the first key that a hook must find, for pairs of which none of the keys agree."""
        for group, hook in self.pairs():
            given = group.payloads
            known = bool(given) and all(each.slots and not each.open for each in given)
            if not known or not _takes_some(group.loads):
                continue
            first = group.loads[0]
            if all(missing_depth(each.keys[:1], group.saves) for each in group.loads):
                if first.kind == "required" and not self.is_given_elsewhere(first.keys[0], hook):
                    yield group, first

    def is_given_elsewhere(self, key: str, hook: Hook) -> bool:
        """Tell whether a library or some other code adds a key to the checkpoint that a hook is given."""
        there = self.hierarchy.symbols.known.hook_keys.get(hook.writer.function.name)
        return there is not None and (key in there or key in self.keys.given)

    def bare(self) -> Iterator[BareState]:
        """Yield the hooks that give the bare state of an object which the partner takes from under a key."""
        for group, hook in self.pairs():
            given = {bare_object(each.payload) for each in group.saves}
            if len(given) != 1 or None in given or any(not each.keys for each in group.loads):
                continue
            for load in group.loads:
                targets = [each for each in load.into if isinstance(each, Attr)]
                restored = {each.base for each in targets if each.name == "load_state_dict"}
                if load.kind == "required" and not any(map(is_computed, load.keys)) and given & restored:
                    yield BareState(hook, load.keys[0], load.location)
                    break

    def whole(self) -> Iterator[WholeState]:
        """Yield the hooks that give states under keys, where the partner takes all for the state of one of them."""
        for group in self.groups.hooks:
            hook = group.hook
            if (
                hook is None
                or any(each.keys for each in group.loads)
                or any(each.open for each in group.payloads)
            ):
                continue
            for load in group.loads:
                targets = [each for each in load.into if isinstance(each, Attr)]
                parts = {each.base for each in targets if each.name == "load_state_dict"}
                given = (item for each in group.payloads for item in each.slots.items())
                key = next((key for key, slot in given if bare_object(slot.value) in parts), "")
                if key and not is_computed(key):
                    yield WholeState(hook, key, load.location)
                    break

    def unpaired_hooks(self) -> Iterator[LoneHook]:
        """Yield the hooks that need a partner and have none."""
        return LoneHooks(self.hierarchy, self.kind_evaluator, self.methods, self.keys).all()

    def two_bases(self) -> Iterator[TwoBases]:
        """Yield the hooks whose partner comes from another base and does not fit."""
        return TwoBasesHooks(self.methods).among(self.pairs())

    def unpicklable(self) -> Iterator[Unpicklable]:
        """Yield the keys under which hooks give what pickle refuses."""
        return unpicklable_keys(self.pairs(), self.hierarchy)

    def uncalled(self) -> Iterator[FunctionRef]:
        """Yield the hooks that no framework calls."""
        return uncalled_hooks(self.hierarchy)

    def unpickled(self) -> Iterator[Unpickled]:
        """Yield what `__setstate__` reads of a new object that nothing has given to it."""
        return UnpickledAttributes(self.methods).among(hook for _, hook in self.pairs())


def _takes_some(loads: list[LoadEffect]) -> bool:
    """Tell whether a hook takes keys by their names, and nothing else."""
    return bool(loads) and all(each.keys and each.keys[0] != ANY_KEY for each in loads)
