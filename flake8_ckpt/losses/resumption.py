"""Whether training goes on after a load: who calls the method that loads, and whether that trains."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.pairing.function_names import EXACT_PAIRS
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.conditions.scopes import exclude
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import NESTED
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Name
from flake8_ckpt.findings import Position
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.idle_loads import IdleLoads
from flake8_ckpt.losses.trainings import Trainings

# Functions of libraries with these names load files, not the objects of a project.
GENERAL = frozenset(["load", "restore", "loads"])
# Methods that objects of many classes have: whose it is that is called is not known by the name.
COMMON = frozenset("train eval evaluate forward step reset run update main test close act".split())
# The function that the statements of a file are.
SCRIPT = "<module>"
# Calls between a function that resumes and the one that trains: `agent.step(x)`, `self._update_actor()`, `backward()`.
MAX_CALLS = 3


class Resumption:
    """Asks the callers of the methods that load."""

    def __init__(self, groups: CheckpointGroups) -> None:
        self.hierarchy = groups.hierarchy
        self.symbols = groups.hierarchy.symbols
        self.evaluator = groups.evaluator
        self.idle = IdleLoads(self.hierarchy)
        self.trainings = Trainings(self.hierarchy, self.evaluator)

    def goes_on_after(self, reader: FunctionRef) -> bool:
        """Tell whether some caller of a method that loads goes on with training; nobody may call it in a library."""
        return not reader.class_id or self.is_resumed(
            reader.class_id, {called_as(reader.class_id, reader.function)}
        )

    def goes_on_from(self, reader: FunctionRef, position: Position) -> bool:
        """Tell whether training goes on after a statement that loads: in its function, or in one that calls it."""
        if self._trains_from(reader, [position]):
            return True
        if reader.class_id:
            return self.goes_on_after(reader)
        names, reached = {reader.name}, dict[str, FunctionRef]()
        while names:
            callers = [each for each in self._callers(names, set()) if each.identity not in reached]
            seen = [
                (each, self._calls_of(each, names, set(), {reader.identity, *reached})) for each in callers
            ]
            callers = [each for each, calls in seen if calls]
            if any(calls and self._trains_from(each, calls, True) for each, calls in seen):
                return True
            reached.update((each.identity, each) for each in callers)
            names = {called_as(each.class_id, each.function) for each in callers}
        return not reached and reader.name != SCRIPT

    def is_resumed(self, class_id: str, loaders: set[str]) -> bool:
        """Tell whether a method that loads is called where training goes on; nobody may call it in a library."""
        if not loaders.isdisjoint(EXACT_PAIRS.values()):
            # Whose `load_state_dict` it is that is called is not known by its name.
            return True
        if self.idle.is_replaced(class_id):
            return False
        made = self._constructors(class_id, loaders)
        loaders = loaders | made
        names, owners = set(loaders), {class_id, *self._passing(class_id, loaders)}
        reached: dict[str, FunctionRef] = {}
        while names:
            callers = [each for each in self._callers(names, loaders) if each.identity not in reached]
            seen = [(each, self._calls_of(each, names, owners, set(reached))) for each in callers]
            callers = [each for each, calls in seen if calls]
            if any(
                calls and self._trains_from(each, calls, bool(reached) and not made) for each, calls in seen
            ):
                return True
            reached.update((each.identity, each) for each in callers)
            names = {name for each in callers for name in self._names_of(each)}
            owners.update(each.class_id for each in callers)
        if all(self.is_of(each, class_id) for each in reached.values()):
            # Nobody calls it: programs that make objects of the class do without, those of others are not seen.
            return not self.idle.is_used(class_id)
        return any(self._hands_out(each, class_id) or self._makes_trainer(each) for each in reached.values())

    def _makes_trainer(self, caller: FunctionRef) -> bool:
        """Tell whether a load is part of making an object that trains, and who makes those is not known."""
        if caller.name != "__init__" or not caller.class_id:
            return False
        return self._names_of(caller).isdisjoint(self._by_call) and self._trains_itself(caller.class_id)

    def _names_of(self, caller: FunctionRef) -> set[str]:
        """Return the names by which a function is called; a constructor also those of classes that inherit it."""
        name = called_as(caller.class_id, caller.function)
        if name == caller.function.name:
            return {name}
        derived = self.hierarchy.subclasses(caller.class_id)
        return {name, *(each.rpartition(":")[2].rpartition(".")[2] for each in derived)}

    def _constructors(self, class_id: str, loaders: set[str]) -> set[str]:
        """Return the names of the classes that derive from one whose constructor loads: each calls it."""
        lineage = (class_id, *self.hierarchy.subclasses(class_id), *self.hierarchy.ancestors(class_id))
        made = {each.rpartition(":")[2].rpartition(".")[2] for each in lineage}
        return set() if made.isdisjoint(loaders) else made

    def _passing(self, class_id: str, loaders: set[str]) -> set[str]:
        """Return the classes whose methods of the same names pass a load on to objects that they hold."""
        found, owners = set[str](), {class_id}
        while owners:
            named = (each for name in sorted(loaders) for each in self._by_call.get(name, ()))
            passing = {
                each.class_id
                for each in named
                if called_as(each.class_id, each.function) in loaders
                and self._calls_of(each, loaders, owners, set())
            }
            owners = passing - found - {class_id, ""}
            found |= owners
        return found

    def _positions(self, caller: FunctionRef, names: set[str]) -> list[Position]:
        called = (each for each in caller.function.calls if last_name(each.call.callee) in names)
        return [
            each.position
            for each in called
            if last_name(each.call.callee) not in GENERAL or self._is_of_project(each, caller)
        ]

    def _calls_of(
        self, caller: FunctionRef, names: set[str], owners: set[str], known: set[str]
    ) -> list[Position]:
        """Return where a function calls a method of some classes, a known function, or what is not known."""
        return [
            site.position
            for site in caller.function.calls
            if last_name(site.call.callee) in names
            and (last_name(site.call.callee) not in GENERAL or self._is_of_project(site, caller))
            and self._may_call(site, caller, owners, known)
        ]

    def _may_call(self, site: Site, caller: FunctionRef, owners: set[str], known: set[str]) -> bool:
        """Tell whether a call may be one of these: of functions any, where none is known."""
        callee = self.evaluator.callee_of(site.call, CallContext(caller))
        if callee is None:
            return not known or self._is_telling(last_name(site.call.callee), owners, known)
        if callee.identity in known:
            return True
        if not callee.class_id:
            return not known
        return any(self.is_of(callee, each) for each in owners if each)

    def _is_telling(self, name: str, owners: set[str], known: set[str]) -> bool:
        """Tell whether a name alone says what is called: all that have it are functions that lead to the load."""
        if name in COMMON:
            return False
        return all(
            each.identity in known or any(self.is_of(each, owner) for owner in owners if owner)
            for each in self._by_name.get(name, ())
        )

    @cached_property
    def _by_name(self) -> dict[str, list[FunctionRef]]:
        """Return the functions outside of tests by the names under which they are called."""
        found: dict[str, list[FunctionRef]] = {}
        for each in functions_outside_tests(self.symbols):
            found.setdefault(called_as(each.class_id, each.function), []).append(each)
        return found

    def _trains_from(self, unit: FunctionRef, loads: list[Position], is_judged: bool = False) -> bool:
        """Tell whether a function runs a training after it has loaded, or in the loop in which it loads.

        What it calls to load `is_judged` where that function was asked before; such a call at the end of a loop that
        trains is no restart. Where the flags of a load and of a training exclude each other, no run meets both.
        """
        if not self.trainings.trains(unit, MAX_CALLS):
            return False
        first = min(each.line for each in loads) if loads else 0
        loading = [each for each in unit.function.calls if each.position in loads]
        is_repeated = not is_judged and any(LOOP in each.guards for each in loading)
        later = [
            each
            for each in unit.function.calls
            if each.position.line >= first or NESTED in each.guards or is_repeated and LOOP in each.guards
        ]
        later = [each for each in later if not (is_judged and each.position in loads)]
        later = [each for each in later if not loading or not _exclude_all(loading, each)]
        return any(self.trainings.is_training(each, unit, MAX_CALLS) for each in later)

    def _hands_out(self, caller: FunctionRef, class_id: str) -> bool:
        """Tell whether a function that nobody is known to call gives back the object that it has restored."""
        if called_as(caller.class_id, caller.function) in self._by_call or caller.function.returns is None:
            return False
        given = self.evaluator.class_of(caller.function.returns, CallContext(caller))
        return given in self.symbols.classes and self.hierarchy.are_related(given, class_id)

    def trains_from(self, unit: FunctionRef, loads: list[Position]) -> bool:
        """Tell whether a function trains after these statements, but not in them."""
        return self._trains_from(unit, loads, True)

    def trains(self, unit: FunctionRef) -> bool:
        """Tell whether a function runs a training, by itself or through what it calls."""
        return self.trainings.trains(unit, MAX_CALLS)

    def is_trained_on(self, loaders: set[str]) -> bool:
        """Tell whether some function that calls a method that loads, through others too, itself runs a training."""
        names, reached = set(loaders), set[str]()
        while names:
            callers = [each for each in self._callers(names, loaders) if each.identity not in reached]
            if any(self._trains_from(each, self._positions(each, names)) for each in callers):
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
        return any(self.trainings.trains(method_ref(owner, method, class_id), 2) for owner, method in methods)

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

    def _is_of_project(self, site: Site, unit: FunctionRef) -> bool:
        """Tell whether a call may be one of a method of the project: `SAC.load(path)`, but not `torch.load(path)`."""
        callee = site.call.callee
        if not isinstance(callee, Name):
            return True
        return self.symbols.resolve(callee.path, unit.path).rpartition(".")[0] in self.symbols.classes

    @cached_property
    def _by_call(self) -> dict[str, list[FunctionRef]]:
        """Return the functions outside of tests that are followed closely by the last names of what they call."""
        found: dict[str, list[FunctionRef]] = {}
        for each in followed_functions(self.symbols):
            called = {
                last_name(site.call.callee)
                for site in each.function.calls
                if last_name(site.call.callee) not in GENERAL or self._is_of_project(site, each)
            }
            for name in called:
                found.setdefault(name, []).append(each)
        return found


def called_as(class_id: str, function: FunctionFacts) -> str:
    """Return the last name that a call of a function has: a constructor is called by the name of its class."""
    if function.name != "__init__" or not class_id:
        return function.name
    return class_id.rpartition(":")[2].rpartition(".")[2]


def _exclude_all(loading: list[Site], later: Site) -> bool:
    """Tell whether a call is made in no run in which one of some loads is."""
    return all(exclude(each.scope, later.scope) for each in loading)
