"""All mentions of objects in a project by name, who calls what, and what is bound to which name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cached_property

from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import functions_outside_tests
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
    def bindings(self) -> Mapping[str, list[Binding]]:
        """Return what is bound to names, by the last name that it is bound to."""
        found: dict[str, list[Binding]] = defaultdict(list)
        for unit in self.units:
            for each in self.bindings_of(unit):
                found[_key(each.into)].append(each)
        return found

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
                if isinstance(each.value, NAMING):
                    found[_key(each.value)].append(each)
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
        """Yield what payloads hold, as the functions see it that bring them to a file."""
        for save in (*self.groups.final[0], *(save for group in self.groups.hooks for save in group.saves)):
            for value, part in kept_in(save.payload):
                yield Mention("saved", value, save.unit, save.save_call.position, part)

    def _restored(self) -> Iterator[Mention]:
        """Yield what loads put something into."""
        for load in (*self.groups.final[1], *(load for group in self.groups.hooks for load in group.loads)):
            for target in load.into:
                for value, part in kept_in(target):
                    yield Mention("restored", value, load.unit, load.at, part)


def _key(value: Value) -> str:
    return OWN if isinstance(value, Self) else last_name(value)
