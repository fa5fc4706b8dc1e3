"""Attributes that only training sets and evaluation reads: statistics of a batch, ranges that an observer has seen.

if self.training:
    self.mean = x.mean(0)
return x - self.mean          # in eval mode, what the last training step left
"""

from __future__ import annotations

from collections.abc import Sequence

from flake8_ckpt.facts.model import MARKS
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite

TRAINING = Guard("set", "training")
# Uses that read no content: a comparison with None, a shape, a branch, a log; and marks that stand beside a use.
LOOKS = frozenset(["none", "meta", "test", "shown", "apart", *MARKS])


def is_left_by_training(state: ClassState, attr: str, later: Sequence[AttributeWrite]) -> bool:
    """Tell whether all later writes run in training only, and the step that runs them reads it at other times."""
    if not later or not all(_runs_in_training(state, change) for change in later):
        return False
    writers = {change.method.name for change in later}
    return any(
        read.use.first and not LOOKS.issuperset(read.use.how) and _runs(state, read.method.name, writers)
        for read in state.reads(attr)
    )


def _runs(state: ClassState, reader: str, writers: set[str]) -> bool:
    """Tell whether a step sets the attribute itself, or calls a method that does."""
    return reader in state.stepping and (
        reader in writers or not writers.isdisjoint(state.graph.get(reader, ()))
    )


def _runs_in_training(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a write stands under `if self.training`, or all calls of its method do."""
    if TRAINING in change.guards:
        return True
    called = [
        site for method in state.methods for name, site in method.own_calls() if name == change.method.name
    ]
    return bool(called) and all(TRAINING in site.guards for site in called)
