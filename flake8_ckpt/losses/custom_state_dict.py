"""What a class's own `state_dict` forgets: attributes that its methods carry on and depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.hook_values import hands_over_self
from flake8_ckpt.checkpoints.hook_values import own_calls
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import SAVERS
from flake8_ckpt.frameworks.torch_methods import UNEVENTFUL
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import parts_through_locals
from flake8_ckpt.modules.attribute_lifetime import RESETS

LOADERS = re.compile(r"(^|_)(load|restore|resume|set_state|setstate)(_|$)")
SHOWS = re.compile(
    r"(^|_)(log|logs|print|show|report|summar\w+|display|plot|progress|info|describe|repr|str|debug)(_|$)"
)
# Containers by these names hold numbers or tensors that were measured; others may hold objects.
MEASURED = re.compile(
    r"loss|score|reward|return|window|value|error|accurac|norm|count|queue|shadow|moment|(^|_)(stats?|sums?"
    r"|means?|vars?|stds?|scales?|weights?|averages?|avg|ema|best|seen|recent)(_|$)"
)
# What is only shown, what lasts no longer than one update, and what belongs to the process.
PASSING = re.compile(
    r"accum|metric|cache|buffer|handle|hook|thread|process|worker|(^|_)(logs?|logged|timers?|times?|elapsed"
    r"|wct|flops|history|printed|shown|warned|pending|current|cur|last|prev|previous)(_|$)"
)
OBSERVERS = re.compile(
    r"Monitor|Meter|Logg|Timer|Progress|Profil|Printer|Writer|Visuali|Throughput|Speed|Metric|Statistics"
)
MEASURES = (Const, Number, Tensor, NdArray, Container, Record)
GROWTH = frozenset(".append .extend .insert .update .setdefault .add .appendleft .clear".split())
CHANGES = frozenset(["augment", "grow", "item", "inplace", "assign"])


@dataclass(frozen=True)
class Omitted:
    """An attribute that a `state_dict` leaves out, with the method that changes it and the place."""

    hook: FunctionRef
    attr: str
    method: str
    location: Spot


@dataclass(frozen=True)
class IncompleteStateDict:
    """A `state_dict` with all that it leaves out."""

    hook: FunctionRef
    omitted: tuple[Omitted, ...]


def incomplete_state_dicts(contract: Contract) -> Iterator[IncompleteStateDict]:
    """Yield the custom `state_dict` methods that forget attributes."""
    lost: dict[Spot, list[Omitted]] = {}
    for each in OwnStates(contract).omitted():
        lost.setdefault(each.hook.location, []).append(each)
    for omitted in lost.values():
        yield IncompleteStateDict(omitted[0].hook, tuple(omitted))


class OwnStates:
    """Asks the classes with a pair of `state_dict` and `load_state_dict` of their own."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.hierarchy: Hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator

    def omitted(self) -> Iterator[Omitted]:
        """Yield the attributes that are forgotten."""
        for family in self.contract.families.hooks:
            hook = family.hook
            if (
                hook is None
                or hook.writer.function.name != "state_dict"
                or hook.class_id != hook.writer.owner
            ):
                continue
            if OBSERVERS.search(hook.class_id.rpartition(":")[2]) or is_test(hook.writer.path):
                continue
            if self._is_understood(hook.writer):
                yield from Members(hook.class_id, self.hierarchy).omitted(hook.writer)
                yield from self._counts(hook.writer)

    def _counts(self, hook: FunctionRef) -> Iterator[Omitted]:
        """Yield the counts of running statistics of which the mean and the variance are given."""
        taken: dict[str, set[str]] = {}
        for store in hook.function.stores:
            for each in parts_through_locals(store.value):
                if isinstance(each, Attr) and isinstance(each.base, Attr) and each.base.base == SELF:
                    taken.setdefault(each.base.name, set()).add(each.name)
        used = {use.attr for use in hook.function.uses for how in use.how if how in ("plain", "own")}
        for attr, names in taken.items():
            count = self._count_of(self.evaluator.attribute_class(hook.class_id, attr))
            if count and {"mean", "var"} <= names and count not in names and attr not in used:
                yield Omitted(hook, f"{attr}.{count}", "update", Spot(hook.path, hook.function.position))

    def _count_of(self, class_id: str) -> str:
        """Return the attribute of a class of running statistics that says how many samples there were."""
        if class_id not in self.hierarchy.symbols.classes:
            return "count" if class_id.endswith("RunningMeanStd") else ""
        found = [
            name
            for each in self.hierarchy.ancestors(class_id)
            if each in self.hierarchy.symbols.classes
            for name in self.hierarchy.symbols.classes[each].statistics
        ]
        return "count" if {"mean", "var", "count"} <= {*found} else ""

    def _is_understood(self, hook: FunctionRef) -> bool:
        """Tell whether all keys that a `state_dict` gives are known, those of its base class included."""
        if any(use.attr == "__dict__" for use in hook.function.uses):
            return False
        if any(hands_over_self(site.call) for site in hook.function.calls):
            return False
        given = [store.value for store in hook.function.stores if store.target == Name("return")]
        return bool(given) and all(self._is_known(each, hook) for each in given)

    def _is_known(self, value: Value, hook: FunctionRef) -> bool:
        base = _base_state(value)
        if base is not None:
            found = self.hierarchy.find_method(hook.class_id, "state_dict", hook.owner)
            filled = self.evaluator.added_to(hook.function, value) if isinstance(value, Local) else []
            return (
                found is not None
                and all(each.key for each in filled)
                and self._is_understood(method_ref(*found, hook.class_id))
            )
        if isinstance(value, Attr) and value.base == SELF:
            return True
        payload = contents(self.evaluator.expand(value, CallContext(hook)))
        return bool(payload.slots) and not payload.open


class Members:
    """The methods of one class, with those of its ancestors in the project."""

    def __init__(self, class_id: str, hierarchy: Hierarchy) -> None:
        self.class_id = class_id
        self.hierarchy = hierarchy
        self.methods = list(self._visible())

    def _visible(self) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the methods that objects run: the nearest of each name, and those it calls with `super()`."""
        hidden: set[str] = set()
        for owner in self.hierarchy.ancestors(self.class_id):
            for name, method in self.hierarchy.methods(owner).items():
                if name not in hidden:
                    yield owner, method
                    hidden |= {name} if name not in CONSTRUCTION and not _asks_base(method) else set()

    def run(self, *names: str) -> list[FunctionFacts]:
        """Return the methods of these names, and those that they call on the same object."""
        known = set(names)
        found = [method for _, method in self.methods if method.name in known]
        for method in found:
            called = {name for name, _ in own_calls(method)} - known
            known |= called
            found += [each for _, each in self.methods if each.name in called]
        return found

    def omitted(self, hook: FunctionRef) -> Iterator[Omitted]:
        """Yield the attributes that methods carry on, that others depend on, and that no saving mentions."""
        kept = self._kept()
        found: dict[str, Omitted] = {}
        for owner, method in self.methods:
            for write in method.writes if not _is_aside(method.name) else ():
                if write.carried and write.how in CHANGES and write.attr not in kept:
                    location = Spot(owner.partition(":")[0], write.position)
                    found.setdefault(write.attr, Omitted(hook, write.attr, method.name, location))
        for attr, each in found.items():
            if self._is_measured(attr) and not self._is_begun_anew(attr) and self._matters(attr):
                yield each

    def _kept(self) -> set[str]:
        """Return the attributes that saving mentions or restoring sets or mentions."""
        names = [method.name for _, method in self.methods if _keeps(method.name)]
        methods = self.run("state_dict", "load_state_dict", *names)
        used = {use.attr for method in methods for use in method.uses}
        return used | {write.attr for method in methods for write in method.writes}

    def _is_measured(self, attr: str) -> bool:
        """Tell whether construction sets an attribute to a number, an array or measurements, no flag or object."""
        made = [
            option
            for method in self.run(*CONSTRUCTION)
            for write in method.writes
            if write.attr == attr and write.how == "assign"
            for option in options_of(_default_of(write.value, method))
            if option != NONE
        ]
        if PASSING.search(attr) or any(_is_flag(each) for each in made):
            return False
        if any(isinstance(each, (Container, Record)) for each in made) and not MEASURED.search(attr):
            return False
        return bool(made) and all(isinstance(each, MEASURES) for each in made)

    def _is_begun_anew(self, attr: str) -> bool:
        """Tell whether a reset, or a method that runs all that changes it, starts an attribute afresh."""
        carrying = [each for _, each in self.methods if _carries(each, attr) and not _is_aside(each.name)]
        for _, method in self.methods:
            writes = [each for each in method.writes if each.attr == attr]
            fresh = [each for each in writes if each.how == "assign" and not each.carried]
            if method.name in CONSTRUCTION or not fresh:
                continue
            if RESETS.search(method.name):
                return True
            if any(not each.guards for each in fresh) and not _carries(method, attr):
                run = self.run(method.name)
                if all(each in run for each in carrying):
                    return True
        return False

    def _matters(self, attr: str) -> bool:
        """Tell whether some method reads an attribute for something else than to change or to show it."""
        for _, method in self.methods:
            if _is_aside(method.name) or SHOWS.search(method.name):
                continue
            for use in method.uses:
                if use.attr == attr and _decides(set(use.how), method, attr):
                    return True
        return False


def _keeps(name: str) -> bool:
    return SAVERS.search(name) is not None or LOADERS.search(name) is not None


def _is_aside(name: str) -> bool:
    """Tell whether a method makes, saves, restores or resets an object: what it changes is no progress."""
    return name in CONSTRUCTION or name in UNEVENTFUL or _keeps(name) or RESETS.search(name) is not None


def _default_of(value: Value, method: FunctionFacts) -> Value:
    """Return the default where a value is a parameter that has one, else the value."""
    defaults = {each.name: each.default for each in method.parameters if each.default is not None}
    return defaults.get(value.name, value) if isinstance(value, Param) else value


def _is_flag(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, bool)


def _carries(method: FunctionFacts, attr: str) -> bool:
    return any(write.attr == attr and write.carried for write in method.writes)


def _decides(hows: set[str], method: FunctionFacts, attr: str) -> bool:
    """Tell whether a method reads an attribute beside its own change of it."""
    if not any(write.attr == attr for write in method.writes):
        return bool(hows - GROWTH - {"none", "own"})
    if hows & {"test", "item", "iter", "apart", "meta"}:
        return True
    others = [write.value for write in method.writes if write.attr != attr]
    others += [store.value for store in method.stores]
    return any(_mentions(value, attr) for value in others)


def _mentions(value: Value, attr: str) -> bool:
    """Tell whether a value is made from an attribute of `self`."""
    return any(each == Attr(SELF, attr) for each in parts_through_locals(value))


def _asks_base(method: FunctionFacts) -> bool:
    """Tell whether a method calls the one of the same name that it overrides."""
    return any(site.call.callee == Attr(Super(), method.name) for site in method.calls)


def _base_state(value: Value) -> Value | None:
    """Return the call of the base class's `state_dict` that a value is, or holds beside keys of its own."""
    while isinstance(value, Local):
        value = value.value
    held = options_of(value.of) if isinstance(value, Container) and value.kind == "dict" else (value,)
    if UNKNOWN in held:
        return None
    for each in held:
        if isinstance(each, Call) and isinstance(each.callee, Attr) and isinstance(each.callee.base, Super):
            return each
    return None
