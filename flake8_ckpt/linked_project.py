"""The linked project: what rules ask their questions of.

What is about checkpoints is most of our code, and imported where a rule asks for it: many files have nothing to say
of them.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING
from typing import Optional

from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.dead_files import DeadFiles
from flake8_ckpt.linking.functions import functions_of
from flake8_ckpt.linking.symbols import Symbols
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.modules.module_classes import ModuleClasses

if TYPE_CHECKING:
    from flake8_ckpt.checkpoints.mismatches import Contract
    from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
    from flake8_ckpt.losses.losses import Losses


class Project:
    """All files of a project, linked.

    `module_bases` names outside classes that are modules too; `package` is the root's own name as a package,
    `known` what is known of libraries. With `about`, only findings in these files are asked for.
    A rule about the state of modules asks `modules`, one about the keys of checkpoints asks `contract`,
    and one that needs an analysis of its own asks `losses`.
    """

    def __init__(
        self,
        files: Mapping[str, FileFacts],
        module_bases: Sequence[str] = (),
        package: str = "",
        known: Frameworks = DEFAULT,
        about: Optional[Collection[str]] = None,
    ) -> None:
        self.files = files
        self.about = about
        self.symbols = Symbols(files, package, known)
        self.hierarchy = Hierarchy(self.symbols, module_bases)
        self.kind_evaluator = KindEvaluator(self.hierarchy)

    def takes_part(self, path: str) -> bool:
        """Tell whether a file has a function that may save or load, so that something is said of checkpoints there."""
        facts = self.files.get(path)
        return facts is not None and any(each.contract for each in functions_of(facts))

    @cached_property
    def dead_files(self) -> DeadFiles:
        """Return who knows the files that no program reaches."""
        return DeadFiles(self.symbols)

    @cached_property
    def modules(self) -> ModuleClasses:
        """Return the module classes, and what their objects hold."""
        return ModuleClasses(self.hierarchy, self.kind_evaluator, self.about)

    @cached_property
    def groups(self) -> CheckpointGroups:
        """Return who writes and who reads which checkpoint."""
        from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
        from flake8_ckpt.checkpoints.summaries import Payloads
        from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

        evaluator = SymbolicEvaluator(self.hierarchy)
        return CheckpointGroups(self.hierarchy, evaluator, Payloads(evaluator))

    @cached_property
    def contract(self) -> Contract:
        """Return what the writers and readers of each checkpoint do not agree on."""
        from flake8_ckpt.checkpoints.mismatches import Contract

        return Contract(self.groups)

    @cached_property
    def losses(self) -> Losses:
        """Return what is lost between the two ends of the checkpoints, and around them."""
        from flake8_ckpt.losses.losses import Losses

        return Losses(self.contract, self.kind_evaluator, self.about)
