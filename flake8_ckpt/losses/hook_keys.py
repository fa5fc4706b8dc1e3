"""Keys on which a pair of hooks does not agree: one needs what the other never gives, or leaves what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.hooks.pairs import Hooks
from flake8_ckpt.checkpoints.hooks.pairs import LeftKey
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef


@dataclass(frozen=True)
class UngivenKey:
    """A key that one hook reads at `location` and that the other, which gives the state at `given`, never has."""

    key: str
    location: Spot
    is_required: bool
    giver: FunctionRef
    given: Spot


@dataclass(frozen=True)
class UntakenKeys:
    """The keys that a hook is given and leaves where they are."""

    taker: FunctionRef
    keys: tuple[LeftKey, ...]


def ungiven_keys(contract: Contract, hooks: Hooks) -> Iterator[UngivenKey]:
    """Yield the keys that hooks look for in vain."""
    for missing in contract.missing:
        if _is_lost(missing, contract, hooks):
            yield _ungiven(missing.group, missing.loads[0], missing.keys[-1])
    for group, load in hooks.disjoint_pairs():
        yield _ungiven(group, load, load.keys[0])


def _is_lost(missing: Missing, contract: Contract, hooks: Hooks) -> bool:
    """Tell whether one of a pair of hooks needs a key that the other never gives, nor anybody else."""
    hook = missing.group.hook
    if hook is None or not missing.is_framework_hook or contract.restores_normalizer(missing):
        return False
    if hooks.is_given_elsewhere(missing.keys[0], hook):
        return False
    return contract.matters(missing)


def _ungiven(group: CheckpointGroup, load: LoadEffect, key: str) -> UngivenKey:
    given = group.saves[0]
    return UngivenKey(key, load.location, load.kind == "required", given.source, given.location)


def untaken_keys(hooks: Hooks) -> Iterator[UntakenKeys]:
    """Yield each load hook that leaves keys, with all of them."""
    lost: dict[Spot, list[LeftKey]] = {}
    for left in hooks.left_keys():
        lost.setdefault(left.hook.reader.location, []).append(left)
    for keys in lost.values():
        yield UntakenKeys(keys[0].hook.reader, tuple(keys))
