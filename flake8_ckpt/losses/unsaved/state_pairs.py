"""Classes that take the state of their objects and set it again, whatever the methods are called that do it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.object_kinds import TRAINING
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.losses.idle_loads import IdleLoads
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.resumption import Resumption
from flake8_ckpt.losses.unsaved.save_points import SavePoint


class StatePairs:
    """Asks the classes with a `state_dict()` and a `load_state_dict()` of what only training needs."""

    def __init__(self, contract: Contract, ledger: Ledger, resumption: Resumption) -> None:
        self.resumption = resumption
        self.groups = contract.groups
        self.hierarchy = contract.hierarchy
        self.ledger = ledger
        self.idle = IdleLoads(self.hierarchy)

    def all(self) -> Iterator[SavePoint]:
        """Yield the save points of these classes."""
        for class_id in self.groups.classes:
            found = self._ends_of(class_id) if not self.idle.is_replaced(class_id) else None
            if found is not None:
                location, writer, reader = found
                of_tools = self._gives_tools(class_id)
                yield SavePoint(class_id, location, ends=(writer, reader), of_tools=of_tools)

    def _ends_of(self, class_id: str) -> Optional[tuple[Spot, FunctionRef, FunctionRef]]:
        """Return where a class itself takes the state of something trained, and the methods that save and restore it.

        A method that does both copies states from one object to another.
        """
        saves: list[tuple[Spot, FunctionRef]] = []
        loads: list[FunctionRef] = []
        for method in self.hierarchy.methods(class_id).values():
            states = dict((name, site) for site, name in self._states(class_id, method))
            unit = method_ref(class_id, method, class_id)
            if len(states) == 1 and "state_dict" in states:
                saves.append((Spot(unit.path, states["state_dict"].position), unit))
            loads += [unit] if "load_state_dict" in states and not self.idle.is_idle(unit) else []
        loads = [each for each in loads if self.resumption.goes_on_after(each)] if saves else []
        return (*saves[0], loads[0]) if saves and loads else None

    def _gives_tools(self, class_id: str) -> bool:
        """Tell whether a method gives its caller states, those of optimizers and the like alone."""
        for method in self.hierarchy.methods(class_id).values():
            called = [each.call.callee for each in method.calls]
            taken = sum(isinstance(each, Attr) and each.name == "state_dict" for each in called)
            gives = any(each.target == Name("return") for each in method.stores)
            if (
                taken
                and gives
                and taken == sum(name == "state_dict" for _, name in self._states(class_id, method))
            ):
                return True
        return False

    def _states(self, class_id: str, method: FunctionFacts) -> Iterator[tuple[Site, str]]:
        """Yield the states that are set, and those that are taken but for what the object itself remembers."""
        remembered = self._remembered(class_id)
        for site in method.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and callee.name == "state_dict" and callee in remembered:
                continue
            if isinstance(callee, Attr) and callee.name in ("state_dict", "load_state_dict"):
                base = callee.base
                if isinstance(base, Attr) and base.base == SELF:
                    if self.ledger.kind_of(Holder(class_id, f"{OWN}.{base.name}")) in TRAINING:
                        yield site, callee.name

    def _remembered(self, class_id: str) -> set[Value]:
        """Return what takes the states that attributes remember: `self.first = deepcopy(self.opt.state_dict())`."""
        found = set[Value]()
        for method in self.hierarchy.methods(class_id).values():
            written = {each.position for each in method.writes}
            found.update(each.call.callee for each in method.calls if each.position in written)
        return found
