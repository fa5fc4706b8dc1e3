"""Normalizers that a project makes, uses and never updates.

The text of all files tells which methods are called on which names (`FileFacts.updates`). That is enough to
say that nobody updates an object: one that some call may update is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.programs import Programs
from flake8_ckpt.losses.normalizers.classes import NormalizerClasses
from flake8_ckpt.losses.normalizers.made import MadeNormalizers
from flake8_ckpt.losses.normalizers.made import Normalizer
from flake8_ckpt.losses.normalizers.uses import NormalizerUses

# Names of updates that objects of all kinds have: `metrics.update(x)` updates no normalizer.
COMMON = frozenset(["update", "add", "step", "record", "push", "fit", "observe"])
# Names of what is no normalizer: updating it tells nothing.
OTHERS = re.compile(
    r"^(self|super|cls|infos?|config|cfg|conf|kwargs|args|params|hparams|metrics?|log\w*|\w*bar|progress\w*"
    r"|\w*optim\w*|opt|\w*_opt|\w*sched\w*|scaler|grad_scaler|\w*policy|\w*agent|\w*model|\w*net|\w*network"
    r"|\w*critic|\w*actor|\w*learner|\w*trainer|\w*algo\w*|d|\w*dict|\w*data\w*|batch|os|environ|parser"
    r"|\w*writer|\w*ema|target\w*|\w*buffer|memory|\w*meter|losses|wandb|run|\w*envs?|results?|summary|seen"
    r"|visited)$",
    re.I,
)
# `optimizer.step()`, `agent.update()`: a program that only evaluates has no updates to miss.
TRAINED = re.compile(
    r"^(\w*optim\w*|opt|\w*_opt|\w*policy|\w*agent|\w*model|\w*learner|\w*trainer|\w*algo\w*)$"
)


class Normalizers:
    """Finds normalizers that are used and never updated."""

    def __init__(self, allocations: AllocationSites) -> None:
        self.allocations = allocations
        self.symbols = allocations.symbols
        self.programs = Programs(allocations)
        self.classes = NormalizerClasses(allocations.hierarchy)
        self.made = MadeNormalizers(allocations, self.classes)
        self.uses = NormalizerUses(allocations, self.classes, self.made)

    def idle(self) -> Iterator[Normalizer]:
        """Yield the normalizers, attributes first."""
        for each in self.made.all:
            if (
                self.uses.is_used(each)
                and not self._is_updated(each)
                and self._is_trained(each.location.path)
            ):
                yield each

    def _is_updated(self, idle: Normalizer) -> bool:
        """Tell whether some call may update a normalizer: one on its name, or on an unknown name."""
        for receiver, method in self._calls:
            if method in self.classes.updates(idle.class_id):
                if receiver in (idle.name, idle.local) or not self._is_known(receiver, method):
                    return True
        return False

    def _is_known(self, receiver: str, method: str) -> bool:
        """Tell whether a receiver of a call by its name is another object than the normalizer in question."""
        if receiver in ("self", "super") or receiver in self._names:
            return True
        return method in COMMON and OTHERS.search(receiver) is not None

    @cached_property
    def _names(self) -> frozenset[str]:
        """Return the names under which the project makes normalizers."""
        return frozenset(each.name for each in self.made.all)

    @cached_property
    def _calls(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            each for path, facts in self.symbols.files.items() if not is_test(path) for each in facts.updates
        )

    def _is_trained(self, path: str) -> bool:
        """Tell whether the programs that a file is part of train or save something."""
        files = self.programs.around(path)
        if any(
            TRAINED.search(receiver) for each in files for receiver, _ in self.symbols.files[each].updates
        ):
            return True
        return any(
            isinstance(site.call.callee, Name) and site.call.callee.path in self.symbols.known.payload_saves
            for unit in self.allocations.units
            if unit.path in files
            for site in unit.function.calls
        )
