"""Locals of a function that saves and resumes which it updates, and which neither side of the checkpoint names."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import NESTED
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.model import Store
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import bind
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.unsaved.saved_names import SavedNames
from flake8_ckpt.losses.unsaved.unsaved_object import KINDS
from flake8_ckpt.losses.unsaved.unsaved_object import TUNES
from flake8_ckpt.losses.unsaved.unsaved_object import UPDATES
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject
from flake8_ckpt.losses.unsaved.unsaved_object import named_in


class UnsavedLocals:
    """Asks the function of a save that is understood."""

    def __init__(self, contract: Contract, saved: SavedNames) -> None:
        self.evaluator = contract.evaluator
        self.evidence = contract.evidence
        self.kinds = contract.kinds
        self.saved = saved
        self.known = contract.groups.symbols.known

    def of(self, save: SaveEffect, group: CheckpointGroup) -> Iterator[UnsavedObject]:
        """Yield the locals of the saving function that are updated and appear on neither side."""
        unit = save.unit
        if TUNES.search(unit.identity) or not self._resumes(unit, group) or self._hands_over(unit.function):
            return
        location = save.location if save.call_chain else save.save_call
        yield from self.left_out(unit, named_in(group), location)

    def left_out(self, unit: FunctionRef, named: set[str], location: Spot) -> Iterator[UnsavedObject]:
        """Yield the locals of a function that it updates, and that neither a checkpoint names nor its file saves."""
        known = named | self.saved.by_file.get(unit.path, set())
        for store in unit.function.stores:
            target = store.target
            if isinstance(target, Local) and target.name not in known and _runs_once(store):
                kind = self.kinds.of(self.evaluator.class_of(target.value, CallContext(unit)))
                if kind in KINDS and self._is_lost(target, unit):
                    known.add(target.name)
                    yield UnsavedObject(target.name, kind, location, Spot(unit.path, store.position))

    def _resumes(self, unit: FunctionRef, group: CheckpointGroup) -> bool:
        """Tell whether the function that saves also restores what only training needs."""
        own = (each for each in group.loads if each.unit.identity == unit.identity and each.keys)
        return any(map(self.evidence.is_training_state, own))

    def _is_lost(self, target: Local, unit: FunctionRef) -> bool:
        """Tell whether a function updates a local, begins it anew each time, and hands it to nobody."""
        if _is_wound_forward(target.value) or not self._is_stepped(target.name, unit):
            return False
        return not self._escapes(target.name, unit.function)

    def _hands_over(self, function: FunctionFacts) -> bool:
        """Tell whether a function gives all it trains to a library: `model, optimizer = accelerator.prepare(...)`."""
        takes_all = self.known.hint("function", "takes all")
        names = (last_name(site.call.callee) for site in function.calls)
        return any(takes_all.search(name) and self.known.takes_over(name) for name in names)

    def _escapes(self, name: str, function: FunctionFacts) -> bool:
        """Tell whether an object is given to a constructor or a library that may take care of it."""
        for site in function.calls:
            callee = last_name(site.call.callee)
            is_made = callee[:1].isupper() and not callee.endswith(("LR", "Scheduler", "Scaler", "Warmup"))
            if is_made or self.known.takes_over(callee):
                if any(last_name(each) == name for each in arguments_of(site.call)):
                    return True
        return False

    def _is_stepped(self, name: str, unit: FunctionRef) -> bool:
        for site in unit.function.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and UPDATES.search(callee.name) and last_name(callee.base) == name:
                return True
            if any(isinstance(each, Local) and each.name == name for each in arguments_of(site.call)):
                if self._is_stepped_inside(site, name, unit):
                    return True
        return False

    def _is_stepped_inside(self, site: Site, name: str, unit: FunctionRef) -> bool:
        """Tell whether a function that is given an object updates it."""
        inner = self.evaluator.callee_of(site.call, CallContext(unit))
        if inner is None:
            return False
        bound = bind(inner, list(site.call.args), dict(site.call.keywords))
        taken = {key for key, value in bound.items() if isinstance(value, Local) and value.name == name}
        return any(
            isinstance(each.call.callee, Attr)
            and UPDATES.search(each.call.callee.name) is not None
            and isinstance(each.call.callee.base, Param)
            and each.call.callee.base.name in taken
            for each in inner.function.calls
        )


def _runs_once(store: Store) -> bool:
    """Tell whether a statement stands neither in a loop nor in an inner function."""
    return {LOOP, NESTED}.isdisjoint(store.guards)


def _is_wound_forward(value: Value) -> bool:
    """Tell whether a scheduler is made for the epoch at which training goes on."""
    return any(
        isinstance(option, Call)
        and any(name in ("last_epoch", "last_step", "start_epoch") for name, _ in option.keywords)
        for option in options_of(value)
    )
