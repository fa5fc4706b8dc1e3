"""Counters that drive a schedule, and that a resumed run starts again."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.model import StepCounter
from flake8_ckpt.findings import Spot
from flake8_ckpt.losses.ledger.index import MentionIndex
from flake8_ckpt.losses.unsaved.save_points import SavePoint
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject


def unsaved_counters(point: SavePoint, index: MentionIndex) -> Iterator[UnsavedObject]:
    """Yield the counters of the function that saves, and those that functions on the way share with their file."""
    if point.unit is None or not point.trains_on or point.location is None:
        return
    for identity in (point.owner, *point.entered):
        unit = index.function(identity)
        for each in unit.function.step_counters if unit is not None else ():
            if each.name not in point.names and _belongs(each, identity, point):
                begins = Spot(identity.partition(":")[0], each.begins)
                yield UnsavedObject(each.name, "number" if each.decays else "counter", point.location, begins)


def _belongs(counter: StepCounter, identity: str, point: SavePoint) -> bool:
    """Tell whether a counter lives as long as the function that resumes: that of another one, for one call only."""
    return counter.shared or identity == point.owner
