"""What checkpoints of a project lose: one question for each analysis of this folder."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.hooks.pairs import Hooks
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.losses.best_metrics import ForgottenBest
from flake8_ckpt.losses.best_metrics import ForgottenBests
from flake8_ckpt.losses.environments.unsaved import UnsavedEnvironment
from flake8_ckpt.losses.environments.unsaved import UnsavedEnvironments
from flake8_ckpt.losses.guarded_restores import SkippedRestore
from flake8_ckpt.losses.guarded_restores import skipped_restores
from flake8_ckpt.losses.hook_keys import UngivenKey
from flake8_ckpt.losses.hook_keys import UntakenKeys
from flake8_ckpt.losses.hook_keys import ungiven_keys
from flake8_ckpt.losses.hook_keys import untaken_keys
from flake8_ckpt.losses.idle_loads import IdleLoads
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.load_reports import discarded_load_reports
from flake8_ckpt.losses.normalizers.idle import Normalizers
from flake8_ckpt.losses.normalizers.made import Normalizer
from flake8_ckpt.losses.normalizers.stale import StaleNormalizer
from flake8_ckpt.losses.normalizers.stale import stale_normalizers
from flake8_ckpt.losses.orphaned_optimizers import OrphanedOptimizer
from flake8_ckpt.losses.orphaned_optimizers import OrphanedOptimizers
from flake8_ckpt.losses.orphaned_optimizers import UnpickledScheduler
from flake8_ckpt.losses.overwrites.overwrites import Overwrites
from flake8_ckpt.losses.overwrites.restored import Overwrite
from flake8_ckpt.losses.pickled_modules import PickledModule
from flake8_ckpt.losses.pickled_modules import pickled_modules
from flake8_ckpt.losses.state_dicts.omitted import IncompleteState
from flake8_ckpt.losses.state_dicts.omitted import IncompleteStates
from flake8_ckpt.losses.state_dicts.unprefixed_keys import UnprefixedKey
from flake8_ckpt.losses.state_dicts.unprefixed_keys import unprefixed_keys
from flake8_ckpt.losses.swallowed_errors import SwallowedError
from flake8_ckpt.losses.swallowed_errors import swallowed_errors
from flake8_ckpt.losses.trained_apart import TrainedApart
from flake8_ckpt.losses.unread_files import UnreadFile
from flake8_ckpt.losses.unread_files import UnreadFiles
from flake8_ckpt.losses.unsaved.objects import UnsavedObjects
from flake8_ckpt.losses.unsaved.save_points import GroupPoints
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject
from flake8_ckpt.losses.unsaved_normalizers import UnsavedNormalizers
from flake8_ckpt.losses.unsaved_normalizers import unsaved_normalizers
from flake8_ckpt.losses.vecnormalize.omitted import OmittedArguments
from flake8_ckpt.losses.vecnormalize.omitted import OmittedStatistics
from flake8_ckpt.losses.vecnormalize.restores import Fault
from flake8_ckpt.losses.vecnormalize.restores import Restores
from flake8_ckpt.losses.vecnormalize.unsaved import UnsavedStatistics
from flake8_ckpt.losses.vecnormalize.unsaved import misnamed_statistics
from flake8_ckpt.losses.vecnormalize.unsaved import unsaved_statistics
from flake8_ckpt.losses.vecnormalize.wrappers import Environments


class Losses:
    """What is lost between the two ends of the checkpoints, and around them; `about` as in `Project`."""

    def __init__(
        self, contract: Contract, kind_evaluator: KindEvaluator, about: Optional[Collection[str]] = None
    ) -> None:
        self.contract = contract
        self.kind_evaluator = kind_evaluator
        self.about = about

    @cached_property
    def ledger(self) -> Ledger:
        """Return what happens to each object with state."""
        return Ledger(self.contract)

    @cached_property
    def save_points(self) -> GroupPoints:
        """Return where programs save that go on with their files."""
        return GroupPoints(self.contract, self.ledger)

    @cached_property
    def bests(self) -> ForgottenBests:
        """Return who knows the metrics that decide what is saved, and that a resumed run starts again."""
        return ForgottenBests(self.ledger, self.save_points)

    def forgotten_bests(self) -> tuple[ForgottenBest, ...]:
        """Return the metrics that decide what is saved, and that a resumed run starts again."""
        return self.bests.found

    @cached_property
    def unsaved_objects(self) -> tuple[UnsavedObject, ...]:
        """Return the objects whose changing state is on neither side of a checkpoint."""
        found = UnsavedObjects(self.ledger, self.save_points, self.kind_evaluator, self.about).found
        if all(each.kind != "number" for each in found):
            return found
        told = {omitted.location for state in self.incomplete_states for omitted in state.omitted}
        return tuple(each for each in found if each.kind != "number" or each.made not in told)

    def is_idle(self, reader: FunctionRef) -> bool:
        """Tell whether nobody calls a load to go on with training, of a class of which programs make objects."""
        return self._idle.is_idle(reader) or not self.save_points.resumption.goes_on_after(reader)

    @cached_property
    def _idle(self) -> IdleLoads:
        return IdleLoads(self.contract.hierarchy)

    @cached_property
    def trained_apart(self) -> TrainedApart:
        """Return who knows the plain tensors that are trained by themselves and never resumed."""
        return TrainedApart(self.save_points.resumption)

    def unread_files(self) -> Iterator[UnreadFile]:
        """Yield the files with the state of one object that no load reads."""
        return UnreadFiles(self.ledger).all()

    def orphaned_optimizers(self) -> Iterator[OrphanedOptimizer]:
        """Yield the optimizers that a load leaves with what they were built over."""
        return self._loaded_objects.found()

    def unpickled_schedulers(self) -> Iterator[UnpickledScheduler]:
        """Yield the schedulers that a load binds with a copy of their optimizer."""
        return self._loaded_objects.unpickled_schedulers()

    @cached_property
    def _loaded_objects(self) -> OrphanedOptimizers:
        return OrphanedOptimizers(self.ledger, self.save_points.resumption)

    def unsaved_normalizers(self) -> Iterator[UnsavedNormalizers]:
        """Yield the saves that leave out statistics which a load restores."""
        return unsaved_normalizers(self.contract)

    @cached_property
    def incomplete_states(self) -> tuple[IncompleteState, ...]:
        """Return the hooks of classes that forget attributes of their objects, but best metrics."""
        return tuple(self._incomplete_states())

    def _incomplete_states(self) -> Iterator[IncompleteState]:
        for state in IncompleteStates(self.contract, self.save_points.resumption).all():
            omitted = (each for each in state.omitted if not self.bests.is_told(state.class_id, each.attr))
            kept = replace(state, omitted=tuple(omitted))
            yield from (kept,) if kept.omitted else ()

    def unprefixed_keys(self) -> Iterator[UnprefixedKey]:
        """Yield the first key that each override of a module's `state_dict` stores without the prefix."""
        return unprefixed_keys(self.contract.hierarchy)

    def overwrites(self) -> tuple[Overwrite, ...]:
        """Return where restored state is set anew."""
        return Overwrites(self.contract).found()

    def skipped_restores(self) -> Iterator[SkippedRestore]:
        """Yield the guards that skip a restore in silence where a key is absent."""
        return skipped_restores(self.contract)

    def discarded_load_reports(self) -> tuple[Spot, ...]:
        """Return the loads with `strict=False` whose report nobody looks at."""
        return discarded_load_reports(self.contract.evaluator)

    def swallowed_errors(self) -> tuple[SwallowedError, ...]:
        """Return the broad excepts around saves and restores after which the run goes on."""
        return swallowed_errors(self.contract)

    def pickled_modules(self) -> tuple[PickledModule, ...]:
        """Return the modules that are pickled as whole objects."""
        return pickled_modules(self.contract)

    @cached_property
    def hooks(self) -> Hooks:
        """Return the pairs of methods that a framework calls to save and restore."""
        return Hooks(self.contract, self.kind_evaluator)

    def ungiven_keys(self) -> Iterator[UngivenKey]:
        """Yield the keys that one of two hooks needs and the other never gives."""
        return ungiven_keys(self.contract, self.hooks)

    def untaken_keys(self) -> Iterator[UntakenKeys]:
        """Yield the hooks that leave keys where they are."""
        return untaken_keys(self.hooks)

    @cached_property
    def environments(self) -> Environments:
        """Return who makes and who uses normalized environments."""
        return Environments(self.contract.groups)

    def unsaved_statistics(self) -> Iterator[UnsavedStatistics]:
        """Yield the models that are saved without the `VecNormalize` around their environment."""
        return unsaved_statistics(self.environments)

    def omitted_statistics(self) -> Iterator[OmittedStatistics]:
        """Yield the calls that give a helper a model and not the `VecNormalize` that it would save, too."""
        if self.environments.is_present:
            yield from OmittedArguments(self.environments).all()

    def misnamed_statistics(self) -> Iterator[Spot]:
        """Yield the saves that ask a `VecNormalize` for statistics under a wrong name."""
        return misnamed_statistics(self.environments)

    def wrapper_faults(self) -> Iterator[Fault]:
        """Yield the `VecNormalize` wrappers with the wrong statistics around a loaded model."""
        if self.environments.is_present:
            yield from Restores(self.environments).faults()

    def unsaved_environments(self) -> Iterator[UnsavedEnvironment]:
        """Yield the policies that are saved without the statistics of their environment."""
        return UnsavedEnvironments(self.contract, self.environments).all()

    def stale_normalizers(self) -> Iterator[StaleNormalizer]:
        """Yield the normalizers that stay when what they were taken from is replaced."""
        return stale_normalizers(self.contract.hierarchy)

    def idle_normalizers(self) -> Iterator[Normalizer]:
        """Yield the normalizers that nothing updates."""
        return Normalizers(self.environments.allocations).idle()
