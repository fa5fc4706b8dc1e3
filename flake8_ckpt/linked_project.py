"""The linked project: what rules ask their questions of."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import cached_property

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing import CheckpointGroups
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.linking.symbols import Symbols
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.losses.unsaved_object import UnsavedObject
from flake8_ckpt.losses.unsaved_objects import UnsavedObjects
from flake8_ckpt.losses.vecnormalize.wrappers import Environments
from flake8_ckpt.modules.attribute_lifetime import plain_tensors
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite


class Project:
    """All files of a project, linked.

    `module_bases` names outside classes that are modules too; `package` is the root's own name as a package,
    `known` what is known of libraries.
    """

    def __init__(
        self,
        files: Mapping[str, FileFacts],
        module_bases: Sequence[str] = (),
        package: str = "",
        known: Frameworks = DEFAULT,
    ) -> None:
        self.files = files
        self.symbols = Symbols(files, package, known)
        self.hierarchy = Hierarchy(self.symbols, module_bases)
        self.kind_evaluator = KindEvaluator(self.hierarchy)

    @cached_property
    def module_classes(self) -> tuple[ClassState, ...]:
        """Return the module classes that set or register something, in order of file and line."""
        return tuple(self._module_classes())

    def _module_classes(self) -> Iterator[ClassState]:
        for identity, facts in self.symbols.classes.items():
            if any(method.writes or method.registers for method in facts.methods):
                if self.hierarchy.is_module(identity):
                    yield ClassState(identity, self.hierarchy, self.kind_evaluator)

    @cached_property
    def families(self) -> CheckpointGroups:
        """Return who writes and who reads which checkpoint."""
        evaluator = SymbolicEvaluator(self.hierarchy)
        return CheckpointGroups(self.hierarchy, evaluator, Payloads(evaluator))

    @cached_property
    def contract(self) -> Contract:
        """Return what the writers and readers of each checkpoint do not agree on."""
        return Contract(self.families)

    @cached_property
    def forgotten(self) -> tuple[UnsavedObject, ...]:
        """Return the objects whose changing state is on neither side of a checkpoint."""
        return UnsavedObjects(self.contract, self.kind_evaluator).found

    @cached_property
    def environments(self) -> Environments:
        """Return who makes and who uses normalized environments."""
        return Environments(self.families)

    @cached_property
    def plain_tensors(self) -> tuple[tuple[ClassState, str, list[AttributeWrite]], ...]:
        """Return the tensors that module classes keep as plain attributes, with the writes that make them."""
        return tuple(
            (state, attr, writes)
            for state in self.module_classes
            for attr, writes in plain_tensors(state).items()
        )
