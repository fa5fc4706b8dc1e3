"""Normalizers that belong to a save through an object that is held: `self.agent.rms` of a trainer."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Spot
from flake8_ckpt.losses.ledger.events import KEEPS
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger


def held_normalizers(holder: Holder, ledger: Ledger) -> Iterator[tuple[Holder, Spot, Holder]]:
    """Yield the normalizers of an object of one class that saves nothing, each by its path, its place, and as its own.

    A module keeps its statistics as it keeps its weights, and a base class of a library may save what it holds.
    """
    classes = ledger.kinds.classes(holder)
    class_id = next(iter(classes), "")
    if len(classes) != 1 or class_id not in ledger.symbols.classes or ledger.hierarchy.is_module(class_id):
        return
    if not ledger.symbols.classes.keys() >= set(ledger.hierarchy.ancestors(class_id)) - {"object"}:
        return
    if any(map(KEEPS.search, ledger.hierarchy.method_names(class_id))):
        return
    for each, made in ledger.attributes(class_id):
        if ledger.kind_of(each) == "normalizer":
            yield holder.inner(f".{each.name}"), made, each
