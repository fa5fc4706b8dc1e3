"""What goes by one last name, found again by the object that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Generic
from typing import Optional
from typing import TypeVar

from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.losses.ledger.holder import ANY_ITEM
from flake8_ckpt.losses.ledger.holder import Holder

Named = TypeVar("Named")
# `self`, `.learners`, `[0]`.
STEPS = re.compile(r"\.?[^.\[\]]+|\[[^\]]*\]")


class ByHolder(Generic[Named]):
    """Finds what names an object: under the same path, with the same owner or, for a class, one related to it."""

    def __init__(self, named: Iterable[tuple[Optional[Holder], Named]], hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self._paths: dict[str, dict[str, list[tuple[int, Named]]]] = {}
        for number, (holder, each) in enumerate(named):
            if holder is not None:
                owners = self._paths.setdefault(holder.path, {})
                owners.setdefault(holder.owner, []).append((number, each))

    def of(self, holder: Holder) -> tuple[Named, ...]:
        """Return what names an object, in its order."""
        found: list[list[tuple[int, Named]]] = []
        for owners in self._under(holder.path):
            if holder.owner in owners:
                found.append(owners[holder.owner])
            if len(owners) > (holder.owner in owners):
                found += (owners[each] for each in self._related(holder.owner) if each in owners)
        if len(found) > 1:
            found = [sorted((each for named in found for each in named), key=_number)]
        return tuple(each for named in found for _, each in named)

    def _under(self, path: str) -> list[dict[str, list[tuple[int, Named]]]]:
        """Return what goes by a path, by the owner."""
        if "[" not in path:
            return [self._paths[path]] if path in self._paths else []
        return [owners for each, owners in self._paths.items() if is_same_path(each, path)]

    def _related(self, owner: str) -> Iterator[str]:
        """Yield the classes of the project that are related to one, but not itself."""
        classes = self.hierarchy.symbols.classes
        related = self.hierarchy.relatives(owner) if owner in classes else ()
        return (each for each in dict.fromkeys(related) if each != owner and each in classes)


def is_same_path(one: str, other: str) -> bool:
    """Tell whether two paths lead to the same: an item that a loop gives may be any item."""
    if one == other:
        return True
    if "[" not in one or "[" not in other:
        return False
    steps, others = STEPS.findall(one), STEPS.findall(other)
    return len(steps) == len(others) and all(map(_is_same_step, steps, others))


def _is_same_step(one: str, other: str) -> bool:
    return one == other or ANY_ITEM in (one, other) and one[0] == other[0]


def _number(found: tuple[int, object]) -> int:
    return found[0]
