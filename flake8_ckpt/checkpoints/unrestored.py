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
from flake8_ckpt.checkpoints.payload import are_one_path
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.key_text import are_one_key
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import CallContext


class UnrestoredKeys:
    """Finds the keys that hold state and that no load takes."""

    def __init__(self, groups: CheckpointGroups, evidence: Evidence) -> None:
        self.groups = groups
        self.evaluator = groups.evaluator
        self.evidence = evidence

    def all(self) -> tuple[Unrestored, ...]:
        """Return them, those of files before those of hooks."""
        in_hooks = [each for group in self.groups.hooks for each in self._unrestored_in(group)]
        told = {(load.location, each.keys[-1]) for each in in_hooks for load in each.group.loads}
        in_files = [each for group in self.groups.files for each in self._unrestored_in(group)]
        kept = [
            each
            for each in in_files
            if not any((one.location, each.keys[-1]) in told for one in each.group.loads)
        ]
        return (*kept, *in_hooks)

    def _unrestored_in(self, group: CheckpointGroup) -> Iterator[Unrestored]:
        if any(not each.keys or ANY_KEY in each.keys for each in group.loads) or not self.evidence.resumes(
            group
        ):
            return
        written = _written_keys(group)
        if any(not _is_among(each.keys[-1], written) for each in group.loads):
            return
        taken = {each.keys for each in group.loads}
        lost: dict[tuple[str, ...], list[SaveEffect]] = {}
        for save in group.saves:
            for keys, value in [*states_in(save.payload), *self._counters_in(save)]:
                if not any(are_one_path(keys, each) for each in taken):
                    if not self.evidence.is_covered(object_of(value), save.unit, group):
                        lost.setdefault(keys, []).append(save)
        for keys, saves in lost.items():
            yield Unrestored(group, keys, tuple(saves))

    def _counters_in(self, save: SaveEffect) -> Iterator[tuple[tuple[str, ...], Value]]:
        for keys, value in all_keys(save.payload):
            class_id = (
                self.evaluator.class_of(value.base, CallContext(save.unit)) if isinstance(value, Attr) else ""
            )
            if class_id and isinstance(value, Attr) and self.evidence.is_live_counter(class_id, value.name):
                yield keys, value


def _written_keys(group: CheckpointGroup) -> set[str]:
    return {key for each in group.saves for keys, _ in all_keys(each.payload) for key in keys}


def _is_among(key: str, written: set[str]) -> bool:
    return key in written or any(are_one_key(key, each) for each in written)
