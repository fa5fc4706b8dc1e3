"""The record of an object whose changing state is in no file, and what it is told by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from typing import Optional

from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.value_names import mentions

KINDS: frozenset[ObjectKind] = frozenset(
    ["optimizer", "scheduler", "scaler", "ema", "normalizer", "stateful"]
)
# Programs that begin a new training on the weights of another one.
TUNES = re.compile(r"fine_?tun|pretrain|transfer|distil|adapt|warm_?start", re.I)


@dataclass(frozen=True)
class UnsavedObject:
    """An object whose state is lost: how the code names it, its kind, where it is made, and the save without it."""

    name: str
    kind: ObjectKind | Literal["tensor"]
    location: Spot
    made: Optional[Spot]


def named_in(group: CheckpointGroup) -> set[str]:
    """Return the names of all objects that either side of a checkpoint speaks of."""
    written = {name for each in group.saves for name in mentions(each.payload)}
    read = {name for each in group.loads for target in each.into for name in mentions(target)}
    return written | read | {key for each in group.loads for key in each.keys}
