"""What the loads of a function restore, as the code names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.formats import TAKEN
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.function_names import EXACT_PAIRS
from flake8_ckpt.checkpoints.pairing.function_names import verb_and_stem
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_names import path_text

# How a local is called that holds where training goes on.
PROGRESS = re.compile(r"(^|_)(start|first|begin|last|done)(_|$)")
# Verbs of methods that are given a payload: what they take from their parameter is restored.
LOADS = frozenset(["load", "restore", "resume", "set", "on_load"])


@dataclass(frozen=True)
class Restored:
    """What a load restores, as the code names it, and the statement that does it."""

    name: str
    owner: Value
    load: LoadEffect


@dataclass(frozen=True)
class Overwrite:
    """A restored thing that is replaced at `location`; `restored` is where it was restored."""

    name: str
    location: Spot
    restored: Spot


class Restorations:
    """Finds the state that a function restores."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.known = contract.hierarchy.symbols.known

    def of(self, unit: FunctionRef) -> Iterator[Restored]:
        """Yield what a function restores, from files and, where it is one of a pair of hooks, from its argument."""
        is_hook = (
            unit.class_id
            and verb_and_stem(unit.function.name)[0] in LOADS
            or unit.function.name in EXACT_PAIRS.values()
        )
        for load in self.contract.groups.payloads.summary(unit).loads:
            if isinstance(load.root, Param) and not is_hook:
                continue
            for target in load.into:
                owner = self._owner(target, load)
                name = path_text(owner) if owner is not None else ""
                if owner is not None and name and name != "self":
                    yield Restored(name, owner, load)

    def _owner(self, target: Value, load: LoadEffect) -> Optional[Value]:
        """Return what a load restores by its flow into a target: an object, an attribute, a counter."""
        if isinstance(target, Local):
            counts = self.known.hint("key", "counter").search
            is_progress = counts(target.name) or PROGRESS.search(target.name)
            return target if load.keys and counts(load.keys[-1]) and is_progress else None
        if not isinstance(target, Attr):
            return None
        if target.name == "load_state_dict":
            return target.base if isinstance(target.base, (Attr, Local)) else None
        if load.kind not in TAKEN:
            return None
        class_id = self.evaluator.class_of(target.base, CallContext(load.unit))
        is_state = self.contract.kinds.of(class_id) == "normalizer" or self.contract.evidence.is_changed(
            class_id, target.name, ""
        )
        return target if is_state and target.name not in self.hierarchy.method_names(class_id) else None
