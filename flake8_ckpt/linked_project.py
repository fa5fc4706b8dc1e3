"""The linked project: what rules ask their questions of."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from functools import cached_property

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.dead_files import DeadFiles
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.linking.symbols import Symbols
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.losses.losses import Losses
from flake8_ckpt.modules.module_classes import ModuleClasses


class Project:
    """All files of a project, linked.

    `module_bases` names outside classes that are modules too; `package` is the root's own name as a package,
    `known` what is known of libraries.
    A rule about the state of modules asks `modules`, one about the keys of checkpoints asks `contract`,
    and one that needs an analysis of its own asks `losses`.
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
    def dead_files(self) -> DeadFiles:
        """Return who knows the files that no program reaches."""
        return DeadFiles(self.symbols)

    @cached_property
    def modules(self) -> ModuleClasses:
        """Return the module classes, and what their objects hold."""
        return ModuleClasses(self.hierarchy, self.kind_evaluator)

    @cached_property
    def groups(self) -> CheckpointGroups:
        """Return who writes and who reads which checkpoint."""
        evaluator = SymbolicEvaluator(self.hierarchy)
        return CheckpointGroups(self.hierarchy, evaluator, Payloads(evaluator))

    @cached_property
    def contract(self) -> Contract:
        """Return what the writers and readers of each checkpoint do not agree on."""
        return Contract(self.groups)

    @cached_property
    def losses(self) -> Losses:
        """Return what is lost between the two ends of the checkpoints, and around them."""
        return Losses(self.contract, self.kind_evaluator)
