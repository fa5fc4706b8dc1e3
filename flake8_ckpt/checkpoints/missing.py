"""Keys that load reads and no save of the same checkpoint writes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.evidence import Evidence
from flake8_ckpt.checkpoints.formats import TAKEN
from flake8_ckpt.checkpoints.formats import chooses_format
from flake8_ckpt.checkpoints.formats import converts
from flake8_ckpt.checkpoints.formats import has_alternative
from flake8_ckpt.checkpoints.formats import is_same_format
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatch import is_framework_hook
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.checkpoints.payload import ANY_KEY
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Param
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext


class MissingKeys:
    """Finds the keys that are read and never written."""

    def __init__(self, families: CheckpointGroups, evidence: Evidence) -> None:
        self.families = families
        self.hierarchy = families.hierarchy
        self.evaluator = families.evaluator
        self.evidence = evidence

    def all(self) -> tuple[Missing, ...]:
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
        for keys, readings in self._ungiven(family).items():
            if not self._is_excused(keys, readings, family):
                yield Missing(family, keys, tuple(readings), tuple(family.writings))
        yield from self._left_out_once(family)

    def _ungiven(self, family: CheckpointGroup) -> dict[tuple[str, ...], list[LoadEffect]]:
        """Return the readings of what no writing gives, by the path to the first key that is missing."""
        lost: dict[tuple[str, ...], list[LoadEffect]] = {}
        for reading in family.readings:
            if self._is_asked(reading, family):
                depth = missing_depth(reading.keys, family.writings)
                if depth:
                    lost.setdefault(reading.keys[:depth], []).append(reading)
        return lost

    def _is_asked(self, reading: LoadEffect, family: CheckpointGroup) -> bool:
        """Tell whether a reading takes a known key out of a payload that the writings of its family give."""
        known = self.families.symbols.known
        writer = family.hook.writer.function.name if family.hook is not None else ""
        if not reading.keys or reading.keys[0] in known.hook_keys.get(writer, ()):
            return False
        if any(converts(each, reading, known) for each in family.writings):
            return False
        if family.hook is None and self._is_given_by_partner(reading, family):
            return False
        return reading.kind in TAKEN and ANY_KEY not in reading.keys and is_same_format(reading, family)

    def _is_excused(self, keys: tuple[str, ...], readings: list[LoadEffect], family: CheckpointGroup) -> bool:
        """Tell whether load does without a key, or a call that is not followed may give it."""
        if all(each.kind != "required" and self._is_saved_whole(each, family) for each in readings):
            return True
        if has_alternative(keys, readings, family) or chooses_format(keys[-1], family):
            return True
        return any(map(self._is_passed_elsewhere, family.writings))

    def _left_out_once(self, family: CheckpointGroup) -> Iterator[Missing]:
        """Yield the keys that some writings give and another, to the very file that is loaded, does not."""
        for writing in family.writings if len(family.writings) > 1 else ():
            readings = [each for each in family.readings if file_of(each.root) == writing.file]
            for reading in readings if isinstance(writing.file, (Const, Param)) else ():
                depth = missing_depth(reading.keys, [writing])
                if (
                    depth
                    and not missing_depth(reading.keys, family.writings)
                    and self.evidence.is_normalizer_reading(reading)
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
        return not targets or any(
            self.evidence.is_covered(target, reading.unit, family) for target in targets
        )


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
