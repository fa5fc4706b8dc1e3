"""What a class restores and its first step sets anew, because the flag of that first step is not restored."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Self
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.losses.overwrites.conditions import CHECKS
from flake8_ckpt.losses.overwrites.resets import Resets
from flake8_ckpt.losses.overwrites.restored import Overwrite
from flake8_ckpt.losses.overwrites.restored import Restorations
from flake8_ckpt.losses.state_dicts.visible_methods import VisibleMethods


class OnceFlags:
    """Asks the classes that restore attributes of their own; the flags of modules are CKP110."""

    def __init__(self, hierarchy: Hierarchy, restorations: Restorations, resets: Resets) -> None:
        self.hierarchy = hierarchy
        self.restorations = restorations
        self.resets = resets

    def after(self, unit: FunctionRef) -> Iterator[Overwrite]:
        """Yield what a method restores and what another one of its class sets anew when it runs first."""
        if not unit.class_id or self.hierarchy.is_module(unit.class_id):
            return
        restored_here = list(self.restorations.of(unit))
        if not restored_here:
            return
        methods = VisibleMethods(unit.class_id, self.hierarchy)
        made = {
            write.attr for each in methods.run(*CONSTRUCTION) for write in each.writes if write.value != NONE
        }
        names = {each.name: each for each in restored_here if each.name.removeprefix("self.") in made}
        if not names:
            return
        loading = methods.run(unit.function.name)
        for owner, method in methods.all:
            flags = set(_turned_once(method, methods, loading))
            for attr, location in self._set_under(flags, method_ref(owner, method, unit.class_id)):
                restored = names.get(f"self.{attr}")
                if restored is not None and method not in loading:
                    yield Overwrite(restored.name, location, restored.load.location)

    def _set_under(self, flags: set[str], method: FunctionRef) -> Iterator[tuple[str, Spot]]:
        """Yield the attributes that a method sets to something fresh as long as a flag is off."""
        for write in method.function.writes:
            fresh = self.resets.values.is_fresh(write.value, Attr(SELF, write.attr), CallContext(method))
            if fresh and write.how == "assign" and _is_first(write.guards, flags):
                yield write.attr, Spot(method.path, write.position)
        for site in method.function.calls:
            called = site.call.callee
            if isinstance(called, Attr) and isinstance(called.base, Self) and _is_first(site.guards, flags):
                inner = self.resets.evaluator.callee_of(site.call, CallContext(method))
                for reset in self.resets.of(inner) if inner is not None else ():
                    yield reset.attr, Spot(method.path, site.position)


def _turned_once(
    method: FunctionFacts, methods: VisibleMethods, loading: list[FunctionFacts]
) -> Iterator[str]:
    """Yield the flags that construction leaves off, that a method turns on, and that no load sets."""
    if method.name in CONSTRUCTION:
        return
    made = methods.run(*CONSTRUCTION)
    for write in method.writes:
        if write.value == Const(True) and _values(write.attr, made) == {Const(False)}:
            if not _values(write.attr, loading):
                yield write.attr


def _values(attr: str, methods: list[FunctionFacts]) -> set[object]:
    return {write.value for method in methods for write in method.writes if write.attr == attr}


def _is_first(guards: Guards, flags: set[str]) -> bool:
    """Tell whether a statement runs where a flag is off, and nothing else decides."""
    off = [guard for guard in guards if guard.kind == "unset" and guard.name in flags]
    return bool(off) and all(guard.kind in CHECKS or guard in off for guard in guards)
