"""Saves that leave out the statistics of normalizers, which a load restores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.findings import Spot


@dataclass(frozen=True)
class UnsavedNormalizers:
    """A place that saves, and the keys of normalizers that it leaves out."""

    location: Spot
    missing: tuple[Missing, ...]


def unsaved_normalizers(contract: Contract) -> Iterator[UnsavedNormalizers]:
    """Yield each save that leaves out normalizers, once."""
    found: dict[Spot, list[Missing]] = {}
    for missing in contract.missing:
        if contract.restores_normalizer(missing):
            for location in contract.save_sites_without_key(missing):
                found.setdefault(location, []).append(missing)
    for location, lost in found.items():
        yield UnsavedNormalizers(location, tuple(lost))
