"""Whether training goes on after a load: who calls the method that loads, and whether that trains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.pairing.function_names import EXACT_PAIRS
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.idle_loads import IdleLoads

# Functions of libraries with these names load files, not the objects of a project.
GENERAL = frozenset(["load", "restore", "loads"])
# A caller that trains: `trainer.fit()`, `train_epoch()`, `run_training()`.
RUNS = re.compile(r"^(train|fit|learn|run|optimi[sz]e|train_\w+|\w+_train(ing)?|run_\w+)$")

# Calls between a function that resumes and the one that trains: `agent.step(x)`, `self._update_actor()`, `backward()`.
MAX_CALLS = 3
# Classes of which an object may be one, where a method is called on what nobody knows.
MAX_METHODS = 16


class Resumption:
    """Asks the callers of the methods that load."""

    def __init__(self, groups: CheckpointGroups) -> None:
        self.hierarchy = groups.hierarchy
        self.symbols = groups.hierarchy.symbols
        self.evaluator = groups.evaluator
        self.idle = IdleLoads(self.hierarchy)
        self._training: dict[tuple[str, int], bool] = {}

    def goes_on_after(self, reader: FunctionRef) -> bool:
        """Tell whether some caller of a method that loads goes on with training; nobody may call it in a library."""
        return not reader.class_id or self.is_resumed(
            reader.class_id, {called_as(reader.class_id, reader.function)}
        )

    def is_resumed(self, class_id: str, loaders: set[str]) -> bool:
        """Tell whether a method that loads is called where training goes on; nobody may call it in a library."""
        if not loaders.isdisjoint(EXACT_PAIRS.values()):
            # Whose `load_state_dict` it is that is called is not known by its name.
            return True
        if self.idle.is_replaced(class_id):
            return False
        names = set(loaders)
        reached: dict[str, FunctionRef] = {}
        while names:
            callers = [each for each in self._callers(names, loaders) if each.identity not in reached]
            if any(self.is_of(each, class_id) or self._trains(each, MAX_CALLS) for each in callers):
                return True
            reached.update((each.identity, each) for each in callers)
            names = {called_as(each.class_id, each.function) for each in callers}
        if not reached:
            # Nobody calls it: programs that make objects of the class do without, those of others are not seen.
            return not self.idle.is_used(class_id)
        return any(self._hands_out(each, class_id) for each in reached.values())

    def _hands_out(self, caller: FunctionRef, class_id: str) -> bool:
        """Tell whether a function that nobody is known to call gives back the object that it has restored."""
        if called_as(caller.class_id, caller.function) in self._by_call or caller.function.returns is None:
            return False
        given = self.evaluator.class_of(caller.function.returns, CallContext(caller))
        return given in self.symbols.classes and self.hierarchy.are_related(given, class_id)

    def trains(self, unit: FunctionRef) -> bool:
        """Tell whether a function runs a training, by itself or through what it calls."""
        return self._trains(unit, MAX_CALLS)

    def is_trained_on(self, loaders: set[str]) -> bool:
        """Tell whether some function that calls a method that loads, through others too, itself runs a training."""
        names, reached = set(loaders), set[str]()
        while names:
            callers = [each for each in self._callers(names, loaders) if each.identity not in reached]
            if any(self._trains(each, MAX_CALLS) for each in callers):
                return True
            reached.update(each.identity for each in callers)
            names = {called_as(each.class_id, each.function) for each in callers}
        return False

    def is_made_with(self, class_id: str, loader: str) -> bool:
        """Tell whether the objects of a class that trains are made with what the file holds that it saves."""
        classes = (class_id, *self.hierarchy.subclasses(class_id))
        return any(self._calls_own(each, loader) and self._trains_itself(each) for each in classes)

    def _calls_own(self, class_id: str, name: str) -> bool:
        """Tell whether the constructor of a class calls a method of its own."""
        found = self.hierarchy.find_method(class_id, "__init__")
        calls = found[1].calls if found is not None else ()
        return any(site.call.callee == Attr(SELF, name) for site in calls)

    def _trains_itself(self, class_id: str) -> bool:
        methods = self.hierarchy.inherited_methods(class_id)
        return any(self._trains(method_ref(owner, method, class_id), 0) for owner, method in methods)

    def _trains(self, unit: FunctionRef, depth: int) -> bool:
        """Tell whether a function runs a training, by itself or through what it calls."""
        names = [last_name(site.call.callee) for site in unit.function.calls]
        if any(RUNS.search(name) or name == "backward" for name in names):
            return True
        key = (unit.identity, depth)
        if depth > 0 and key not in self._training:
            self._training[key] = False
            called = (each for site in unit.function.calls for each in self._called(site, unit))
            self._training[key] = any(self._trains(each, depth - 1) for each in called)
        return self._training.get(key, False)

    def _called(self, site: Site, unit: FunctionRef) -> list[FunctionRef]:
        """Return the function that a call reaches; of an unknown object, the only method of a telling name."""
        known = self.evaluator.callee_of(site.call, CallContext(unit))
        if known is not None or not isinstance(site.call.callee, Attr):
            return [known] if known is not None else []
        found = self._by_name.get(site.call.callee.name, []) if "_" in site.call.callee.name else []
        return found if len(found) <= MAX_METHODS and all(map(_steps, found)) else []

    @cached_property
    def _by_name(self) -> dict[str, list[FunctionRef]]:
        """Return the methods outside of tests that do something, by their names."""
        found: dict[str, list[FunctionRef]] = {}
        for each in functions_outside_tests(self.symbols):
            if each.class_id and (each.function.calls or each.function.writes):
                found.setdefault(each.name, []).append(each)
        return found

    def is_of(self, function: FunctionRef, class_id: str) -> bool:
        """Tell whether a function is a method of a class, or of one that is related to it."""
        return bool(function.class_id) and self.hierarchy.are_related(function.class_id, class_id)

    def _callers(self, names: set[str], loaders: set[str]) -> Iterator[FunctionRef]:
        """Yield the functions that call something of these names, but loaders: those only pass it on."""
        for name in sorted(names):
            yield from (
                each
                for each in self._by_call.get(name, ())
                if called_as(each.class_id, each.function) not in loaders
            )

    @cached_property
    def _by_call(self) -> dict[str, list[FunctionRef]]:
        """Return the functions outside of tests that are followed closely by the last names of what they call."""
        found: dict[str, list[FunctionRef]] = {}
        for each in followed_functions(self.symbols):
            called = {
                last_name(site.call.callee)
                for site in each.function.calls
                if not isinstance(site.call.callee, Name) or last_name(site.call.callee) not in GENERAL
            }
            for name in called:
                found.setdefault(name, []).append(each)
        return found


def called_as(class_id: str, function: FunctionFacts) -> str:
    """Return the last name that a call of a function has: a constructor is called by the name of its class."""
    if function.name != "__init__" or not class_id:
        return function.name
    return class_id.rpartition(":")[2].rpartition(".")[2]


def _steps(unit: FunctionRef) -> bool:
    """Tell whether a method steps an optimizer: `optimize_parameters`, `train_batch`."""
    names = {last_name(site.call.callee) for site in unit.function.calls}
    return "step" in names and not names.isdisjoint(["backward", "zero_grad"])
