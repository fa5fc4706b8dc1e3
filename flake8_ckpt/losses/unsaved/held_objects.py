"""The objects that a class holds: their kinds, where they are made, and whether training changes them."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.findings import Spot
from flake8_ckpt.losses.unsaved.unsaved_object import UPDATES


class HeldObjects:
    """Asks for the attributes of classes."""

    def __init__(self, contract: Contract) -> None:
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.kinds = contract.kinds

    def kind_of(self, class_id: str, attr: str) -> ObjectKind:
        """Return the kind of object that an attribute holds, "" where it is none that a checkpoint needs."""
        return self.kinds.of(self.evaluator.attribute_class(class_id, attr))

    def attributes(self, class_id: str) -> Iterator[tuple[str, Spot]]:
        """Yield the attributes of a class with the place where each is first set."""
        seen: set[str] = set()
        for owner, method in self.hierarchy.inherited_methods(class_id):
            for write in method.writes:
                if write.how == "assign" and write.attr not in seen:
                    seen.add(write.attr)
                    yield write.attr, Spot(owner.partition(":")[0], write.position)

    def is_updated(self, class_id: str, attr: str) -> bool:
        """Tell whether a method of a class, its ancestors or subclasses updates the object that an attribute holds."""
        for _, method in self.hierarchy.related_methods(class_id):
            for use in method.uses:
                if use.attr == attr and any(
                    UPDATES.search(how[1:]) for how in use.how if how.startswith(".")
                ):
                    return True
        return False
