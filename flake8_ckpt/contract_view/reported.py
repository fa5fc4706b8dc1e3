"""Which keys `check` reports: the tables mark these, and no others."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.contract_view.columns import Keys
from flake8_ckpt.findings import Spot
from flake8_ckpt.linked_project import Project


class Reported:
    """The keys of a project that load looks for in vain, and those that it leaves."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._missing: dict[tuple[Spot, Keys], set[Spot]] = {}
        for missing in self._never_saved():
            for load in missing.loads:
                for depth in range(len(missing.keys), len(load.keys) + 1):
                    saves = self._missing.setdefault((load.location, load.keys[:depth]), set())
                    saves.update(save.save_call for save in missing.saves)
        for lost in project.losses.ungiven_keys():
            self._missing.setdefault((lost.location, (lost.key,)), set()).add(lost.given)
        self._left = set(self._never_restored())

    def saves_without(self, location: Spot, keys: Keys) -> set[Spot]:
        """Return the saves that leave out what is read at a place; none where nothing is reported."""
        return self._missing.get((location, keys), set())

    def is_left(self, group: CheckpointGroup, keys: Keys) -> bool:
        """Tell whether state is saved under a key, and never restored."""
        return (id(group), keys) in self._left

    def _never_saved(self) -> Iterator[Missing]:
        contract = self.project.contract
        for missing in contract.missing:
            if contract.restores_normalizer(missing):
                yield missing
            elif not missing.is_framework_hook and contract.matters(missing):
                yield missing

    def _never_restored(self) -> Iterator[tuple[int, Keys]]:
        for lost in self.project.contract.unrestored:
            if not lost.is_framework_hook:
                yield id(lost.group), lost.keys
        for left in self.project.losses.untaken_keys():
            yield from ((id(each.group), (each.key,)) for each in left.keys)
