"""Objects that a class does not put into the registry which its base class saves."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Item
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import mentions
from flake8_ckpt.losses.unsaved.held_objects import HeldObjects
from flake8_ckpt.losses.unsaved.saved_names import SavedNames
from flake8_ckpt.losses.unsaved.unsaved_object import KINDS
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject


class UnsavedRegistries:
    """Asks the classes that fill a mapping of what is to be saved: `self._modules["actor"] = self.actor`."""

    def __init__(self, groups: CheckpointGroups, held: HeldObjects, saved: SavedNames) -> None:
        self.groups = groups
        self.hierarchy = groups.hierarchy
        self.held = held
        self.saved = saved

    def all(self) -> Iterator[UnsavedObject]:
        """Yield the objects that a class does not put into the registry that its base class saves."""
        for class_id in self.groups.classes:
            for registry, names in self._registered(class_id).items():
                if self._keeps_training(class_id, names) and self._is_saved_registry(class_id, registry):
                    yield from self._unregistered(class_id, names)

    def _keeps_training(self, class_id: str, names: set[str]) -> bool:
        """Tell whether several objects are registered, one of which only training needs."""
        kinds = {self.held.kind_of(class_id, name) for name in names}
        return len(names) > 1 and not kinds.isdisjoint(KINDS - {"stateful"})

    def _registered(self, class_id: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for method in self.hierarchy.methods(class_id).values():
            for store in method.stores:
                target = store.target
                if isinstance(target, Item) and isinstance(target.base, Attr) and target.base.base == SELF:
                    found.setdefault(target.base.name, set()).update(mentions(store.value))
        return found

    def _is_saved_registry(self, class_id: str, registry: str) -> bool:
        for _, method in self.hierarchy.inherited_methods(class_id):
            uses = [how for use in method.uses if use.attr == registry for how in use.how]
            saves = any(last_name(site.call.callee) in ("save", "dump") for site in method.calls)
            if saves and any(how in ("iter", ".items", "item", "plain") for how in uses):
                return True
        return False

    def _unregistered(self, class_id: str, names: set[str]) -> Iterator[UnsavedObject]:
        for method in self.hierarchy.methods(class_id).values():
            for write in method.writes:
                kind = self.held.kind_of(class_id, write.attr)
                if (
                    kind in KINDS - {"stateful"}
                    and write.attr not in names
                    and self.held.is_updated(class_id, write.attr)
                ):
                    if write.attr not in self.saved.anywhere:
                        location = Spot(class_id.partition(":")[0], write.position)
                        yield UnsavedObject(f"self.{write.attr}", kind, location, None)
                        names.add(write.attr)
