"""What a function sets to something fresh: by a statement of its own, or by a function that it calls."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import enter_call
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import path_text
from flake8_ckpt.losses.overwrites.conditions import is_certain
from flake8_ckpt.losses.overwrites.resets import Reset
from flake8_ckpt.losses.overwrites.resets import Resets
from flake8_ckpt.losses.overwrites.resets import is_number
from flake8_ckpt.losses.overwrites.restored import is_load_hook

# Names of methods that set something up, whatever there was.
SETS_UP = re.compile(r"^_*(reset|reinit|init|clear|setup|set_?up|build|create|make|initiali[sz]e)")
# `net.apply(init_weights)`: what the function does is mostly not read, and such names leave no doubt.
INITIALIZES = re.compile(
    r"(^|_)(re)?init(iali[sz]e\w*)?(_|$)|(^|_)(reset_parameters|xavier|kaiming|orthogonal)(_|$)"
)
# Conditions on what an attribute holds.
LOOKS = frozenset(["about", "order", "set", "some"])
REINITIALIZE = frozenset(["reset_parameters", "_reset_parameters"])


@dataclass(frozen=True)
class Replacement:
    """A function sets what the code calls `name` to something fresh, by the statement `at`; `location` is reported.

    `is_whole` where only a restore of the whole object is undone, not one of a part of it. A statement of the function
    binds the name to a `value`. It `is_of_run` where a method makes the object that
    is not called like one that sets up.
    """

    name: str
    at: Position
    location: Spot
    is_number: bool = False
    is_whole: bool = False
    value: Value = UNKNOWN
    is_of_run: bool = False


class Replacements:
    """Asks one function after the other."""

    def __init__(self, resets: Resets, evaluator: SymbolicEvaluator) -> None:
        self.resets = resets
        self.values = resets.values
        self.evaluator = evaluator
        self.known = evaluator.symbols.known

    def of(self, unit: FunctionRef, restored: Collection[str]) -> Iterator[Replacement]:
        """Yield what a function sets to something fresh; `restored` are the names of what it has restored."""
        yield from self._set_by_statement(unit)
        for site in unit.function.calls:
            guards = tuple(each for each in site.guards if each.kind != "key")
            if is_certain(guards) or self._is_set_up(site, unit):
                yield from self._reset_by_call(site, unit)
                yield from self._initialized(site, unit)
            elif self._asks_restored(site, unit, restored):
                yield from (each for each in self._reset_by_call(site, unit) if _is_field(each, restored))

    def _set_by_statement(self, unit: FunctionRef) -> Iterator[Replacement]:
        context = CallContext(unit)
        for store in unit.function.stores:
            is_set = is_certain(store.guards) and not store.loaded
            if is_set and self.values.is_fresh(store.value, store.target, context):
                name = path_text(self.evaluator.expand(store.target, context))
                location = Spot(unit.path, store.position)
                yield Replacement(name, store.position, location, is_number(store.value), value=store.value)
        for write in unit.function.writes:
            is_set = write.how == "assign" and is_certain(write.guards) and not write.loaded
            if not is_set or write.attr in write.sources:
                continue
            if self.values.is_fresh(write.value, Attr(SELF, write.attr), context):
                yield Replacement(f"self.{write.attr}", write.position, Spot(unit.path, write.position))

    def _is_set_up(self, site: Site, unit: FunctionRef) -> bool:
        """Tell whether a method of the object runs by a setting alone, and construction runs it too."""
        callee = site.call.callee
        if not isinstance(callee, Attr) or not isinstance(callee.base, Self):
            return False
        inner = self.evaluator.callee_of(site.call, CallContext(unit))
        is_set_up = inner is not None and self.resets.serves_construction(inner)
        return is_set_up and self.resets.settings.decide(site.guards, unit.class_id)

    def _asks_restored(self, site: Site, unit: FunctionRef, restored: Collection[str]) -> bool:
        """Tell whether a call of the object's own depends on what the function has just restored."""
        kinds = {guard.kind for guard in site.guards}
        asked = {f"self.{guard.name}" for guard in site.guards if guard.kind in LOOKS}
        own = isinstance(site.call.callee, Attr) and isinstance(site.call.callee.base, Self)
        return (
            own
            and bool(unit.class_id)
            and kinds <= {*LOOKS, "branch", "key"}
            and not asked.isdisjoint(restored)
        )

    def _reset_by_call(self, site: Site, unit: FunctionRef) -> Iterator[Replacement]:
        """Yield what the function of the project sets that a call reaches."""
        context = CallContext(unit)
        callee = self.evaluator.callee_of(site.call, context)
        if callee is None or callee.function.name == "__init__":
            return
        here = Spot(unit.path, site.position)
        args = [self.evaluator.expand(arg, context) for arg in site.call.args]
        keywords = {name: self.evaluator.expand(each, context) for name, each in site.call.keywords}
        receiver = self.evaluator.receiver_of(site.call, context)
        entered = enter_call(callee, receiver, args, keywords, context)
        for name, reset in self.resets.of_arguments(callee):
            if name in entered.bound and path_text(entered.bound[name]):
                owner = path_text(entered.bound[name])
                yield Replacement(f"{owner}.{reset.attr}", site.position, reset.location, reset.is_number)
        if not callee.owner:
            return
        owner = path_text(receiver)
        if not self.known.hint("method", "restores").search(callee.function.name):
            for reset in self.resets.of(callee):
                is_blamed = _is_set_up(callee.function.name, reset) or is_load_hook(unit)
                location = here if is_blamed else reset.location
                name = f"{owner}.{reset.attr}"
                yield Replacement(name, site.position, location, reset.is_number, is_of_run=not is_blamed)
        for write in callee.function.writes:
            is_given = self.values.is_from_argument(write.value) and write.how == "assign"
            if is_given and is_certain(write.guards) and not write.loaded:
                if self.values.is_fresh(write.value, Attr(receiver, write.attr), entered):
                    yield Replacement(f"{owner}.{write.attr}", site.position, here)

    def _initialized(self, site: Site, unit: FunctionRef) -> Iterator[Replacement]:
        """Yield the module whose weights a call draws again."""
        callee = site.call.callee
        if not isinstance(callee, Attr):
            return
        name = path_text(self.evaluator.expand(callee.base, CallContext(unit)))
        here = Spot(unit.path, site.position)
        if callee.name == "apply" and len(site.call.args) == 1:
            given = site.call.args[0]
            if isinstance(given, (Attr, Name)) and INITIALIZES.search(last_name(given)):
                yield Replacement(name, site.position, here, is_whole=True)
        elif callee.name in REINITIALIZE:
            yield Replacement(name, site.position, here, is_whole=True)


def _is_set_up(name: str, reset: Reset) -> bool:
    """Tell whether the call is to blame, and not the statement of the method: construction runs that as well."""
    return reset.constructs or SETS_UP.search(name) is not None


def _is_field(replacement: Replacement, restored: Collection[str]) -> bool:
    """Tell whether a field of a restored object is set."""
    return replacement.name.rpartition(".")[0] in restored
