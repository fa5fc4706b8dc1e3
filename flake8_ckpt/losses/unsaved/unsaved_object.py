"""The record of an object whose changing state is in no file, and what it is told by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from typing import Optional

from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import mentions

KINDS: frozenset[ObjectKind] = frozenset(
    ["optimizer", "scheduler", "scaler", "ema", "normalizer", "stateful"]
)
# Calls by which training changes an object: `scheduler.step()`, `ema.update()`, `rms.update(x)`, `norm(x)`.
UPDATES = re.compile(
    r"^_*(step|update\w*|record\w*|push|observe|partial_fit|unscale_|normalize|normalise|apply|__call__)$"
)
# Calls that save or restore an object: `x.state_dict()`, `x.save(path)`, `restore_rng(x)`.
KEEPS = re.compile(
    r"state_dict|^(save|load|restore_|dump|get_state|set_state|serialize)|^(__getstate__|__setstate__)$"
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


def listed(value: Value) -> Iterator[str]:
    """Yield the attributes of `self` that a list of tensors to train names."""
    for option in options_of(value):
        if isinstance(option, Container):
            for each in option.items or options_of(option.of):
                if isinstance(each, Attr) and each.base == SELF:
                    yield each.name


def named_in(group: CheckpointGroup) -> set[str]:
    """Return the names of all objects that either side of a checkpoint speaks of."""
    written = {name for each in group.saves for name in mentions(each.payload)}
    read = {name for each in group.loads for target in each.into for name in mentions(target)}
    return written | read | {key for each in group.loads for key in each.keys}


def may_take_over(site: Site, known: Frameworks) -> bool:
    """Tell whether a call that is given an object may save it as a whole: one of a saver, or that makes one."""
    name = last_name(site.call.callee)
    return name[:1].isupper() or known.takes_over(name)
