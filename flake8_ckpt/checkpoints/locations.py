"""Where a finding about a payload stands."""

from __future__ import annotations

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatch import Unrestored
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import lost_in
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.findings import Spot


class Locations:
    """Tells where what is missing is left out, and where what is never restored is written."""

    def __init__(self, payloads: Payloads) -> None:
        self.payloads = payloads

    def without_key(self, missing: Missing) -> list[Spot]:
        """Return the places that leave a key out: a call that omits the argument that carries it, else the save."""
        return list(dict.fromkeys(self._omission(each, missing.keys) for each in missing.saves))

    def of(self, lost: Unrestored) -> dict[Spot, LoadEffect]:
        """Return where a key is written, its own assignment where it has one, else the save, each with its load."""
        found: dict[Spot, LoadEffect] = {}
        for save, load in zip(lost.saves, lost.loads):
            found.setdefault(_assignment(save, lost.keys) or self.own_save(save, lost.keys), load)
        return found

    def own_save(self, save: SaveEffect, keys: tuple[str, ...] = ()) -> Spot:
        """Return the save of the function that knows the keys itself: a shared helper only passes them on."""
        known = any(
            not lost_in(keys, each.payload) and not contents(each.payload).open
            for each in self.payloads.seen_by_source(save)
        )
        return save.save_call if known else save.settled_at or save.location

    def _omission(self, save: SaveEffect, keys: tuple[str, ...]) -> Spot:
        if not save.call_chain:
            return save.save_call
        given = any(not missing_depth(keys, [each]) for each in self.payloads.seen_by_source(save))
        return (save.settled_at or save.location) if given else save.save_call


def _assignment(save: SaveEffect, keys: tuple[str, ...]) -> Spot | None:
    for callee in (save.source, save.unit):
        for store in callee.function.stores:
            if isinstance(store.target, Item) and store.target.key == Const(keys[-1]):
                return Spot(callee.path, store.position)
    return None
