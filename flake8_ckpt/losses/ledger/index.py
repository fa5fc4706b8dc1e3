"""All mentions of objects in a project by name, who calls what, and what is bound to which name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cached_property

import msgspec

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.mentions import NAMING
from flake8_ckpt.losses.ledger.mentions import Binding
from flake8_ckpt.losses.ledger.mentions import Mention
from flake8_ckpt.losses.ledger.mentions import bindings_in
from flake8_ckpt.losses.ledger.mentions import kept_in
from flake8_ckpt.losses.ledger.mentions import mentions_in


class MentionIndex:
    """Everything by last names, so that only what is asked for has to be resolved."""

    def __init__(self, groups: CheckpointGroups) -> None:
        self.groups = groups
        self.symbols = groups.symbols
        self._bindings_of: dict[str, tuple[Binding, ...]] = {}

    @cached_property
    def units(self) -> tuple[FunctionRef, ...]:
        """Return all functions that were read, but those of tests."""
        return tuple(functions_outside_tests(self.symbols))

    @cached_property
    def mentions(self) -> Mapping[str, list[Mention]]:
        """Return the mentions by the last name of the object: that of an item by its container."""
        found: dict[str, list[Mention]] = defaultdict(list)
        for unit in self.units:
            for each in mentions_in(unit):
                found[_key(each.value)].append(each)
        for each in (*self._saved(), *self._restored()):
            found[_key(each.value)].append(each)
        return found

    @cached_property
    def called(self) -> Mapping[str, set[str]]:
        """Return the methods that are called of what goes by a last name."""
        found: dict[str, set[str]] = defaultdict(set)
        for name, mentions in self.mentions.items():
            found[name].update(each.name for each in mentions if each.how == "called")
        return found

    @cached_property
    def bindings(self) -> Mapping[str, list[Binding]]:
        """Return what is bound to names, by the last name that it is bound to."""
        found: dict[str, list[Binding]] = defaultdict(list)
        for unit in self.units:
            for each in self.bindings_of(unit):
                found[_key(each.into)].append(each)
        return found

    @cached_property
    def containers(self) -> frozenset[str]:
        """Return the last names of what has items that something is bound to, or done with."""
        bound = {_key(each.into) for each in self._all_bindings() if each.step or _is_item(each.into)}
        used = (each for mentions in self.mentions.values() for each in mentions)
        return frozenset(bound | {_key(each.value) for each in used if _is_item(each.value)})

    def _all_bindings(self) -> Iterator[Binding]:
        return (each for bindings in self.bindings.values() for each in bindings)

    def bindings_of(self, unit: FunctionRef) -> tuple[Binding, ...]:
        """Return what a function binds to names."""
        if unit.identity not in self._bindings_of:
            self._bindings_of[unit.identity] = tuple(bindings_in(unit))
        return self._bindings_of[unit.identity]

    @cached_property
    def bound_names(self) -> Mapping[str, list[Binding]]:
        """Return what is bound to names, by the last name of what is bound."""
        found: dict[str, list[Binding]] = defaultdict(list)
        for bindings in self.bindings.values():
            for each in bindings:
                value = _moved(each.value)
                if isinstance(value, NAMING):
                    found[_key(value)].append(each)
        return found

    @cached_property
    def calls(self) -> Mapping[str, list[tuple[FunctionRef, Site]]]:
        """Return the calls by the last name of what is called."""
        found: dict[str, list[tuple[FunctionRef, Site]]] = defaultdict(list)
        for unit in self.units:
            for site in unit.function.calls:
                found[last_name(site.call.callee)].append((unit, site))
        return found

    def _saved(self) -> Iterator[Mention]:
        """Yield what payloads hold, as the functions see it that bring them to a file, and those that write it."""
        for save in (*self.groups.final[0], *(save for group in self.groups.hooks for save in group.saves)):
            for each in (save, *self.groups.payloads.seen_by_source(save)):
                for value, part in kept_in(each.payload):
                    seen, unit = self.at_home(value, each)
                    yield Mention("saved", seen, unit, save.save_call.position, part)

    def _restored(self) -> Iterator[Mention]:
        """Yield what loads put something into."""
        for load in (*self.groups.final[1], *(load for group in self.groups.hooks for load in group.loads)):
            for target in load.into:
                for value, part in kept_in(target):
                    seen, unit = self.at_home(value, load)
                    yield Mention("restored", seen, unit, load.at, part)

    def at_home(self, value: Value, effect: SaveEffect | LoadEffect) -> tuple[Value, FunctionRef]:
        """Return a value as the function names it whose local it is: `train.agent` of a script is `agent` of train."""
        local = root_of(value)
        function, _, name = local.name.rpartition(".") if isinstance(local, Local) else ("", "", "")
        if not isinstance(local, Local) or not function:
            return value, effect.unit
        for identity in effect.call_chain:
            if identity.rpartition(":")[2].rpartition(".")[2] == function.rpartition(".")[2]:
                home = self.function(identity)
                if home is not None:
                    return with_root(value, Local(name, local.value)), home
        return value, effect.unit

    def function(self, identity: str) -> FunctionRef | None:
        """Return a function or method by its identity."""
        function = self.symbols.functions.get(identity)
        if function is not None:
            return FunctionRef(identity, function)
        class_id, _, name = identity.rpartition(".")
        facts = self.symbols.classes.get(class_id)
        methods = (each for each in facts.methods if each.name == name) if facts is not None else iter(())
        return next((method_ref(class_id, each, class_id) for each in methods), None)


def _moved(value: Value) -> Value:
    """Return the module that a value is: `net` for `net.to(device)`."""
    while isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name in MODULE_METHODS:
        value = value.callee.base
    return value


def _is_item(value: Value) -> bool:
    """Tell whether a value is an item of something, or an attribute of one."""
    while isinstance(value, Attr):
        value = value.base
    return isinstance(value, (Item, Element))


def root_of(value: Value) -> Value:
    """Return what a path of attributes and items begins with."""
    while isinstance(value, (Attr, Item, Element)):
        value = value.base
    return value


def with_root(value: Value, root: Value) -> Value:
    """Return the same path of attributes and items with another beginning."""
    if isinstance(value, (Attr, Item, Element)):
        return msgspec.structs.replace(value, base=with_root(value.base, root))
    return root


def _key(value: Value) -> str:
    return OWN if isinstance(value, Self) else last_name(value)
