"""Attributes that a class forgets which itself saves and restores the state of its optimizer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Optional

from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Name
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.losses.unsaved.held_objects import HeldObjects
from flake8_ckpt.losses.unsaved.saved_names import SavedNames
from flake8_ckpt.losses.unsaved.unsaved_object import KINDS
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject
from flake8_ckpt.losses.unsaved.unsaved_object import may_take_over


class UnsavedBesideOptimizer:
    """Asks the classes that take the state of an optimizer and set it again."""

    def __init__(self, groups: CheckpointGroups, held: HeldObjects, saved: SavedNames) -> None:
        self.groups = groups
        self.hierarchy = groups.hierarchy
        self.known = groups.symbols.known
        self.amp_set_up = self.known.hint("function", "sets up mixed precision")
        self.amp_state = self.known.hint("function", "takes out mixed precision")
        self.held = held
        self.saved = saved

    def all(self) -> Iterator[UnsavedObject]:
        """Yield the attributes that a class forgets which saves and restores its optimizer by name."""
        for class_id in self.groups.classes:
            saved = self._optimizer_save(class_id)
            if saved is None:
                continue
            for attr, made in self.held.attributes(class_id):
                kind = self.held.kind_of(class_id, attr)
                if (
                    kind in KINDS - {"stateful"}
                    and self.held.is_updated(class_id, attr)
                    and attr not in self.saved.anywhere
                ):
                    yield UnsavedObject(f"self.{attr}", kind, saved, made)
            if self._calls(class_id, self.amp_set_up) and not self._calls(class_id, self.amp_state):
                yield UnsavedObject("amp", "scaler", saved, None)

    def _optimizer_save(self, class_id: str) -> Optional[Spot]:
        """Return where a class itself takes the state of an optimizer that it also restores."""
        found = None
        restored = False
        for method in self.hierarchy.methods(class_id).values():
            states = list(self._optimizer_states(class_id, method))
            if any(
                SELF in arguments_of(site.call) and (states or may_take_over(site, self.known))
                for site in method.calls
            ):
                return None
            for site, name in states:
                if name == "state_dict":
                    found = found or Spot(class_id.partition(":")[0], site.position)
                restored = restored or name == "load_state_dict"
        return found if restored else None

    def _optimizer_states(self, class_id: str, method: FunctionFacts) -> Iterator[tuple[Site, str]]:
        """Yield the calls by which a method takes or sets the state of an optimizer of its object."""
        for site in method.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and isinstance(callee.base, Attr) and callee.base.base == SELF:
                kind = self.held.kind_of(class_id, callee.base.name)
                if kind == "optimizer" and callee.name in ("state_dict", "load_state_dict"):
                    yield site, callee.name

    def _calls(self, class_id: str, called: re.Pattern[str]) -> bool:
        symbols = self.hierarchy.symbols
        return any(
            isinstance(site.call.callee, Name)
            and called.search(symbols.resolve(site.call.callee.path, owner.partition(":")[0])) is not None
            for owner, method in self.hierarchy.inherited_methods(class_id)
            for site in method.calls
        )
