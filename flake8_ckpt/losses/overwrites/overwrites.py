"""State that is restored and then replaced: by a later statement, or by a method that is called after the restore."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from itertools import chain

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Self
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_names import path_text
from flake8_ckpt.losses.overwrites.conditions import is_certain
from flake8_ckpt.losses.overwrites.entry_resets import EntryResets
from flake8_ckpt.losses.overwrites.once_flags import OnceFlags
from flake8_ckpt.losses.overwrites.replacements import Replacement
from flake8_ckpt.losses.overwrites.replacements import Replacements
from flake8_ckpt.losses.overwrites.resets import Resets
from flake8_ckpt.losses.overwrites.restored import Overwrite
from flake8_ckpt.losses.overwrites.restored import Restorations
from flake8_ckpt.losses.overwrites.restored import Restored
from flake8_ckpt.losses.sb3_algorithms import Algorithms


class Overwrites:
    """Finds restored state that is thrown away again."""

    def __init__(self, contract: Contract) -> None:
        self.groups = contract.groups
        self.kinds = contract.kinds
        self.evaluator = contract.evaluator
        self.algorithms = Algorithms(contract)
        self.resets = Resets(contract.hierarchy, contract.evaluator)
        self.replacements = Replacements(self.resets, contract.evaluator)
        self.restorations = Restorations(contract)
        self.entries = EntryResets(contract.groups, self.restorations, self.resets)
        self.once = OnceFlags(contract.hierarchy, self.restorations, self.resets)

    def found(self) -> tuple[Overwrite, ...]:
        """Return all restored state of the project that is replaced."""
        first: dict[Spot, Overwrite] = {}
        for unit in self.groups.units:
            found = (
                self._in_unit(unit),
                self.entries.after(unit),
                self.once.after(unit),
                self._in_hook(unit),
            )
            for each in chain(*found):
                first.setdefault(each.location, each)
        return tuple(first.values())

    def _in_hook(self, unit: FunctionRef) -> Iterator[Overwrite]:
        """Yield the components that `set_parameters` of an algorithm makes anew, after the pickle has restored them."""
        if unit.function.name != "set_parameters" or unit.class_id not in self.algorithms.classes:
            return
        for site in unit.function.calls:
            callee = site.call.callee
            if (
                not is_certain(site.guards)
                or not isinstance(callee, Attr)
                or not isinstance(callee.base, Self)
            ):
                continue
            inner = self.evaluator.callee_of(site.call, CallContext(unit))
            for reset in self.resets.of(inner) if inner is not None else ():
                if self.algorithms.has_state(unit.class_id, reset.attr):
                    name, location = f"self.{reset.attr}", Spot(unit.path, site.position)
                    yield Overwrite(name, location, Spot(unit.path, unit.function.position))

    def _in_unit(self, unit: FunctionRef) -> Iterator[Overwrite]:
        """Yield what is restored and replaced in one function, in the order of its statements."""
        restored = list(self.restorations.of(unit))
        if not restored:
            return
        names = {each.name for each in restored}
        for replaced in self.replacements.of(unit, names):
            for each in restored:
                if not each.load.at < replaced.at or not self._is_same(replaced, each, unit):
                    continue
                if _is_over(each.load.at, replaced.at, unit) or self._is_another(replaced, each, unit):
                    continue
                if replaced.is_of_run and _makes(each, replaced) or self._is_missing(replaced, each, unit):
                    continue
                again = [other for other in restored if other.name in (replaced.name, each.name)]
                if not self._is_restored_after(replaced, unit, again):
                    yield Overwrite(replaced.name, replaced.location, each.load.location)
                    break

    def _is_restored_after(
        self, replaced: Replacement, unit: FunctionRef, again: Collection[Restored]
    ) -> bool:
        """Tell whether a later statement fills the new object from the checkpoint after all, or winds it forward."""
        if any(each.load.at > replaced.at for each in again):
            return True
        if any(_fills(each, replaced) for each in unit.function.writes):
            return True
        context = CallContext(unit)
        for store in unit.function.stores:
            if store.loaded and store.position > replaced.at:
                if path_text(self.evaluator.expand(store.target, context)) == replaced.name:
                    return True
        steps = 0
        for site in unit.function.calls:
            callee = site.call.callee
            if site.position > replaced.at and isinstance(callee, Attr):
                if path_text(self.evaluator.expand(callee.base, context)) == replaced.name:
                    if callee.name == "load_state_dict":
                        return True
                    steps += callee.name == "step" and LOOP in site.guards
        return steps > 1

    def _is_same(self, replaced: Replacement, restored: Restored, unit: FunctionRef) -> bool:
        """Tell whether a name is that of what was restored, of what holds it, or of its statistics."""
        name = replaced.name
        if name == restored.name:
            return True
        if replaced.is_whole:
            return False
        if restored.name.startswith(f"{name}."):
            return True
        if not name.startswith(f"{restored.name}."):
            return False
        if self.kinds.of(self.evaluator.class_of(restored.owner, CallContext(unit))) == "normalizer":
            return True
        field = name.removeprefix(f"{restored.name}.")
        if replaced.is_number and self.restorations.counts(restored, field):
            return True
        class_id = self.evaluator.class_of(restored.owner, CallContext(unit))
        return self._is_normalizer_in(class_id, field.split("."))

    def _is_another(self, replaced: Replacement, restored: Restored, unit: FunctionRef) -> bool:
        """Tell whether a local that was restored is used for an object of another class from then on."""
        context = CallContext(unit)
        held = restored.owner
        while isinstance(held, Attr):
            held = held.base
        if not isinstance(held, Local) or path_text(held) != replaced.name:
            return False
        before, after = (self.evaluator.class_of(each, context) for each in (held, replaced.value))
        return bool(before and after) and not self.resets.hierarchy.are_related(before, after)

    def _is_missing(self, replaced: Replacement, restored: Restored, unit: FunctionRef) -> bool:
        """Tell whether a constructor restores into an attribute that nothing has set yet: that fails, and says so."""
        if unit.function.name != "__init__" or replaced.name != restored.name:
            return False
        writes = [each for each in unit.function.writes if f"self.{each.attr}" == replaced.name]
        if not writes or any(each.position < restored.load.at or each.after for each in writes):
            return False
        bases = self.resets.hierarchy.methods_among(self.resets.hierarchy.ancestors(unit.class_id)[1:])
        return not any(f"self.{each.attr}" == replaced.name for _, method in bases for each in method.writes)

    def _is_normalizer_in(self, class_id: str, attrs: list[str]) -> bool:
        """Tell whether a path of attributes leads from a module to a normalizer that its `state_dict` holds."""
        for attr in attrs:
            if not self.resets.hierarchy.is_module(class_id):
                return False
            class_id = self.evaluator.attribute_class(class_id, attr)
        return self.kinds.of(class_id) == "normalizer" and self.resets.hierarchy.is_module(class_id)


def _is_over(restored: Position, replaced: Position, unit: FunctionRef) -> bool:
    """Tell whether the function is over after the branch that restores, so that nothing below it runs."""
    return any(first <= restored.line <= last < replaced.line for first, last in unit.function.leaves)


def _makes(restored: Restored, replaced: Replacement) -> bool:
    """Tell whether the function that loads makes the object as well: another that does begins a run of its own."""
    attr = replaced.name.rpartition(".")[2]
    writes = restored.load.source.function.writes
    return any(each.attr == attr and each.how == "assign" and not each.loaded for each in writes)


def _fills(write: Write, replaced: Replacement) -> bool:
    """Tell whether a later statement puts elements into a new container: those of the checkpoint, one by one."""
    is_later = write.position > replaced.at and write.how in ("grow", "item")
    return is_later and f"self.{write.attr}" == replaced.name
