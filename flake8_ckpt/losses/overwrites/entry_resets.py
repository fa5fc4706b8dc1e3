"""What a class restores and its own entry to training sets anew, where no caller of it is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.pairing.function_names import verb_and_stem
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Self
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.losses.overwrites.resets import MAX_DEPTH
from flake8_ckpt.losses.overwrites.resets import Resets
from flake8_ckpt.losses.overwrites.restored import Overwrite
from flake8_ckpt.losses.overwrites.restored import Restorations
from flake8_ckpt.losses.state_dicts.visible_methods import VisibleMethods

# What a script calls on a trainer after it has loaded: `agent.learn()`, `runner.run()`.
ENTRIES = re.compile(r"^(train|fit|learn|run|train_loop|main_loop|start)$")
# Verbs of methods that restore, at the beginning of their names.
RESTORING_VERBS = frozenset(["load", "restore", "resume", "set"])


class EntryResets:
    """Asks the classes that train by a method of their own: `train`, `fit`, `learn`."""

    def __init__(self, groups: CheckpointGroups, restorations: Restorations, resets: Resets) -> None:
        self.groups = groups
        self.hierarchy = groups.hierarchy
        self.evaluator = groups.evaluator
        self.restorations = restorations
        self.resets = resets

    def after(self, unit: FunctionRef) -> Iterator[Overwrite]:
        """Yield what a method restores and an entry of its class, or of one that derives from it, sets to a number."""
        if not unit.class_id or verb_and_stem(unit.function.name)[0] not in RESTORING_VERBS:
            return
        names = {
            each.name: each
            for each in self.restorations.of(unit)
            if isinstance(each.owner, Attr) and isinstance(each.owner.base, Self)
        }
        if not names or any(each.identity in self._called for each in self._restorers(unit)):
            return
        for entry in self._entries(unit.class_id):
            for reset in self.resets.of(entry, MAX_DEPTH):
                restored = names.get(f"self.{reset.attr}")
                if restored is not None and reset.is_number and self._counts(entry, reset.attr):
                    yield Overwrite(restored.name, reset.location, restored.load.location)

    def _counts(self, entry: FunctionRef, attr: str) -> bool:
        """Tell whether an entry goes on to change an attribute, by itself or by a method that it runs."""
        run = VisibleMethods(entry.class_id, self.hierarchy).run(entry.function.name)
        return any(
            write.attr == attr and (write.carried or write.how != "assign" or LOOP in write.guards)
            for method in run
            for write in method.writes
        )

    def _entries(self, class_id: str) -> Iterator[FunctionRef]:
        for each in self._own_methods(class_id):
            if ENTRIES.search(each.function.name) and not _loads(each.function):
                yield each

    def _restorers(self, unit: FunctionRef) -> Iterator[FunctionRef]:
        """Yield a method that restores, and those of its class that run it."""
        yield unit
        for each in self._own_methods(unit.class_id):
            loads = self.groups.payloads.summary(each).loads
            if any(unit.identity in load.call_chain for load in loads):
                yield each

    def _own_methods(self, class_id: str) -> Iterator[FunctionRef]:
        """Yield the methods that a class and those which derive from it define."""
        for owner, method in self.hierarchy.methods_among([class_id, *self.hierarchy.subclasses(class_id)]):
            yield method_ref(owner, method, owner)

    @cached_property
    def _called(self) -> frozenset[str]:
        """Return the methods that some function calls on an object of another class."""
        return frozenset(self._calls())

    def _calls(self) -> Iterator[str]:
        for unit in self.groups.units:
            for site in unit.function.calls:
                target = site.call.callee
                if isinstance(target, Attr) and not isinstance(target.base, Self):
                    callee = self.evaluator.callee_of(site.call, CallContext(unit))
                    if callee is not None:
                        yield callee.identity


def _loads(method: FunctionFacts) -> bool:
    """Tell whether a method itself restores the object's state."""
    callees = [site.call.callee for site in method.calls]
    return any(
        isinstance(each, Attr)
        and isinstance(each.base, Self)
        and re.search(r"load|restore|resume", each.name)
        for each in callees
    )
