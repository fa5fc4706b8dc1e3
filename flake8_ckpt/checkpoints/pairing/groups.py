"""The checkpoints of a project: which saves and which loads speak of the same one."""

from __future__ import annotations

from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.file_groups import FileGroups
from flake8_ckpt.checkpoints.pairing.file_groups import final_effects
from flake8_ckpt.checkpoints.pairing.file_groups import payload_parameters
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.hook_groups import HookGroups
from flake8_ckpt.checkpoints.pairing.participants import Participants
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator


class CheckpointGroups:
    """Puts all saves and loads of a project that speak of the same checkpoint together."""

    def __init__(self, hierarchy: Hierarchy, evaluator: SymbolicEvaluator, payloads: Payloads) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self.evaluator = evaluator
        self.payloads = payloads
        self.participants = Participants(hierarchy, evaluator)

    @property
    def units(self) -> tuple[FunctionRef, ...]:
        """Return the functions that take part in saving and loading."""
        return self.participants.units

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the classes with a method that takes part in saving and loading."""
        return self.participants.classes

    @cached_property
    def final(self) -> tuple[list[SaveEffect], list[LoadEffect]]:
        """Return the saves and loads that happen to files."""
        return final_effects(self.units, self.payloads)

    @cached_property
    def files(self) -> list[CheckpointGroup]:
        """Return the groups of checkpoints that are files."""
        saves, loads = self.final
        return FileGroups(self.hierarchy).of(saves, [*loads, *payload_parameters(self.units, self.payloads)])

    @cached_property
    def hooks(self) -> list[CheckpointGroup]:
        """Return the groups of the pairs of hooks."""
        return HookGroups(self.participants, self.evaluator, self.payloads).all()
