"""State that is saved and never restored, though training is resumed from the file."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.evidence import Evidence
from flake8_ckpt.checkpoints.formats import may_run
from flake8_ckpt.checkpoints.formats import written_keys
from flake8_ckpt.checkpoints.mismatch import Unrestored
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import LoadedPayload
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import are_one_path
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.key_text import are_one_key
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import CallContext

Keys = tuple[str, ...]
MIN_FORMATS = 2


class UnrestoredKeys:
    """Finds the keys that hold state and that no load takes."""

    def __init__(self, groups: CheckpointGroups, evidence: Evidence) -> None:
        self.groups = groups
        self.evaluator = groups.evaluator
        self.evidence = evidence
        # Asked for each save that a loaded value may come from.
        self._run: dict[int, list[LoadEffect]] = {}
        self._others: dict[int, bool] = {}

    def all(self) -> tuple[Unrestored, ...]:
        """Return them, those of files before those of hooks."""
        in_hooks = [each for group in self.groups.hooks for each in self._unrestored_in(group)]
        told = {(load.location, each.keys[-1]) for each in in_hooks for load in each.loads}
        in_files = [each for group in self.groups.files for each in self._unrestored_in(group)]
        kept = [
            each for each in in_files if not any((one.location, each.keys[-1]) in told for one in each.loads)
        ]
        return (*kept, *in_hooks)

    def _unrestored_in(self, group: CheckpointGroup) -> Iterator[Unrestored]:
        """Yield each key that is lost once, with all saves that give it."""
        lost: dict[Keys, list[tuple[SaveEffect, LoadEffect]]] = {}
        readers: dict[int, list[LoadedPayload]] = {}
        for each in group.loaded:
            for save in (*each.saves, *each.rivals):
                if not _is_of_other_format(save, each):
                    readers.setdefault(id(save), []).append(each)
        for save in group.saves:
            own = readers.get(id(save), [])
            resumed = self._resumed(_nearest(own, save))
            if resumed:
                taken = {load.keys for each in own for load in self._running(each)}
                for keys in self._lost_of(save, taken):
                    lost.setdefault(keys, []).append((save, resumed[0]))
        for keys, found in lost.items():
            saves, loads = zip(*found)
            yield Unrestored(group, keys, saves, loads)

    def _resumed(self, readers: list[LoadedPayload]) -> list[LoadEffect]:
        """Return the loads of the first reader that goes on with training; none where one may take all keys.

        Readers that are known by their keys alone count where there are no others.
        """
        found: list[LoadEffect] = []
        certain = [each for each in readers if not each.by_keys]
        for each in certain or readers:
            if self._is_other(each):
                continue
            loads = self._running(each)
            if not all(load.keys for load in loads):
                return []
            if not found and self.evidence.resumes(loads):
                found = loads
        return found

    def _running(self, loaded: LoadedPayload) -> list[LoadEffect]:
        if id(loaded) not in self._run:
            self._run[id(loaded)] = _that_may_run(loaded)
        return self._run[id(loaded)]

    def _is_other(self, loaded: LoadedPayload) -> bool:
        if id(loaded) not in self._others:
            self._others[id(loaded)] = _is_of_another(loaded)
        return self._others[id(loaded)]

    def _lost_of(self, save: SaveEffect, taken: set[Keys]) -> Iterator[Keys]:
        """Yield the keys of a save that hold state and are not among those that are taken."""
        for keys, value in [*states_in(save.payload), *self._counters_in(save)]:
            if not any(are_one_path(keys, each) for each in taken):
                if self.evidence.is_for_training(keys[-1], object_of(value), save.unit):
                    yield keys
                elif not self.evidence.is_covered(object_of(value), save.unit, [save]):
                    yield keys

    def _counters_in(self, save: SaveEffect) -> Iterator[tuple[Keys, Value]]:
        """Yield the keys of what training counts: an attribute that is, or by its name a number of a loop."""
        for keys, value in all_keys(save.payload):
            if len(keys) == 1 and self.evidence.is_loop_counter(keys[0], value):
                yield keys, value
            class_id = (
                self.evaluator.class_of(value.base, CallContext(save.unit)) if isinstance(value, Attr) else ""
            )
            if class_id and isinstance(value, Attr) and self.evidence.is_live_counter(class_id, value.name):
                yield keys, value


def _is_of_other_format(save: SaveEffect, loaded: LoadedPayload) -> bool:
    """Tell whether each function that loads fails without a key that this save leaves out and another one gives."""
    if len(loaded.saves) < MIN_FORMATS:
        return False
    needed: dict[str, set[Keys]] = {}
    for load in loaded.loads:
        if load.kind == "required" and load.keys and not _is_asked(load):
            needed.setdefault(load.source.identity, set()).add(load.keys[:1])
    return bool(needed) and all(
        any(missing_depth(keys, [save]) and not missing_depth(keys, loaded.saves) for keys in each)
        for each in needed.values()
    )


def _is_asked(load: LoadEffect) -> bool:
    """Tell whether a load runs only where the payload has, or lacks, some key."""
    return any(each.kind in ("key", "nokey") for each in load.guards)


def _nearest(readers: list[LoadedPayload], save: SaveEffect) -> list[LoadedPayload]:
    """Return the readers in the files of a save where there are any: others may be of another program."""
    paths = {save.unit.path, save.source.path}
    near = [
        each for each in readers if not each.by_keys and any(load.unit.path in paths for load in each.loads)
    ]
    return near or readers


def _that_may_run(loaded: LoadedPayload) -> list[LoadEffect]:
    """Return the loads that run for a file as it is written now: none of a branch for older ones."""
    written = written_keys((*loaded.saves, *loaded.rivals))
    return [each for each in loaded.loads if may_run(each, written)]


def _is_of_another(loaded: LoadedPayload) -> bool:
    """Tell whether a load reads other files: no key that it takes is written, or, known by its keys, not all are."""
    written = written_keys(loaded.saves)
    unknown = [not _is_among(each.keys[-1], written) for each in loaded.loads if each.keys]
    return any(unknown) if loaded.by_keys else all(unknown)


def _is_among(key: str, written: frozenset[str]) -> bool:
    return key in written or any(are_one_key(key, each) for each in written)
