"""Whether a changed value is state: from how the code writes it, or what kind of noise it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from flake8_ckpt.evidence.attribute_writes import Write
from flake8_ckpt.evidence.journals import LeafFacts
from flake8_ckpt.evidence.journals import ObjectFacts
from flake8_ckpt.evidence.sources import CONSTRUCTORS
from flake8_ckpt.evidence.sources import ClassSource
from flake8_ckpt.evidence.sources import Sources
from flake8_ckpt.evidence.sources import restores

Nature = Literal["state", "fitted", "overwritten", "store", "history", "reset", "unread"]
# What a statistic is called: `running_mean`, `obs_std`, `scale`.
STATISTIC = re.compile(
    r"(?:^|_)(?:mean|mu|std|var|variance|min|max|scale|shift|offset|loc|lo|hi|low|high|quantiles?)(?:_|$)"
)
APPLYING = re.compile(r"(?:inverse_)?transform|(?:de|un)?normali[sz]e|(?:un)?standardi[sz]e|(?:un)?scale")
# A method that begins an episode or an epoch anew.
BEGINNING = re.compile(r"reset|clear|start|begin|new_|on_\w+_(?:start|begin)|zero")
ARRAYS = frozenset(["tensor", "array", "container", "numbers"])


@dataclass(frozen=True)
class Attribute:
    """One attribute of one object, with all that the code does to it."""

    name: str
    leaf: LeafFacts
    classes: tuple[ClassSource, ...]
    writes: tuple[Write, ...]

    @property
    def later_writes(self) -> list[Write]:
        """Return the writes outside of constructors and restoring methods."""
        return [write for write in self.writes if not self._is_first(write.function)]

    def _is_first(self, function: str) -> bool:
        return function in CONSTRUCTORS or restores(function)

    @property
    def is_array(self) -> bool:
        """Tell whether it holds tensors or arrays, at the end."""
        return self.leaf.kind[1] in ARRAYS

    @property
    def applies_statistics(self) -> bool:
        """Tell whether its class normalizes something."""
        return any(APPLYING.fullmatch(name.lstrip("_")) for each in self.classes for name in each.methods)


def attribute_of(found: ObjectFacts, name: str, sources: Sources) -> Attribute:
    """Return an attribute with the statements that write it, in its classes or else anywhere."""
    classes = tuple(sources.classes(found.class_.own))
    writes = [write for each in classes for write in each.writes(name)]
    if not any(write.function not in CONSTRUCTORS for write in writes):
        writes += [write for _, write in sources.outer_writes(name)]
    return Attribute(name, found.leaves[name], classes, tuple(writes))


def nature_of(attribute: Attribute) -> Nature:
    """Return what a changed value is."""
    writes = attribute.later_writes
    if not writes:
        return "unread"
    if _is_begun_anew(attribute, writes):
        return "reset"
    hows = {write.how for write in writes}
    if "carried" in hows:
        return "store" if not attribute.is_array and _is_in_a_store(attribute) else "state"
    if "append" in hows:
        return "history"
    if "item" in hows:
        return "store"
    return "fitted" if is_fitted(attribute) else "overwritten"


def is_fitted(attribute: Attribute) -> bool:
    """Tell whether a value was computed once and is then applied: a statistic, by its name or its class."""
    if attribute.leaf.prints > 2 or attribute.leaf.kind[1] == "none":
        return False
    if not any(attribute_readers(attribute)):
        return False
    return bool(STATISTIC.search(attribute.name)) and (attribute.is_array or attribute.applies_statistics)


def attribute_readers(attribute: Attribute) -> set[str]:
    """Return the methods that read it and do not write it."""
    writers = {write.function for write in attribute.writes}
    return {name for each in attribute.classes for name in each.readers(attribute.name)} - writers


def _is_begun_anew(attribute: Attribute, writes: list[Write]) -> bool:
    """Tell whether the value of an episode, an epoch or a meter is set back while the program runs.

    What a normalizer's constructor sets through its own `reset()` is where it begins, not set back.
    """
    back = [
        write
        for write in writes
        if write.how in ("constant", "fresh") and BEGINNING.match(write.function.lstrip("_"))
    ]
    if not attribute.is_array:
        back += [write for write in writes if write.how == "constant"]
    elif any(each.is_called_by_constructor(write.function) for each in attribute.classes for write in back):
        return False
    return bool(back)


def _is_in_a_store(attribute: Attribute) -> bool:
    """Tell whether the class stores by index, as a replay buffer does: its numbers say where."""
    for each in attribute.classes:
        for uses in each.methods.values():
            items = {write.target for write in uses.writes if write.how == "item"}
            carried = {write.target for write in uses.writes if write.how == "carried"}
            if items - carried:
                return True
    return False
