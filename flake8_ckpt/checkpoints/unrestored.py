"""State that is saved and never restored, though training is resumed from the file."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.evidence import Evidence
from flake8_ckpt.checkpoints.mismatch import Unrestored
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.checkpoints.payload import ANY_KEY
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import CallContext


class UnrestoredKeys:
    """Finds the keys that hold state and that no reading takes."""

    def __init__(self, families: CheckpointGroups, evidence: Evidence) -> None:
        self.families = families
        self.evaluator = families.evaluator
        self.evidence = evidence

    def all(self) -> tuple[Unrestored, ...]:
        """Return them, those of files before those of hooks."""
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
        if any(
            not each.keys or ANY_KEY in each.keys for each in family.readings
        ) or not self.evidence.resumes(family):
            return
        written = _written_keys(family)
        if any(each.keys[-1] not in written for each in family.readings):
            return
        taken = {each.keys for each in family.readings}
        lost: dict[tuple[str, ...], list[SaveEffect]] = {}
        for writing in family.writings:
            for keys, value in [*states_in(writing.payload), *self._counters_in(writing)]:
                if not any(keys[: len(each)] == each or each[: len(keys)] == keys for each in taken):
                    if not self.evidence.is_covered(object_of(value), writing.unit, family):
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
            if class_id and isinstance(value, Attr) and self.evidence.is_live_counter(class_id, value.name):
                yield keys, value


def _written_keys(family: CheckpointGroup) -> set[str]:
    return {key for each in family.writings for keys, _ in all_keys(each.payload) for key in keys}
