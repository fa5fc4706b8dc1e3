"""State that is restored and then replaced: by a later statement, or by a method that is called after the restore."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Self
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import bind
from flake8_ckpt.linking.value_names import path_text
from flake8_ckpt.losses.overwrites.entry_resets import EntryResets
from flake8_ckpt.losses.overwrites.resets import Resets
from flake8_ckpt.losses.overwrites.resets import is_certain
from flake8_ckpt.losses.overwrites.restored import Overwrite
from flake8_ckpt.losses.overwrites.restored import Restorations
from flake8_ckpt.losses.overwrites.restored import Restored
from flake8_ckpt.losses.sb3_algorithms import Algorithms

# Names of methods that set something up, whatever there was.
RESETS = re.compile(r"^_*(reset|reinit|init|clear|setup|set_?up|build|create|make|initiali[sz]e)")


class Overwrites:
    """Finds restored state that is thrown away again."""

    def __init__(self, contract: Contract) -> None:
        self.groups = contract.groups
        self.kinds = contract.kinds
        self.evaluator = contract.evaluator
        self.known = contract.hierarchy.symbols.known
        self.algorithms = Algorithms(contract)
        self.resets = Resets(contract.hierarchy, contract.evaluator)
        self.restorations = Restorations(contract)
        self.entries = EntryResets(contract.groups, self.restorations, self.resets)

    def found(self) -> tuple[Overwrite, ...]:
        """Return all restored state of the project that is replaced."""
        first: dict[Spot, Overwrite] = {}
        for unit in self.groups.units:
            for each in (*self._in_unit(unit), *self.entries.after(unit), *self._in_hook(unit)):
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
        for name, position, location in self._replacements(unit):
            for each in restored:
                if not each.load.at < position or not self._is_same(name, each, unit):
                    continue
                if not _is_over(each.load.at, position, unit) and not self._is_restored_after(
                    each, position, unit
                ):
                    is_part = name.startswith(f"{each.name}.") and not self._is_normalizer(each, unit)
                    yield Overwrite(name if is_part else each.name, location, each.load.location)
                    break

    def _is_restored_after(self, restored: Restored, position: Position, unit: FunctionRef) -> bool:
        """Tell whether a later statement fills the new object from the checkpoint after all."""
        for site in unit.function.calls:
            callee = site.call.callee
            if site.position > position and isinstance(callee, Attr) and callee.name == "load_state_dict":
                if path_text(self.evaluator.expand(callee.base, CallContext(unit))) == restored.name:
                    return True
        return False

    def _is_same(self, name: str, restored: Restored, unit: FunctionRef) -> bool:
        """Tell whether a name is that of what was restored, of what holds it, or of its statistics."""
        if name == restored.name or restored.name.startswith(f"{name}."):
            return True
        if not name.startswith(f"{restored.name}."):
            return False
        if self._is_normalizer(restored, unit):
            return True
        class_id = self.evaluator.class_of(restored.owner, CallContext(unit))
        return self._is_part(class_id, name[len(restored.name) + 1 :].split("."))

    def _is_normalizer(self, restored: Restored, unit: FunctionRef) -> bool:
        return self.kinds.of(self.evaluator.class_of(restored.owner, CallContext(unit))) == "normalizer"

    def _is_part(self, class_id: str, attrs: list[str]) -> bool:
        """Tell whether a path of attributes leads from a module to a normalizer that its `state_dict` holds."""
        for attr in attrs:
            if not self.resets.hierarchy.is_module(class_id):
                return False
            class_id = self.evaluator.attribute_class(class_id, attr)
        return self.kinds.of(class_id) == "normalizer" and self.resets.hierarchy.is_module(class_id)

    def _replacements(self, unit: FunctionRef) -> Iterator[tuple[str, Position, Spot]]:
        """Yield the names that a function sets to something fresh, with the statement, and the place to report."""
        for store in unit.function.stores:
            is_set = is_certain(store.guards) and not store.loaded
            if is_set and self.resets.is_fresh(store.value, store.target, unit):
                name = path_text(self.evaluator.expand(store.target, CallContext(unit)))
                yield name, store.position, Spot(unit.path, store.position)
        for write in unit.function.writes:
            is_set = write.how == "assign" and is_certain(write.guards) and not write.loaded
            if is_set and self.resets.is_fresh(write.value, Attr(SELF, write.attr), unit):
                yield f"self.{write.attr}", write.position, Spot(unit.path, write.position)
        for site in unit.function.calls:
            if is_certain(site.guards):
                yield from self._reset_by_call(site, unit)

    def _makes_or_restores(self, name: str) -> bool:
        return name == "__init__" or self.known.hint("method", "restores").search(name) is not None

    def _reset_by_call(self, site: Site, unit: FunctionRef) -> Iterator[tuple[str, Position, Spot]]:
        context = CallContext(unit)
        callee = self.evaluator.callee_of(site.call, context)
        if callee is None or self._makes_or_restores(callee.function.name):
            return
        for name, value in bind(callee, list(site.call.args), dict(site.call.keywords)).items():
            given = path_text(self.evaluator.expand(value, context))
            for attr in self.resets.of_argument(callee, name) if given else ():
                yield f"{given}.{attr}", site.position, Spot(unit.path, site.position)
        if not callee.owner:
            return
        owner = path_text(self.evaluator.receiver_of(site.call, context))
        here = Spot(unit.path, site.position)
        is_plain = RESETS.search(callee.function.name) is not None
        for reset in self.resets.of(callee):
            location = here if is_plain or reset.constructs else reset.location
            yield f"{owner}.{reset.attr}", site.position, location


def _is_over(restored: Position, replaced: Position, unit: FunctionRef) -> bool:
    """Tell whether the function is over after the branch that restores, so that nothing below it runs."""
    return any(first <= restored.line <= last < replaced.line for first, last in unit.function.leaves)
