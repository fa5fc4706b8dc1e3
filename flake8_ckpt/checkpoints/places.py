"""Where a finding about a payload stands."""

from __future__ import annotations

from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.findings import Spot


def assignment(writing: SaveEffect, keys: tuple[str, ...]) -> Spot | None:
    for callee in (writing.source, writing.unit):
        for store in callee.function.stores:
            if isinstance(store.target, Item) and store.target.key == Const(keys[-1]):
                return Spot(callee.path, store.position)
    return None
