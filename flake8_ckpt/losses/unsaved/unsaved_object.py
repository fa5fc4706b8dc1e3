"""The record of an object whose changing state is in no file, and what it is told by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from typing import Optional

from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.findings import Spot

KINDS: frozenset[ObjectKind] = frozenset(
    ["optimizer", "scheduler", "scaler", "ema", "normalizer", "stateful"]
)


@dataclass(frozen=True)
class UnsavedObject:
    """An object whose state is lost: how the code names it, its kind, where it is made, and the save without it."""

    name: str
    kind: ObjectKind | Literal["tensor", "counter", "number"]
    location: Spot
    made: Optional[Spot]


def keys_of(group: CheckpointGroup) -> frozenset[str]:
    """Return the keys of both sides of a checkpoint: one that is computed may be the name of an object."""
    written = {key for each in group.saves for keys, _ in all_keys(each.payload) for key in keys}
    return frozenset(written | {key for each in group.loads for key in each.keys})
