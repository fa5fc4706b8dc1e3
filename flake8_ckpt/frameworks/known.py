"""What a run knows of libraries: the records of the package and those of the user's files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec

from flake8_ckpt.frameworks.packed import packed_records
from flake8_ckpt.frameworks.records import TABLES
from flake8_ckpt.frameworks.records import Hinted
from flake8_ckpt.frameworks.records import Identifier
from flake8_ckpt.frameworks.records import LoadCall
from flake8_ckpt.frameworks.records import NormalizingWrapper
from flake8_ckpt.frameworks.records import Record
from flake8_ckpt.frameworks.records import Records
from flake8_ckpt.frameworks.records import Registry
from flake8_ckpt.frameworks.records import Role
from flake8_ckpt.frameworks.records import SaveCall
from flake8_ckpt.frameworks.records import TakeOver

NOTHING = re.compile(r"(?!)")
# In this order: `CosineLRScheduler` is asked before what ends in `Optimizer`.
HINTED_ROLES: tuple[Hinted, ...] = ("scheduler", "optimizer", "grad_scaler", "ema")


@dataclass(frozen=True)
class Frameworks:
    """All records; where the user's `own` speak of a name, those of the package do not count for it."""

    own: Records = Records()

    @cached_property
    def records(self) -> Records:
        """Return the records of both, the user's first."""
        packed = packed_records()
        if self.own == Records():
            return packed
        tables = {table: (*getattr(self.own, table), *_without(self.own, packed, table)) for table in TABLES}
        return Records(**tables, vocabulary=packed.vocabulary)

    @cached_property
    def key(self) -> str:
        """Return what tells these records from others in the key of a cache, "" where the user has none."""
        if self.own == Records():
            return ""
        return hashlib.blake2b(msgspec.json.encode(self.own), digest_size=8).hexdigest()

    @cached_property
    def saves(self) -> Mapping[str, SaveCall]:
        """Return the calls that save, by dotted name."""
        return {name: each for each in self.records.save for name in each.names}

    @cached_property
    def loads(self) -> Mapping[str, LoadCall]:
        """Return the calls that load, by dotted name."""
        return {name: each for each in self.records.load for name in each.names}

    @cached_property
    def payload_saves(self) -> frozenset[str]:
        """Return the calls that write the payload they are given, and nothing else, to a file."""
        return frozenset(
            name for name, each in self.saves.items() if each.writes == "payload" and each.to == "file"
        )

    @cached_property
    def byte_saves(self) -> frozenset[str]:
        """Return the calls that turn the payload they are given into bytes."""
        return frozenset(
            name for name, each in self.saves.items() if each.writes == "payload" and each.to == "bytes"
        )

    @cached_property
    def payload_loads(self) -> frozenset[str]:
        """Return the calls that give a payload back."""
        return frozenset(
            name for name, each in self.loads.items() if each.returns in ("payload", "remainder")
        )

    @cached_property
    def payload_calls(self) -> frozenset[str]:
        """Return all calls that take a payload as it is, give one, or fill what they are given."""
        taking = {name for name, each in self.saves.items() if each.writes == "payload"}
        return self.payload_loads | self.filling_loads | taking

    @cached_property
    def calls(self) -> Mapping[str, SaveCall | LoadCall]:
        """Return the calls of payloads by dotted name, but methods that only load: their receivers are everywhere."""
        found: dict[str, SaveCall | LoadCall] = {name: self.saves[name] for name in self.payload_saves}
        found.update((name, self.saves[name]) for name in self.byte_saves)
        loads = ((name, each) for name, each in self.loads.items() if name in self.payload_calls)
        found.update((name, each) for name, each in loads if each.kind != "method")
        return found

    @cached_property
    def filling_loads(self) -> frozenset[str]:
        """Return the calls that put what they read straight into a mapping that they are given."""
        return frozenset(name for name, each in self.loads.items() if each.fills_at is not None)

    @cached_property
    def receiver_classes(self) -> frozenset[str]:
        """Return the classes with a method that saves or loads."""
        calls: tuple[LoadCall | SaveCall, ...] = (*self.records.save, *self.records.load)
        return frozenset(
            name.rpartition(".")[0] for each in calls if each.kind == "method" for name in each.names
        )

    @cached_property
    def pickles(self) -> frozenset[str]:
        """Return the calls that write any object with its class."""
        return frozenset(name for name, each in self.saves.items() if each.pickles)

    @cached_property
    def method_names(self) -> frozenset[str]:
        """Return the last names of the methods that save or load."""
        calls: tuple[LoadCall | SaveCall, ...] = (*self.records.save, *self.records.load)
        return frozenset(
            name.rpartition(".")[2] for each in calls if each.kind != "function" for name in each.names
        )

    @cached_property
    def noted_methods(self) -> frozenset[str]:
        """Return the last names of the methods that write the payload they are given, or fill it."""
        saves = {name for name in self.payload_saves if self.saves[name].kind == "method"}
        loads = {name for name in self.filling_loads if self.loads[name].kind == "method"}
        return frozenset(name.rpartition(".")[2] for name in saves | loads)

    @cached_property
    def receivers(self) -> Mapping[tuple[str, str], str]:
        """Return the methods that are known by the name of a variable: (variable, method) to dotted name.

        Only those that are given a payload, or give one: a method of another class that has the same name
        seldom does both.
        """
        calls: list[LoadCall | SaveCall] = [
            *(each for each in self.records.load if not self.payload_loads.isdisjoint(each.names)),
            *(each for each in self.records.save if not self.payload_saves.isdisjoint(each.names)),
            *self._engine_calls,
        ]
        return {
            (variable, each.names[0].rpartition(".")[2]): each.names[0]
            for each in calls
            for variable in each.variables
        }

    @cached_property
    def hook_keys(self) -> Mapping[str, frozenset[str]]:
        """Return what the mapping that a library hands to a method holds already, by the method's own name."""
        found: dict[str, frozenset[str]] = {}
        for each in self.records.hook:
            if each.keys and each.when == "save" and each.payload != "return":
                method = each.names[0].rpartition(".")[2]
                found[method] = found.get(method, frozenset()).union(each.keys)
        return found

    @cached_property
    def _engine_calls(self) -> tuple[LoadCall | SaveCall, ...]:
        """Return the calls of objects that a function makes, so that only their variable tells: DeepSpeed's engine."""
        saves = [each for each in self.records.save if each.writes == "extra"]
        owners = {name.rpartition(".")[0] for each in saves for name in each.names}
        loads = [
            each
            for each in self.records.load
            if any(name.rpartition(".")[0] in owners for name in each.names)
        ]
        return (*saves, *loads)

    @cached_property
    def save_hooks(self) -> frozenset[str]:
        """Return the names of the methods by which a class adds to what a library saves of its objects."""
        hooks = (each for each in self.records.hook if each.when == "save")
        return frozenset(name.rpartition(".")[2] for each in hooks for name in each.names)

    @cached_property
    def kept_classes(self) -> frozenset[str]:
        """Return the classes whose objects a library saves by itself, some with a hook that may add to the file."""
        hooks = (each for each in self.records.hook if each.when == "save" and each.payload_at is not None)
        owners = {name.rpartition(".")[0] for each in hooks for name in each.names}
        owners |= {name for each in self.records.module_base if each.kept for name in each.names}
        return frozenset(each for each in owners if not each.startswith("torch."))

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Return what the objects of a class are, by its dotted name."""
        wrappers = (each for each in self.records.wrapper if each.statistics and each.updates_in)
        plain = (each for each in wrappers if not each.flag)
        found: dict[str, Role] = {name: "normalizer" for each in plain for name in each.names}
        found.update((name, each.role) for each in self.records.stateful for name in each.names)
        return found

    @cached_property
    def environment_wrappers(self) -> Mapping[str, NormalizingWrapper]:
        """Return the wrappers whose statistics only a program can save: they have no file and no state_dict."""
        return {
            name: each
            for each in self.records.wrapper
            if each.statistics and each.updates_in and not each.save and not each.is_module
            for name in each.names
        }

    def takes_over(self, name: str) -> bool:
        """Tell whether a call takes care of the objects it is given, by its last name."""
        return name in self._own_keepers or self.hint("function", "takes over").search(name) is not None

    @cached_property
    def savers(self) -> Mapping[str, str]:
        """Return the last names of the calls that save what others, by their dotted names, only take over.

        The name of a variable stands for its class, too: `accelerator.prepare`.
        """
        found: dict[str, str] = {}
        kept: tuple[TakeOver | Registry, ...] = (*self.records.takes_over, *self.records.registry)
        for each in kept:
            names = [*each.names]
            if isinstance(each, TakeOver):
                names += [f"{one}.{name.rpartition('.')[2]}" for name in each.names for one in each.variables]
            found.update((name, each.saved_by.rpartition(".")[2]) for name in names if each.saved_by)
        return found

    @cached_property
    def _own_keepers(self) -> frozenset[str]:
        """Return the last names of the calls that take care of objects, as the user's records say."""
        names = (name for each in (*self.own.registry, *self.own.takes_over) for name in each.names)
        return frozenset(name.rpartition(".")[2] for name in names)

    @cached_property
    def random_states(self) -> frozenset[str]:
        """Return the functions that take the state of a random generator, and that put it back."""
        found = (each for each in self.records.stateful if each.role == "rng")
        return frozenset(name for each in found for name in (*each.names, each.put))

    def is_object(self, path: str) -> bool:
        """Tell whether a call of a name gives an object that records speak of."""
        return path in self.roles or path in self.receiver_classes

    def role_of(self, path: str) -> str:
        """Return what the objects of a class of another package are, by its record or by what its name hints."""
        if path in self.roles:
            return self.roles[path]
        if not self.hint("outside class", "normalizer").search(path):
            if self.hint("outside class", "not torch").search(path):
                return ""
            return next((role for role in HINTED_ROLES if self.hint("outside class", role).search(path)), "")
        return "normalizer"

    @cached_property
    def modules(self) -> Mapping[str, bool]:
        """Return which classes are modules, and which are none though they look like it."""
        found = {name: each.is_module for each in self.records.module_base for name in each.names}
        for each in self.records.stateful:
            if each.is_module:
                found.update(dict.fromkeys(each.names, True))
        return found

    @cached_property
    def module_namespaces(self) -> tuple[str, ...]:
        """Return the packages whose classes are modules, each with a dot at its end."""
        return tuple(
            f"{name}." for each in self.records.module_base if each.is_namespace for name in each.names
        )

    @cached_property
    def plain_updates(self) -> Mapping[str, frozenset[str]]:
        """Return the methods that update the statistics of normalizers that somebody must call `update` of."""
        return {
            name: frozenset(each.changed_by)
            for each in self.records.stateful
            if each.role == "normalizer" and not each.is_module and "update" in each.changed_by
            for name in each.names
        }

    @cached_property
    def _hints(self) -> dict[tuple[Identifier, Hinted], re.Pattern[str]]:
        found: dict[tuple[Identifier, Hinted], list[str]] = {}
        for each in self.records.hint:
            found.setdefault((each.of, each.says), []).append(each.pattern)
        return {asked: re.compile("|".join(patterns)) for asked, patterns in found.items()}

    def hint(self, of: Identifier, says: Hinted) -> re.Pattern[str]:
        """Return the pattern of identifiers that hint something."""
        return self._hints.get((of, says), NOTHING)

    def __reduce__(self) -> tuple[type[Frameworks], tuple[Records]]:
        """Travel to another process without what that process has, or can make, itself."""
        return Frameworks, (self.own,)


def _without(own: Records, packed: Records, table: str) -> Iterator[object]:
    """Yield the records of the package for a table, less the names that the user's records speak of."""
    named = {name for each in getattr(own, table) if isinstance(each, Record) for name in each.names}
    for record in getattr(packed, table):
        if not isinstance(record, Record) or named.isdisjoint(record.names):
            yield record
            continue
        rest = tuple(name for name in record.names if name not in named)
        if rest:
            yield msgspec.structs.replace(record, names=rest)


DEFAULT = Frameworks()
