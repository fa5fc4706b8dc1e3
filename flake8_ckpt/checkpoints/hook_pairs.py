"""Hooks that a framework calls to save and restore an object: which lack a partner, which do not fit it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.family import CheckpointGroup
from flake8_ckpt.checkpoints.family import Hook
from flake8_ckpt.checkpoints.hook_values import asks_base
from flake8_ckpt.checkpoints.hook_values import bare_object
from flake8_ckpt.checkpoints.hook_values import copied
from flake8_ckpt.checkpoints.hook_values import hands_over_self
from flake8_ckpt.checkpoints.hook_values import key_of
from flake8_ckpt.checkpoints.hook_values import own_attribute
from flake8_ckpt.checkpoints.hook_values import own_calls
from flake8_ckpt.checkpoints.mismatch import is_framework_hook
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.payload import ANY_KEY
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Use
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.lightning import LIGHTNING_KEYS
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import LONE
from flake8_ckpt.frameworks.torch_methods import NEEDING
from flake8_ckpt.frameworks.torch_methods import PLAIN_BASES
from flake8_ckpt.frameworks.torch_methods import RESTARTS
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.modules.class_state import ClassState


@dataclass(frozen=True)
class LeftKey:
    """A key that holds changing state, that one hook gives and its partner never takes."""

    family: CheckpointGroup
    hook: Hook
    key: str
    location: Spot


@dataclass(frozen=True)
class LoneHook:
    """A hook without a partner, the name of the one that is missing, and a key that nobody reads back."""

    method: FunctionRef
    partner: str
    key: str = ""


@dataclass(frozen=True)
class BareState:
    """A hook that gives a bare `state_dict()`, where its partner takes it from under a key."""

    hook: Hook
    key: str
    location: Spot


@dataclass(frozen=True)
class Unpickled:
    """An attribute that `__setstate__` reads before anything gives it to the new object."""

    hook: Hook
    attr: str
    location: Spot


class Hooks:
    """Asks the pairs of hooks of a project."""

    def __init__(self, contract: Contract, kind_evaluator: KindEvaluator) -> None:
        self.families = contract.families
        self.kind_evaluator = kind_evaluator
        self.hierarchy: Hierarchy = contract.hierarchy
        self.classes = contract.hierarchy.symbols.classes

    def pairs(self) -> Iterator[tuple[CheckpointGroup, Hook]]:
        """Yield the pairs of hooks that a framework calls."""
        for family in self.families.hooks:
            if family.hook is not None and is_framework_hook(family):
                yield family, family.hook

    def left_keys(self) -> Iterator[LeftKey]:
        """Yield the keys that one hook gives and its partner never takes, though they hold changing state."""
        for family, hook in self.pairs():
            if not _takes_some(family.readings):
                continue
            taken = {each.keys[0] for each in family.readings}
            for writing in family.writings:
                for key, slot in contents(writing.payload).slots.items():
                    if key not in taken and self._is_lost(key, slot.value, hook):
                        yield LeftKey(family, hook, key, writing.location)

    def _is_lost(self, key: str, value: Value, hook: Hook) -> bool:
        if hook.writer.function.name == "on_save_checkpoint" and key in self.read_keys:
            return False
        return any(self._is_changing(option, hook) for option in options_of(value))

    def _is_changing(self, value: Value, hook: Hook) -> bool:
        """Tell whether a value is state of `self` that the partner does not touch in any other way."""
        value = copied(value)
        attr = own_attribute(bare_object(value) or value)
        if not attr or attr in self._touched(hook):
            return False
        return is_state(value) or self.is_changed(hook.class_id, attr)

    def disjoint_pairs(self) -> Iterator[tuple[CheckpointGroup, LoadEffect]]:
        """Yield the first key that a hook must find, for pairs of which none of the keys agree."""
        for family, hook in self.pairs():
            given = family.payloads
            known = bool(given) and all(each.slots and not each.open for each in given)
            if not known or not _takes_some(family.readings):
                continue
            first = family.readings[0]
            if all(missing_depth(each.keys[:1], family.writings) for each in family.readings):
                if first.kind == "required" and not self.is_given_elsewhere(first.keys[0], hook):
                    yield family, first

    def is_given_elsewhere(self, key: str, hook: Hook) -> bool:
        """Tell whether Lightning or some other code adds a key to the checkpoint that a hook is given."""
        if hook.writer.function.name != "on_save_checkpoint":
            return False
        return key in LIGHTNING_KEYS or key in self.given_keys

    def _touched(self, hook: Hook) -> set[str]:
        """Return the attributes that a reading hook, or what it runs, sets or uses."""
        run = self.reach(hook.class_id, [hook.reader.function])
        set_there = {each.attr for method in run for each in method.writes}
        return set_there | {each.attr for method in run for each in method.uses}

    def is_changed(self, class_id: str, attr: str) -> bool:
        """Tell whether a method that neither constructs nor restores nor restarts carries an attribute on."""
        return any(
            write.attr == attr and write.carried
            for _, method in self.hierarchy.related_methods(class_id)
            if method.name not in CONSTRUCTION and not RESTARTS.search(method.name)
            for write in method.writes
        )

    def reach(self, class_id: str, methods: Iterable[FunctionFacts]) -> list[FunctionFacts]:
        """Return some methods of a class and those of the same object that they run, in heirs too."""
        found = list(methods)
        names = {each.name for each in found}
        for method in found:
            called = {name for name, _ in own_calls(method)} - names
            names |= called
            found += self._named(class_id, called)
        return found

    def _named(self, class_id: str, names: set[str]) -> list[FunctionFacts]:
        """Return the methods of these names, of a class, its ancestors and its heirs."""
        methods = [self.hierarchy.methods(each) for each in self.hierarchy.relatives(class_id)]
        return [each[name] for each in methods for name in names if name in each]

    @cached_property
    def read_keys(self) -> frozenset[str]:
        """Return all keys that some code of the project takes out of a mapping."""
        return frozenset(
            read.key
            for each in functions_outside_tests(self.hierarchy.symbols)
            for read in each.function.key_reads
        )

    @cached_property
    def given_keys(self) -> frozenset[str]:
        """Return all keys under which some code of the project puts something into a mapping."""
        functions = functions_outside_tests(self.hierarchy.symbols)
        stores = (store.target for each in functions for store in each.function.stores)
        return frozenset(map(key_of, stores))

    def unpaired_hooks(self) -> Iterator[LoneHook]:
        """Yield the hooks that need a partner and have none."""
        for class_id, facts in self.classes.items():
            if NEEDING.isdisjoint(facts.method_names) or is_test(class_id.partition(":")[0]):
                continue
            if not self._has_plain_bases(class_id):
                continue
            for name, method in self.hierarchy.methods(class_id).items():
                callee = method_ref(class_id, method, class_id)
                if name in LONE and self.hierarchy.is_module(class_id) and not self.has(class_id, LONE[name]):
                    if self._needs_partner(callee):
                        yield LoneHook(callee, LONE[name])
                elif name == "on_save_checkpoint" and not self.has(class_id, "on_load_checkpoint"):
                    yield from self._unread(callee)

    def has(self, class_id: str, name: str) -> bool:
        """Tell whether a class, an ancestor or an heir defines a method."""
        related = (self.classes[each] for each in self.hierarchy.relatives(class_id) if each in self.classes)
        return any(name in each.method_names for each in related)

    def _has_plain_bases(self, class_id: str) -> bool:
        outside = [each for each in self.hierarchy.ancestors(class_id) if each not in self.classes]
        return all(map(PLAIN_BASES.search, outside))

    def _needs_partner(self, hook: FunctionRef) -> bool:
        method = hook.function
        if method.name == "set_extra_state":
            return bool(method.writes or method.key_reads)
        given = [each.value for each in method.stores if each.target == Name("return")]
        if method.name == "get_extra_state":
            return any(each not in (NONE, Record(())) for each in given)
        state = ClassState(hook.class_id, self.hierarchy, self.kind_evaluator)
        return bool(given) and all(_is_reshaped(each, state) for each in given)

    def _unread(self, method: FunctionRef) -> Iterator[LoneHook]:
        """Yield the first key that a lone `on_save_checkpoint` adds to hold state, and that nobody reads."""
        for store in method.function.stores:
            key, attr = key_of(store.target), own_attribute(copied(store.value))
            if key and key not in self.read_keys and attr and self.is_changed(method.class_id, attr):
                yield LoneHook(method, "on_load_checkpoint", key)
                return

    def bare(self) -> Iterator[BareState]:
        """Yield the hooks that give the bare state of an object which the partner takes from under a key."""
        for family, hook in self.pairs():
            given = {bare_object(each.payload) for each in family.writings}
            if len(given) != 1 or None in given or any(not each.keys for each in family.readings):
                continue
            for reading in family.readings:
                targets = [each for each in reading.into if isinstance(each, Attr)]
                restored = {each.base for each in targets if each.name == "load_state_dict"}
                if reading.kind == "required" and ANY_KEY not in reading.keys and given & restored:
                    yield BareState(hook, reading.keys[0], reading.location)
                    break

    def unpickled(self) -> Iterator[Unpickled]:
        """Yield what `__setstate__` reads of a new object that nothing has given to it."""
        for _, hook in self.pairs():
            if hook.writer.function.name == "__getstate__" and not self._may_give_more(hook):
                for use in hook.reader.function.uses:
                    if use.first and not use.attr.startswith("__") and self._is_absent(use, hook):
                        yield Unpickled(hook, use.attr, Spot(hook.reader.path, use.position))

    def _may_give_more(self, hook: Hook) -> bool:
        """Tell whether one of the two may give or take more attributes than it names."""
        if self.hierarchy.is_module(hook.class_id) or not self._has_plain_bases(hook.class_id):
            return True
        if any(each.kind == "wholesale" for each in hook.reader.function.key_reads):
            return True
        for method in (hook.writer.function, hook.reader.function):
            if any(use.attr == "__dict__" for use in method.uses):
                return True
            if any(hands_over_self(site.call) or asks_base(site.call) for site in method.calls):
                return True
        return False

    def _is_absent(self, use: Use, hook: Hook) -> bool:
        """Tell whether neither class nor pickle gives a new object an attribute before it is used."""
        known = [
            self.classes[each] for each in self.hierarchy.relatives(hook.class_id) if each in self.classes
        ]
        if any(use.attr in each.method_names or use.attr in dict(each.attributes) for each in known):
            return False
        if any(each.attr == use.attr for each in hook.writer.function.uses):
            return False
        before = [hook.reader.function, *self.reach(hook.class_id, self._run_before(use.position, hook))]
        return not any(write.attr == use.attr for method in before for write in method.writes)

    def _run_before(self, position: Position, hook: Hook) -> list[FunctionFacts]:
        """Return the methods that the reading hook calls before a place in it."""
        names = {name for name, at in own_calls(hook.reader.function) if at.line < position.line}
        return self._named(hook.class_id, names)


def _takes_some(readings: list[LoadEffect]) -> bool:
    """Tell whether a hook takes keys by their names, and nothing else."""
    return bool(readings) and all(each.keys and each.keys[0] != ANY_KEY for each in readings)


def _is_reshaped(value: Value, state: ClassState) -> bool:
    """Tell whether a `state_dict` gives that of another object, or keys that the base class does not know."""
    if isinstance(value, Record):
        return not value.open and any(_is_own_key(each, state) for each in value.fields)
    held = bare_object(value)
    return held is not None and not isinstance(held, Super)


def _is_own_key(field: Field, state: ClassState) -> bool:
    """Tell whether a key holds the state of some object, or an attribute that is no parameter or buffer."""
    if bare_object(field.value) is not None:
        return True
    made = state.constructed(own_attribute(field.value))
    return any(isinstance(each.value, (Number, Container, Record)) for each in made)
