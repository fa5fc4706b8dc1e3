"""Families: which writings and which readings speak of the same checkpoint.

A writing and a reading are put together where they are partners in one class (`save` and `load`, `get_x`
and `set_x`, the pairs of hooks), partners by name in one file, share the value of the file's path, or where
the keys of the two overlap clearly in files of which one imports the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cached_property
from posixpath import basename

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.family import CheckpointGroup
from flake8_ckpt.checkpoints.family import Groups
from flake8_ckpt.checkpoints.family import Hook
from flake8_ckpt.checkpoints.family import by_root
from flake8_ckpt.checkpoints.family import is_exact_pair
from flake8_ckpt.checkpoints.family import unique
from flake8_ckpt.checkpoints.function_names import are_partners
from flake8_ckpt.checkpoints.function_names import is_hook_name
from flake8_ckpt.checkpoints.function_names import name_to_call
from flake8_ckpt.checkpoints.participants import depends
from flake8_ckpt.checkpoints.participants import saves_or_loads
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.summaries import MAX_DEPTH
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import followed_anywhere
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

MAX_NEAR = 256
# Keys that say nothing on which checkpoint it is.
COMMON_KEYS = frozenset("model state_dict net network weights epoch config args step optimizer".split())
MIN_SHARED = 2
Writings = Mapping[str, list[SaveEffect]]
# A function by its file, its class ("" for none) and its name.
Step = tuple[str, str, str]


class CheckpointGroups:
    """All families of a project."""

    def __init__(self, hierarchy: Hierarchy, evaluator: SymbolicEvaluator, payloads: Payloads) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self.evaluator = evaluator
        self.payloads = payloads
        self._imports: dict[str, set[str]] = {}

    @cached_property
    def units(self) -> tuple[FunctionRef, ...]:
        """Return the functions that take part in saving and loading, methods in each class that takes part."""
        return tuple(self._units())

    def _units(self) -> Iterator[FunctionRef]:
        for each in followed_functions(self.symbols):
            if not each.class_id and each.function.name in self.involved:
                yield each
        for class_id in self.classes:
            facts = self.symbols.classes[class_id]
            own = {
                method.name
                for method in facts.methods
                if method.contract and self._is_involved(method, class_id)
            }
            if own:
                for owner, method in self.methods(class_id):
                    if (
                        owner == class_id
                        and method.name in own
                        or self._is_involved(method, owner)
                        and depends(method, own)
                    ):
                        yield method_ref(owner, method, class_id)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Return the classes with a method that takes part in saving and loading, but those of tests."""
        return tuple(
            class_id
            for class_id, facts in self.symbols.classes.items()
            if any(method.contract for method in facts.methods) and not is_test(class_id.partition(":")[0])
        )

    def _is_involved(self, method: FunctionFacts, owner: str) -> bool:
        return name_to_call(method, owner) in self.involved

    @cached_property
    def involved(self) -> frozenset[str]:
        """Return the names of the functions that save or load, are hooks, or call one that is of such a name."""
        found: set[str] = set()
        calls: list[tuple[str, set[str]]] = []
        for class_id in self.classes:
            found |= self._paired_names(class_id)
        for each in followed_anywhere(self.symbols):
            function = each.function
            name = name_to_call(function, each.owner) if each.owner else function.name
            called = {called_name(site.call) for site in function.calls}
            if any(saves_or_loads(site.call, CallContext(each), self.evaluator) for site in function.calls):
                found.add(name)
            calls.append((name, called))
        for _ in range(MAX_DEPTH):
            found |= {name for name, called in calls if not called.isdisjoint(found)}
        return frozenset(found)

    def _paired_names(self, class_id: str) -> set[str]:
        """Return the methods of a class that are one of a pair, the other being its own or inherited."""
        methods = self.symbols.classes[class_id].methods
        own = [method.name for method in methods if method.contract and is_hook_name(method.name)]
        if not own:
            return set()
        others = [method.name for _, method in self.methods(class_id) if is_hook_name(method.name)]
        pairs = [
            (one, other)
            for one in own
            for other in others
            if are_partners(one, other) or are_partners(other, one)
        ]
        return {name for pair in pairs for name in pair}

    def methods(self, class_id: str) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the methods of a class that take part, its own and inherited ones, with the class that defines them."""
        seen: set[str] = set()
        for owner in self.hierarchy.ancestors(class_id):
            for name, method in self.hierarchy.methods(owner).items():
                if name not in seen and method.contract:
                    yield owner, method
                seen.add(name)

    @cached_property
    def final(self) -> tuple[list[SaveEffect], list[LoadEffect]]:
        """Return the writings and readings that happen to files: those that no other function brings about."""
        writings = [each for unit in self.units for each in self.payloads.summary(unit).writings]
        readings = [each for unit in self.units for each in self.payloads.summary(unit).readings]
        passed = {(each.save_call, name) for each in writings for name in each.call_chain}
        stepped = {(each.location, each.keys, name) for each in readings for name in each.call_chain}
        kept = [each for each in writings if (each.save_call, each.unit.identity) not in passed]
        taken = [each for each in readings if (each.location, each.keys, each.unit.identity) not in stepped]
        return unique(kept), [each for each in taken if not isinstance(each.root, Param)]

    @cached_property
    def files(self) -> list[CheckpointGroup]:
        """Return the families of checkpoints that are files."""
        writings, readings = self.final
        groups = Groups()
        by_place: dict[str, list[SaveEffect]] = defaultdict(list)
        by_import: dict[str, list[SaveEffect]] = defaultdict(list)
        for writing in writings:
            for place in self._places(writing):
                by_place[place].append(writing)
            for place in self._imported(writing.unit.path):
                by_import[place].append(writing)
        for loaded in by_root(readings):
            near = {id(each): each for each in self._near(loaded, by_place, by_import)}
            for reading in loaded:
                groups.same(loaded[0], reading)
            keys = {each.keys[0] for each in loaded if each.keys}
            steps = {step for each in loaded for step in self._steps(each)}
            for writing in near.values():
                if (
                    self._overlap(writing, loaded[0], keys)
                    or any(_share_file(writing, each) for each in loaded)
                    or self._are_paired(writing, steps)
                ):
                    groups.same(writing, loaded[0])
        return [family for family in groups.families() if family.writings and family.readings]

    def _near(
        self, loaded: list[LoadEffect], by_place: Writings, by_import: Writings
    ) -> Iterator[SaveEffect]:
        """Yield the writings of the same files and classes, and those of files where one imports the other.

        Where they are too many, there are none: which of them belongs to the reading is not known.
        """
        own = sorted({place for reading in loaded for place in self._places(reading)})
        others = sorted({place for reading in loaded for place in self._imported(reading.unit.path)} - {*own})
        near = [writings.get(place, []) for writings in (by_place, by_import) for place in own]
        near += [by_place.get(place, []) for place in others]
        if sum(map(len, near)) <= MAX_NEAR:
            yield from (writing for writings in near for writing in writings)

    def _overlap(self, writing: SaveEffect, reading: LoadEffect, keys: set[str]) -> bool:
        """Tell whether the keys that are read are clearly those of a payload that is written near by."""
        shared = keys & set(contents(writing.payload).slots)
        one, other = writing.source.class_id, reading.source.class_id
        if one and other and not self.hierarchy.are_related(one, other):
            return False
        if writing.unit.identity == reading.unit.identity and shared:
            return True
        return len(shared) >= MIN_SHARED or bool(shared - COMMON_KEYS) and shared == keys

    def _places(self, effect: SaveEffect | LoadEffect) -> set[str]:
        """Return where partners of a writing or reading are looked for: its classes and its files."""
        found = set()
        for callee in (effect.unit, effect.source):
            found.add(callee.path)
            found.update(
                each for each in self.hierarchy.ancestors(callee.class_id) if each in self.symbols.classes
            )
        return found

    def _imported(self, path: str) -> set[str]:
        """Return the files of the project that a file imports something of."""
        if path not in self._imports:
            names = self.symbols.imports.get(path, {}).values()
            modules = (self.symbols.resolve(name, path).partition(":") for name in names)
            self._imports[path] = {module for module, colon, _ in modules if colon}
        return self._imports[path]

    def _are_paired(self, writing: SaveEffect, steps: set[Step]) -> bool:
        """Tell whether a function on the way of a writing is the partner of one of the steps of a reading."""
        return any(
            are_partners(one[2], other[2]) and self._may_be_pair(one, other)
            for one in dict.fromkeys(self._steps(writing))
            for other in steps
        )

    def _may_be_pair(self, one: Step, other: Step) -> bool:
        """Tell whether two functions are of one class hierarchy, or plain functions of one file."""
        if one[1] or other[1]:
            return bool(one[1] and other[1]) and self.hierarchy.are_related(one[1], other[1])
        return one[0] == other[0]

    def _steps(self, effect: SaveEffect | LoadEffect) -> Iterator[Step]:
        """Yield the functions on the way to a file, from the outermost to the one that saves or loads."""
        for callee in (effect.unit, effect.source):
            yield callee.path, callee.class_id, callee.function.name
        for identity in effect.call_chain:
            path, _, qualified = identity.partition(":")
            head, _, name = qualified.rpartition(".")
            yield path, f"{path}:{head}" if f"{path}:{head}" in self.symbols.classes else "", name

    @cached_property
    def hooks(self) -> list[CheckpointGroup]:
        """Return the families of the pairs of hooks: what one method returns, its partner is given."""
        found: dict[tuple[str, str], CheckpointGroup] = {}
        for class_id in self.classes:
            for hook in self._best_hooks(class_id):
                key = (hook.writer.identity, hook.reader.identity)
                if key not in found or hook.class_id == hook.writer.owner:
                    found[key] = self._hook_family(hook)
        return list(found.values())

    def _hooks_of(self, class_id: str) -> Iterator[Hook]:
        methods = {
            method.name: method_ref(owner, method, class_id) for owner, method in self.methods(class_id)
        }
        for name, writer in methods.items():
            for other, reader in methods.items():
                if are_partners(name, other):
                    yield Hook(class_id, writer, reader)

    def _best_hooks(self, class_id: str) -> Iterator[Hook]:
        """Yield the pairs of a class; a partner of exactly the same name is preferred to one that is alike."""
        found = list(self._hooks_of(class_id))
        exact = {each.reader.identity for each in found if is_exact_pair(each)}
        exact |= {each.writer.identity for each in found if is_exact_pair(each)}
        for each in found:
            if is_exact_pair(each) or each.reader.identity not in exact and each.writer.identity not in exact:
                yield each

    def _hook_family(self, hook: Hook) -> CheckpointGroup:
        returned = self._returned(hook.writer)
        parameters = [each.name for each in hook.reader.function.parameters[1:]]
        readings = [
            each
            for each in self.payloads.summary(hook.reader).readings
            if isinstance(each.root, Param) and each.root.name in parameters
        ]
        return CheckpointGroup(returned, readings, hook)

    def _returned(self, writer: FunctionRef) -> list[SaveEffect]:
        """Return what a hook gives back, as writings, or where it returns nothing, what it adds to its argument."""
        self.evaluator.begin()
        found = []
        for store in writer.function.stores:
            if store.target == Name("return"):
                location = Spot(writer.path, store.position)
                payload = self.evaluator.expand(store.value, CallContext(writer))
                found.append(SaveEffect(payload, Const(None), location, location, writer, writer))
        return found or self._filled_in(writer)

    def _filled_in(self, writer: FunctionRef) -> list[SaveEffect]:
        """Return the keys that a hook adds to the mapping it is given, as one writing."""
        names = [each.name for each in writer.function.parameters[1:]]
        if not names:
            return []
        target = Param(names[0])
        added = self.evaluator.added_to(writer.function, target)
        places = [each.position for each in writer.function.stores if isinstance(each.target, Item)]
        if not added or not places:
            return []
        scope = CallContext(writer)
        fields = tuple(
            Field(each.key, self.evaluator.expand(each.value, scope), each.always) for each in added
        )
        location = Spot(writer.path, places[-1])
        payload = Record(tuple(each for each in fields if each.key), not all(each.key for each in fields))
        if any(target in site.call.args and not _is_super(site.call) for site in writer.function.calls):
            payload = Record(payload.fields, True)
        return [SaveEffect(payload, Const(None), location, location, writer, writer)]


def _is_super(call: Call) -> bool:
    return isinstance(call.callee, Attr) and isinstance(call.callee.base, Super)


def _share_file(writing: SaveEffect, reading: LoadEffect) -> bool:
    if writing.unit.identity != reading.unit.identity and writing.unit.path != reading.unit.path:
        return False
    loaded = reading.root.args[0] if isinstance(reading.root, Call) and reading.root.args else None
    if loaded is None:
        return False
    if writing.unit == reading.unit and loaded == writing.file and not isinstance(loaded, Const):
        return True
    one, other = file_name(writing.file), file_name(loaded)
    return bool(one) and one == other


def file_name(value: Value) -> str:
    """Return the last part of a path that a value spells, "" where it is computed."""
    for option in options_of(value):
        if isinstance(option, Arith) and option.operands:
            option = option.operands[-1]
        if (
            isinstance(option, Call)
            and option.args
            and isinstance(option.callee, Name)
            and option.callee.path == "open"
        ):
            return file_name(option.args[0])
        if isinstance(option, Const) and isinstance(option.value, str):
            name = basename(option.value)
            return name if len(name) > len(".pt") else ""
    return ""
