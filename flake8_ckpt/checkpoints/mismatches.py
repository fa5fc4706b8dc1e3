"""The checkpoint contract: what writers and readers do not agree on, and what that would restore."""

from __future__ import annotations

from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.evidence import Evidence
from flake8_ckpt.checkpoints.locations import Locations
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatch import Unrestored
from flake8_ckpt.checkpoints.missing import MissingKeys
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.unrestored import UnrestoredKeys
from flake8_ckpt.checkpoints.whole_files import WholeFiles
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator


class Contract:
    """Compares what is written with what is read."""

    def __init__(self, groups: CheckpointGroups) -> None:
        self.groups = groups
        self.hierarchy = groups.hierarchy
        self.evaluator: SymbolicEvaluator = groups.evaluator
        self.evidence = Evidence(groups)
        self.kinds = self.evidence.kinds
        self._locations = Locations(groups.payloads)

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """Return the keys that are read and never written, group by group."""
        return (*MissingKeys(self.groups, self.evidence).all(), *self._whole_files.missing)

    @cached_property
    def unrestored(self) -> tuple[Unrestored, ...]:
        """Return the state that is saved and never restored, though training is resumed from the file.

        What load looks for under another key is missing, and told once.
        """
        found = UnrestoredKeys(self.groups, self.evidence).all()
        return (*(each for each in found if not self._is_told(each)), *self._whole_files.unrestored)

    @cached_property
    def _whole_files(self) -> WholeFiles:
        return WholeFiles(self.groups, self.evidence)

    def _is_told(self, lost: Unrestored) -> bool:
        held = [value for save in lost.saves for keys, value in all_keys(save.payload) if keys == lost.keys]
        return any(
            missing.similar == lost.keys[-1] or any(map(missing.is_of, held))
            for missing in self._missing_by_group.get(id(lost.group), ())
        )

    @cached_property
    def _missing_by_group(self) -> dict[int, list[Missing]]:
        found: dict[int, list[Missing]] = {}
        for each in self.missing:
            found.setdefault(id(each.group), []).append(each)
        return found

    def restores_normalizer(self, missing: Missing) -> bool:
        """Tell whether what is missing is the state of a normalizer."""
        return self.evidence.restores_normalizer(missing)

    def matters(self, missing: Missing) -> bool:
        """Tell whether without a key the load fails, or state that training changes is not restored."""
        if any(each.kind == "required" or self.restores_state(each) for each in missing.loads):
            return True
        return any(self.evidence.stops_restore(missing.keys[-1], each) for each in missing.group.loaded)

    def restores_state(self, load: LoadEffect) -> bool:
        """Tell whether a key restores something that training changes."""
        return self.evidence.restores_state(load)

    def save_sites_without_key(self, missing: Missing) -> list[Spot]:
        """Return the places that leave a key out: a call that omits the argument that carries it, else the save."""
        return self._locations.without_key(missing)

    def locations(self, lost: Unrestored) -> dict[Spot, LoadEffect]:
        """Return where a key is written, its own assignment where it has one, else the save, each with its load."""
        return self._locations.of(lost)

    def own_save(self, save: SaveEffect) -> Spot:
        """Return the save of the function that knows the keys itself: a shared helper only passes them on."""
        return self._locations.own_save(save)
