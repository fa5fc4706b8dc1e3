"""Algorithms on top of Stable-Baselines3: what their saving by `__dict__` and by `get_parameters` keeps of a component.

`save` pickles the attributes and stores what `get_parameters` gives; `load` sets the attributes, runs
`_setup_model`, then hands the stored parameters to `set_parameters`. A component that the set-up makes
anew is lost, unless the pair of hooks carries its state.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.stable_baselines3 import HOOKS
from flake8_ckpt.frameworks.stable_baselines3 import LIBRARIES
from flake8_ckpt.frameworks.stable_baselines3 import NAMED


class Algorithms:
    """The classes of a project that derive from an algorithm of Stable-Baselines3."""

    def __init__(self, contract: Contract) -> None:
        self.hierarchy = contract.hierarchy
        self.groups = contract.groups
        self.kinds = contract.kinds
        self.evaluator = contract.evaluator

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Return the classes that have the pair of hooks themselves or from a class of the project."""
        return tuple(class_id for class_id in self.groups.classes if self._has_hooks(class_id))

    def _has_hooks(self, class_id: str) -> bool:
        if not any(LIBRARIES.search(each) for each in self.hierarchy.ancestors(class_id)[1:]):
            return False
        return all(self.hierarchy.find_method(class_id, name) is not None for name in HOOKS[:2])

    def carried(self, class_id: str) -> Optional[set[str]]:
        """Return the attributes that the hooks speak of; None where they speak of none."""
        found: set[str] = set()
        for name in HOOKS:
            for method in self._closure(class_id, name):
                found |= {use.attr for use in method.uses} | {
                    write.attr for write in method.writes if write.loaded
                }
        named = self.hierarchy.find_method(class_id, NAMED)
        if named is not None and named[1].returns is not None:
            found |= set(_strings(named[1].returns))
        return found or None

    def _closure(self, class_id: str, name: str, seen: Optional[set[str]] = None) -> Iterator[FunctionFacts]:
        """Yield a hook and the methods that it calls; what a method that is no accessor builds is no carrying."""
        seen = seen if seen is not None else set()
        found = self.hierarchy.find_method(class_id, name)
        if found is None or name in seen:
            return
        seen.add(name)
        yield found[1]
        for site in found[1].calls:
            target = site.call.callee
            if (
                isinstance(target, Attr)
                and isinstance(target.base, Self)
                and not target.name.startswith(("_setup", "setup"))
            ):
                yield from self._closure(class_id, target.name, seen)

    def rebuilt(self, class_id: str) -> Iterator[tuple[str, Spot]]:
        """Yield the components with state that a method other than the constructor makes, whatever there was."""
        for owner, method in self.hierarchy.inherited_methods(class_id):
            for write in method.writes if method.name != "__init__" else ():
                is_anew = write.how == "assign" and not write.guards and not write.loaded
                if is_anew and self.has_state(class_id, write.attr):
                    yield write.attr, Spot(owner.partition(":")[0], write.position)

    def has_state(self, class_id: str, attr: str) -> bool:
        """Tell whether an attribute holds an object of the project whose methods change it."""
        component = self.evaluator.attribute_class(class_id, attr)
        if component not in self.hierarchy.symbols.classes:
            return False
        if self.kinds.of(component) in ("normalizer", "stateful", "ema"):
            return True
        updates = self.hierarchy.symbols.known.hint("method", "updates")
        return any(map(updates.search, self.hierarchy.method_names(component)))


def _strings(value: Value) -> Iterator[str]:
    for option in options_of(value):
        if isinstance(option, Const) and isinstance(option.value, str):
            yield option.value.partition(".")[0]
        elif isinstance(option, Container):
            for each in option.items or (option.of,):
                yield from _strings(each)
