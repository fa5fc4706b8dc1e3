"""The checkpoint contract: which keys load reads that no save writes, and what they would restore."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.family import CheckpointGroup
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatch import Unrestored
from flake8_ckpt.checkpoints.mismatch import is_framework_hook
from flake8_ckpt.checkpoints.object_kinds import Kinds
from flake8_ckpt.checkpoints.pairing import CheckpointGroups
from flake8_ckpt.checkpoints.payload import ANY_KEY
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.payload import lost_in
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.checkpoints.places import assignment
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.frameworks.lightning import LIGHTNING_KEYS
from flake8_ckpt.frameworks.names import COUNTERS
from flake8_ckpt.frameworks.names import LOADERS
from flake8_ckpt.frameworks.names import NORMALIZER_WORDS
from flake8_ckpt.frameworks.names import RESTORERS
from flake8_ckpt.frameworks.names import TRAINING_WORDS
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.linking.value_names import path_text

TAKEN = frozenset(["required", "defaulted", "guarded"])


class Contract:
    """Compares what is written with what is read."""

    def __init__(self, families: CheckpointGroups) -> None:
        self.families = families
        self.hierarchy = families.hierarchy
        self.evaluator: SymbolicEvaluator = families.evaluator
        self.kinds = Kinds(families.hierarchy)

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """Return the keys that are read and never written, family by family."""
        in_files = [each for family in self.families.files for each in self._missing_in(family)]
        in_hooks = _innermost([each for family in self.families.hooks for each in self._missing_in(family)])
        told = {each.location for missing in in_hooks for each in missing.readings}
        kept = [each for each in in_files if not any(reading.location in told for reading in each.readings)]
        return (*kept, *(each for each in in_hooks if self._stays_missing(each, in_files)))

    def _stays_missing(self, missing: Missing, in_files: list[Missing]) -> bool:
        """Tell whether a key that a hook leaves out is not added later, on the way to the file."""
        spots = {each.location for each in missing.readings}
        if any(each.location in spots for other in in_files for each in other.readings):
            return True
        found = [
            missing_depth(each.keys, self._of_hook(missing, family)) > 0
            for family in self.families.files
            for each in family.readings
            if each.location in spots
        ]
        return not found or any(found)

    def _of_hook(self, missing: Missing, family: CheckpointGroup) -> list[SaveEffect]:
        """Return the writings of a file that hold what a hook gives; all, where it is not known which do."""
        hook = missing.family.hook
        if hook is None:
            return family.writings
        own = [
            each
            for each in family.writings
            if hook.writer.identity in (each.source.identity, *each.call_chain)
        ]
        own += [each for each in family.writings if each.unit.class_id == hook.class_id and each not in own]
        return own or family.writings

    def _missing_in(self, family: CheckpointGroup) -> Iterator[Missing]:
        if not family.writings or any(contents(each.payload).open for each in family.writings):
            return
        is_lightning = family.hook is not None and family.hook.writer.function.name == "on_save_checkpoint"
        lost: dict[tuple[str, ...], list[LoadEffect]] = {}
        for reading in family.readings:
            if not reading.keys or is_lightning and reading.keys[0] in LIGHTNING_KEYS:
                continue
            if any(_converts(each, reading, self.hierarchy.symbols.known) for each in family.writings):
                continue
            if family.hook is None and self._is_given_by_partner(reading, family):
                continue
            if (
                reading.kind in TAKEN
                and ANY_KEY not in reading.keys
                and self._is_same_format(reading, family)
            ):
                depth = missing_depth(reading.keys, family.writings)
                if depth:
                    lost.setdefault(reading.keys[:depth], []).append(reading)
        for keys, readings in lost.items():
            if all(each.kind != "required" and self._is_saved_whole(each, family) for each in readings):
                continue
            if not (
                self._has_alternative(keys, readings, family)
                or self._chooses_format(keys[-1], family)
                or any(map(self._is_passed_elsewhere, family.writings))
            ):
                yield Missing(family, keys, tuple(readings), tuple(family.writings))
        yield from self._left_out_once(family)

    def _left_out_once(self, family: CheckpointGroup) -> Iterator[Missing]:
        """Yield the keys that some writings give and another, to the very file that is loaded, does not."""
        for writing in family.writings if len(family.writings) > 1 else ():
            readings = [each for each in family.readings if file_of(each.root) == writing.file]
            for reading in readings if isinstance(writing.file, (Const, Param)) else ():
                depth = missing_depth(reading.keys, [writing])
                if (
                    depth
                    and not missing_depth(reading.keys, family.writings)
                    and self.is_normalizer_reading(reading)
                ):
                    yield Missing(family, reading.keys[:depth], (reading,), (writing,))

    def _is_passed_elsewhere(self, writing: SaveEffect) -> bool:
        """Tell whether a call that cannot be followed gives a wrapper on the way of a writing an argument by name."""
        return any(self._given_somewhere & self._options(each) for each in writing.call_chain)

    @cached_property
    def _given_somewhere(self) -> frozenset[tuple[str, str]]:
        """Return the methods that are called on unknown objects, each with a keyword that it is given."""
        return frozenset(
            (site.call.callee.name, keyword)
            for unit in self.families.units
            for site in unit.function.calls
            if isinstance(site.call.callee, Attr)
            for keyword, _ in site.call.keywords
            if self.evaluator.callee_of(site.call, CallContext(unit)) is None
        )

    def _options(self, identity: str) -> set[tuple[str, str]]:
        """Return the name of a function with each of its parameters."""
        owner, _, name = identity.rpartition(".")
        symbols = self.hierarchy.symbols
        function = symbols.functions.get(identity) or self.hierarchy.methods(owner).get(name)
        return {(name, each.name) for each in function.parameters} if function is not None else set()

    def _is_given_by_partner(self, reading: LoadEffect, family: CheckpointGroup) -> bool:
        """Tell whether a key is read by a hook whose own partner gives it, and which no save of the family asks."""
        hook = self._by_reader.get(reading.source.identity)
        if hook is None or hook.hook is None or not hook.writings:
            return False
        writer = hook.hook.writer.identity
        asked = any(writer in (each.source.identity, *each.call_chain) for each in family.writings)
        return not asked and not missing_depth(reading.keys, hook.writings)

    @cached_property
    def _by_reader(self) -> dict[str, CheckpointGroup]:
        """Return the families of exact pairs of hooks by the hook that reads."""
        hooks = (each for each in self.families.hooks if is_framework_hook(each))
        return {each.hook.reader.identity: each for each in hooks if each.hook is not None}

    def _is_saved_whole(self, reading: LoadEffect, family: CheckpointGroup) -> bool:
        """Tell whether what an optional key restores is part of an object that is saved as a whole."""
        targets = [target.base if isinstance(target, Attr) else target for target in reading.into]
        return not targets or any(self.is_covered(target, reading.unit, family) for target in targets)

    def _is_same_format(self, reading: LoadEffect, family: CheckpointGroup) -> bool:
        """Tell whether some other key that is read from the same payload is written."""
        others = [each for each in family.readings if each.root == reading.root and each.unit == reading.unit]
        return any(
            each.keys and each.kind in TAKEN and not missing_depth(each.keys, family.writings)
            for each in others
        )

    def _has_alternative(
        self, keys: tuple[str, ...], readings: list[LoadEffect], family: CheckpointGroup
    ) -> bool:
        """Tell whether what a key would restore is restored from another key, or from the whole payload, too."""
        if all(self._is_one_of_two(each, family) for each in readings):
            return True
        targets = {
            target
            for each in readings
            for target in each.into
            if path_text(target) and not isinstance(target, Local)
        }
        if not targets:
            return False
        return any(
            each not in readings
            and keys[: len(each.keys)] != each.keys
            and targets & set(each.into)
            and not missing_depth(each.keys, family.writings)
            for each in family.readings
        )

    def _is_one_of_two(self, reading: LoadEffect, family: CheckpointGroup) -> bool:
        """Tell whether the same expression takes a key that is written instead, if the payload has that one."""
        others = [
            each.keys
            for each in family.readings
            if (each.location, each.root, each.into) == (reading.location, reading.root, reading.into)
            and each.keys != reading.keys
            and each.keys[:-1] == reading.keys[:-1]
            and not missing_depth(each.keys, family.writings)
        ]
        return any(each.keys in others and each.kind == "guarded" for each in family.readings)

    def _chooses_format(self, key: str, family: CheckpointGroup) -> bool:
        """Tell whether load asks for a key to find out which of several formats a file has."""
        return any(f"nokey:{key}" in each.guards for each in family.readings) or not all(
            f"key:{key}" in each.guards
            or not any(guard.startswith(("key:", "nokey:")) for guard in each.guards)
            for each in family.readings
            if each.keys and each.keys[-1] == key
        )

    @cached_property
    def unrestored(self) -> tuple[Unrestored, ...]:
        """Return the state that is saved and never restored, though training is resumed from the file."""
        in_hooks = [each for family in self.families.hooks for each in self._unrestored_in(family)]
        told = {(reading.location, each.keys[-1]) for each in in_hooks for reading in each.family.readings}
        in_files = [each for family in self.families.files for each in self._unrestored_in(family)]
        kept = [
            each
            for each in in_files
            if not any((one.location, each.keys[-1]) in told for one in each.family.readings)
        ]
        return (*kept, *in_hooks)

    def _unrestored_in(self, family: CheckpointGroup) -> Iterator[Unrestored]:
        if any(not each.keys or ANY_KEY in each.keys for each in family.readings) or not self.resumes(family):
            return
        written = self._written_keys(family)
        if any(each.keys[-1] not in written for each in family.readings):
            return
        taken = {each.keys for each in family.readings}
        lost: dict[tuple[str, ...], list[SaveEffect]] = {}
        for writing in family.writings:
            for keys, value in [*states_in(writing.payload), *self._counters_in(writing)]:
                if not any(keys[: len(each)] == each or each[: len(keys)] == keys for each in taken):
                    if not self.is_covered(object_of(value), writing.unit, family):
                        lost.setdefault(keys, []).append(writing)
        for keys, writings in lost.items():
            yield Unrestored(family, keys, tuple(writings))

    def _counters_in(self, writing: SaveEffect) -> Iterator[tuple[tuple[str, ...], Value]]:
        for keys, value in all_keys(writing.payload):
            class_id = (
                self.evaluator.class_of(value.base, CallContext(writing.unit))
                if isinstance(value, Attr)
                else ""
            )
            if class_id and isinstance(value, Attr) and self.is_live_counter(class_id, value.name):
                yield keys, value

    def is_live_counter(self, class_id: str, attr: str) -> bool:
        """Tell whether an attribute is counted up in a method that also looks at it for something else."""
        for _, method in self.hierarchy.related_methods(class_id):
            counted = {
                write.position for write in method.writes if write.attr == attr and write.how == "augment"
            }
            if counted and any(use.attr == attr and use.position not in counted for use in method.uses):
                return True
        return False

    def _written_keys(self, family: CheckpointGroup) -> set[str]:
        return {key for each in family.writings for keys, _ in all_keys(each.payload) for key in keys}

    def resumes(self, family: CheckpointGroup) -> bool:
        """Tell whether load goes on with training: it restores an optimizer, a scheduler or a counter."""
        return any(self.is_training_state(each) for each in family.readings if each.keys)

    def is_training_state(self, reading: LoadEffect) -> bool:
        """Tell whether a key is state that only training needs."""
        if TRAINING_WORDS.search(reading.keys[-1]) and reading.into:
            return True
        if COUNTERS.search(reading.keys[-1]) and any(
            isinstance(each, (Attr, Local)) for each in reading.into
        ):
            return True
        kinds = {self.owner_kind(target, reading.unit) for target in reading.into}
        return not kinds.isdisjoint(("optimizer", "scheduler", "scaler"))

    def is_covered(self, target: Value, unit: FunctionRef, family: CheckpointGroup) -> bool:
        """Tell whether an object is part of another object whose state the same class saves as a whole."""
        name = path_text(target)
        saved = {
            path_text(object_of(value))
            for each in self._related(unit, family)
            for _, value in states_in(each.payload)
        }
        return any(each and name.startswith(f"{each}.") for each in saved)

    def _related(self, unit: FunctionRef, family: CheckpointGroup) -> Iterator[SaveEffect]:
        yield from family.writings
        for class_id in self.hierarchy.ancestors(unit.class_id) if unit.class_id else ():
            for other in self._hooks_by_class[0].get(class_id, ()):
                yield from other.writings
        for other in self._hooks_by_class[1].get(unit.class_id, ()):
            yield from other.writings

    @cached_property
    def _hooks_by_class(self) -> tuple[dict[str, list[CheckpointGroup]], dict[str, list[CheckpointGroup]]]:
        """Return the families of hooks by their class, and by each ancestor of it."""
        own: dict[str, list[CheckpointGroup]] = {}
        inherited: dict[str, list[CheckpointGroup]] = {}
        for family in self.families.hooks:
            if family.hook is not None:
                own.setdefault(family.hook.class_id, []).append(family)
                for class_id in self.hierarchy.ancestors(family.hook.class_id)[1:]:
                    inherited.setdefault(class_id, []).append(family)
        return own, inherited

    def restores_normalizer(self, missing: Missing) -> bool:
        """Tell whether what is missing is the state of a normalizer."""
        return any(self.is_normalizer_reading(each) for each in missing.readings)

    def is_normalizer_reading(self, reading: LoadEffect) -> bool:
        """Tell whether a reading restores a normalizer: by the object's class, else by the name of key and target."""
        if NORMALIZER_WORDS.search(reading.keys[-1]):
            return True
        return any(self.owner_kind(target, reading.unit) == "normalizer" for target in reading.into)

    def owner_kind(self, target: Value, unit: FunctionRef) -> str:
        """Return the kind of the object that a value flows into: that of x for `x.mean` and `x.load_state_dict`."""
        owner = target.base if isinstance(target, Attr) else target
        kind = self.kinds.of(self.evaluator.class_of(owner, CallContext(unit)))
        if not kind and isinstance(target, Attr) and isinstance(owner, Self):
            kind = self.kinds.of(self.evaluator.class_of(target, CallContext(unit)))
        return kind

    def save_sites_without_key(self, missing: Missing) -> list[Spot]:
        """Return the places that leave a key out: a call that omits the argument that carries it, else the save."""
        return list(dict.fromkeys(self._omission(each, missing.keys) for each in missing.writings))

    def places(self, lost: Unrestored) -> list[Spot]:
        """Return where a key is written: its own assignment where it has one, else the save."""
        found = (assignment(each, lost.keys) or self.own_save(each, lost.keys) for each in lost.writings)
        return list(dict.fromkeys(found))

    def own_save(self, writing: SaveEffect, keys: tuple[str, ...] = ()) -> Spot:
        """Return the save of the function that knows the keys itself: a shared helper only passes them on."""
        known = any(
            not lost_in(keys, each.payload) and not contents(each.payload).open
            for each in self._as_its_source_sees(writing)
        )
        return writing.save_call if known else writing.location

    def _as_its_source_sees(self, writing: SaveEffect) -> list[SaveEffect]:
        """Return a writing as the function that saves knows it, before a caller brings in its arguments."""
        summary = self.families.payloads.summary(writing.source)
        return [each for each in summary.writings if each.save_call == writing.save_call]

    def _omission(self, writing: SaveEffect, keys: tuple[str, ...]) -> Spot:
        if not writing.call_chain:
            return writing.save_call
        given = any(not missing_depth(keys, [each]) for each in self._as_its_source_sees(writing))
        return writing.location if given else writing.save_call

    def restores_state(self, reading: LoadEffect) -> bool:
        """Tell whether a key restores something that training changes."""
        return any(self._is_state(target, reading) for target in reading.into)

    def _is_state(self, target: Value, reading: LoadEffect) -> bool:
        if not isinstance(target, Attr):
            return isinstance(target, Local) and any(map(COUNTERS.search, reading.keys[-1:]))
        if not isinstance(target.base, Self):
            if target.name == "load_state_dict" or self.owner_kind(target, reading.unit):
                return True
        class_id = self.evaluator.class_of(target.base, CallContext(reading.unit))
        if target.name in self.hierarchy.method_names(class_id):
            return RESTORERS.search(target.name) is not None
        return self.is_changed(class_id, target.name, reading.source.identity)

    def is_changed(self, class_id: str, attr: str, loader: str) -> bool:
        """Tell whether a method other than construction and the one that loads changes an attribute."""
        for owner, method in self.hierarchy.related_methods(class_id):
            name = method.name
            if name != "__init__" and f"{owner}.{name}" != loader and not LOADERS.search(name):
                if any(write.attr == attr and write.how != "moved" for write in method.writes):
                    return True
        return False


def _innermost(found: list[Missing]) -> list[Missing]:
    """Leave out what a hook misses only because a hook that it calls does."""
    nearest: dict[Spot, int] = {}
    for each in found:
        for reading in each.readings:
            nearest[reading.location] = min(
                len(reading.call_chain), nearest.get(reading.location, len(reading.call_chain))
            )
    return [
        each for each in found if any(len(one.call_chain) == nearest[one.location] for one in each.readings)
    ]


def _converts(writing: SaveEffect, reading: LoadEffect, known: Frameworks) -> bool:
    """Tell whether a function writes what it has read in another form, and no state of its own."""
    if writing.unit.identity != reading.unit.identity or any(states_in(writing.payload)):
        return False
    source = file_of(reading.root)
    if UNKNOWN not in (source, writing.file) and source != writing.file:
        return True
    held = [value for _, value in all_keys(writing.payload)]
    return any(root == reading.root for value in held for root, _ in rooted(value, known))
