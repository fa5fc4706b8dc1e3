"""Algorithms on top of Stable-Baselines3: what their saving by `__dict__` and by `get_parameters` keeps of a component.

`save` pickles the attributes, but for those that `_excluded_save_params` names, and stores what `get_parameters`
gives; `load` sets the attributes, runs `_setup_model`, then hands the stored parameters to `set_parameters`.
A component that the set-up makes again is lost, unless the side that saves carries its state:

    _setup_model:  self.scaler = Scaler()                        lost
    _setup_model:  if self.scaler is None: self.scaler = ...     kept by the pickle, lost where it is excluded
    get_parameters: params["scaler"] = self.scaler.state_dict()  kept
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.hooks.values import own_calls
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.stable_baselines3 import ALGORITHM
from flake8_ckpt.frameworks.stable_baselines3 import EXCLUDED
from flake8_ckpt.frameworks.stable_baselines3 import HOOKS
from flake8_ckpt.frameworks.stable_baselines3 import LIBRARIES
from flake8_ckpt.frameworks.stable_baselines3 import NAMED
from flake8_ckpt.frameworks.stable_baselines3 import SET_UP
from flake8_ckpt.frameworks.stable_baselines3 import WRITERS
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.value_names import parts_through_locals

Component = tuple[str, Spot]


class Algorithms:
    """The classes of a project that derive from an algorithm of Stable-Baselines3."""

    def __init__(self, contract: Contract) -> None:
        self.hierarchy = contract.hierarchy
        self.symbols = contract.hierarchy.symbols
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
        return all(self.hierarchy.find_method(class_id, name) is not None for name in HOOKS)

    def lost(self) -> Iterator[Component]:
        """Yield the components that a load makes again, and whose state the side that saves leaves out."""
        for class_id in self.symbols.classes:
            if is_test(class_id.partition(":")[0]):
                continue
            if self._is_algorithm(class_id) and not self._names_unknown(class_id):
                found = list(self._lost_by_set_up(class_id))
                yield from found if found and self._is_restored(class_id) else ()
        for class_id in self.classes:
            yield from self._lost_by_hooks(class_id)

    def _is_algorithm(self, class_id: str) -> bool:
        return any(ALGORITHM.search(each) for each in self.hierarchy.ancestors(class_id)[1:])

    def _lost_by_set_up(self, class_id: str) -> Iterator[Component]:
        """Yield the objects with a state of their own that `_setup_model` puts in place of what was saved."""
        kept, excluded = self._carried(class_id), self._strings_of(class_id, EXCLUDED)
        set_up = (each for name in SET_UP for each in self._closure(class_id, name))
        for owner, method in set_up:
            for write in method.writes:
                is_new = write.how == "assign" and not write.loaded and isinstance(_made(write), Call)
                if is_new and write.attr not in kept and _replaces(write, excluded):
                    component = self.evaluator.attribute_class(class_id, write.attr)
                    if self._is_changed(component, class_id):
                        yield write.attr, Spot(owner.partition(":")[0], write.position)

    def _is_changed(self, component: str, class_id: str) -> bool:
        """Tell whether a component has state, and, where that is statistics, an algorithm moves them.

        A class may serve several algorithms, of which only some call what updates its statistics.
        """
        kind = self.kinds.of(component)
        if kind != "normalizer" or component not in self.symbols.classes:
            return kind in ("normalizer", "stateful", "ema")
        moving = self._moving(component)
        return moving.isdisjoint(self._called) or not moving.isdisjoint(self._called_by(class_id))

    def _moving(self, component: str) -> set[str]:
        """Return the methods that move the statistics of a class, directly or by other methods of it."""
        methods = [method for _, method in self.hierarchy.inherited_methods(component)]
        classes = self.symbols.classes
        names = {
            name
            for each in self.hierarchy.ancestors(component)
            if each in classes
            for name in classes[each].statistics
        }
        found = {each.name for each in methods if any(write.attr in names for write in each.writes)}
        moving: set[str] = set()
        while found - moving:
            moving |= found
            found = {each.name for each in methods if not moving.isdisjoint(dict(own_calls(each)))}
        return moving - CONSTRUCTION

    @cached_property
    def _called(self) -> frozenset[str]:
        """Return the last names of all that the project calls."""
        return frozenset(
            called_name(site.call)
            for unit in followed_functions(self.symbols)
            for site in unit.function.calls
        )

    def _called_by(self, class_id: str) -> set[str]:
        """Return the last names of what is called in the files of a class and of its bases."""
        paths = {each.partition(":")[0] for each in self.hierarchy.ancestors(class_id)}
        units = (unit for unit in followed_functions(self.symbols) if unit.path in paths)
        return {called_name(site.call) for unit in units for site in unit.function.calls}

    def _is_restored(self, class_id: str) -> bool:
        """Tell whether some program loads objects of a class, or none uses the class at all."""
        made = False
        family = {class_id, *self.hierarchy.subclasses(class_id)}
        for unit in followed_functions(self.symbols):
            for site in unit.function.calls:
                callee = site.call.callee
                if isinstance(callee, Attr) and callee.name == "load":
                    return True
                path = self.symbols.resolve(callee.path, unit.path) if isinstance(callee, Name) else ""
                if path.rpartition(".")[2] == "load" and path.rpartition(".")[0] in family:
                    return True
                made = made or path in family
        return not made

    def _lost_by_hooks(self, class_id: str) -> Iterator[Component]:
        """Yield the components that a pair of hooks leaves out which carries others."""
        carried = self._carried(class_id)
        for attr, location in self._rebuilt(class_id) if carried else ():
            if attr not in carried:
                yield attr, location

    def _carried(self, class_id: str) -> set[str]:
        """Return the attributes that the methods which save speak of."""
        uses = {
            use.attr for name in WRITERS for _, method in self._closure(class_id, name) for use in method.uses
        }
        return uses | self._strings_of(class_id, NAMED)

    def _names_unknown(self, class_id: str) -> bool:
        """Tell whether a class gives names of what to save that are not understood."""
        return any(
            UNKNOWN in parts_through_locals(store.value)
            for _, method in self.hierarchy.related_methods(class_id)
            if method.name == NAMED
            for store in method.stores
            if store.target == Name("return")
        )

    def _strings_of(self, class_id: str, name: str) -> set[str]:
        """Return the first parts of the strings in a method of a class, and in those that it replaces."""
        return {
            text.partition(".")[0]
            for _, method in self.hierarchy.related_methods(class_id)
            if method.name == name
            for text in _strings(method)
        }

    def _closure(
        self, class_id: str, name: str, seen: Optional[set[str]] = None
    ) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield a method, those of bases that it replaces, and the methods of its own object that it calls."""
        seen = seen if seen is not None else set()
        if name in seen:
            return
        seen.add(name)
        for owner, method in self.hierarchy.methods_among(self.hierarchy.ancestors(class_id)):
            if method.name != name:
                continue
            yield owner, method
            for site in method.calls:
                target = site.call.callee
                if isinstance(target, Attr) and isinstance(target.base, (Self, Super)):
                    if not SET_UP.isdisjoint(seen) or not target.name.startswith(("_setup", "setup")):
                        yield from self._closure(class_id, target.name, seen)

    def _rebuilt(self, class_id: str) -> Iterator[Component]:
        """Yield the components with state that a method other than the constructor makes, whatever there was."""
        for owner, method in self.hierarchy.inherited_methods(class_id):
            for write in method.writes if method.name != "__init__" else ():
                is_new = write.how == "assign" and not write.guards and not write.loaded
                if is_new and self.has_state(class_id, write.attr):
                    yield write.attr, Spot(owner.partition(":")[0], write.position)

    def has_state(self, class_id: str, attr: str) -> bool:
        """Tell whether an attribute holds an object of the project whose methods change it."""
        component = self.evaluator.attribute_class(class_id, attr)
        if component not in self.symbols.classes:
            return False
        if self.kinds.of(component) in ("normalizer", "stateful", "ema"):
            return True
        updates = self.symbols.known.hint("method", "updates")
        return any(map(updates.search, self.hierarchy.method_names(component)))


def _made(write: Write) -> object:
    return write.value.value if isinstance(write.value, Local) else write.value


def _replaces(write: Write, excluded: set[str]) -> bool:
    """Tell whether an assignment runs on a load: one that asks for the attribute does where that is excluded."""
    asks = any(each.name == write.attr or each.kind == "branch" for each in write.guards)
    return not asks or write.attr in excluded


def _strings(method: FunctionFacts) -> Iterator[str]:
    values = [
        *([method.returns] if method.returns is not None else []),
        *(each.value for each in method.stores),
    ]
    values += [value for site in method.calls for value in arguments_of(site.call)]
    for value in values:
        for part in parts_through_locals(value):
            if isinstance(part, Const) and isinstance(part.value, str):
                yield part.value
