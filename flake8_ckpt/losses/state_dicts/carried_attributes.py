"""Attributes that the methods of a class change and depend on, and that none of its saving takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import is_flag
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import STEPS
from flake8_ckpt.frameworks.torch_methods import UNEVENTFUL
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.losses.state_dicts.dependence import is_aside
from flake8_ckpt.losses.state_dicts.dependence import is_best
from flake8_ckpt.losses.state_dicts.dependence import is_taken_once
from flake8_ckpt.losses.state_dicts.dependence import matters
from flake8_ckpt.losses.state_dicts.episodes import begins_element
from flake8_ckpt.losses.state_dicts.episodes import puts_back
from flake8_ckpt.losses.state_dicts.episodes import restarts
from flake8_ckpt.losses.state_dicts.kept_attributes import keeps
from flake8_ckpt.losses.state_dicts.kept_attributes import kept_attributes
from flake8_ckpt.losses.state_dicts.kept_attributes import restores_all
from flake8_ckpt.losses.state_dicts.own_state import OwnState
from flake8_ckpt.losses.state_dicts.visible_methods import VisibleMethods
from flake8_ckpt.modules.attribute_lifetime import RESETS

# Containers by these names hold numbers or tensors that were measured; others may hold objects.
MEASURED = re.compile(
    r"loss|score|reward|return|window|value|error|accurac|norm|count|queue|shadow|moment|(^|_)(stats?|sums?"
    r"|means?|vars?|stds?|scales?|weights?|averages?|avg|ema|best|seen|recent)(_|$)"
)
# What is only shown, what lasts no longer than one update, and what belongs to the process.
PASSING = re.compile(
    r"accum|metric|cache|buffer|handle|hook|thread|process|worker|(^|_)(logs?|logged|timers?|times?|elapsed"
    r"|wct|flops|history|printed|shown|warned|pending|outstanding|inflight|flight|discarded|dropped|skipped"
    r"|current|cur|last|prev|previous)(_|$)"
)
MEASURES = (Const, Number, Tensor, NdArray, Container, Record)
# What takes elements out of a container: it holds work, or the measurements of one episode.
TAKES = frozenset([".popleft", ".get", ".get_nowait", ".popitem", ".clear"])
CHANGES = frozenset(["augment", "grow", "item", "inplace", "assign"])


# Values that a caller chooses: a mode, a name, a number, nothing yet.
CHOICES = (Const, Number)


@dataclass(frozen=True)
class Carried:
    """An attribute, the method that changes it, and where."""

    attr: str
    method: str
    location: Spot


class CarriedAttributes:
    """Asks the methods of one class with a pair of hooks."""

    def __init__(self, state: OwnState, hierarchy: Hierarchy) -> None:
        self.state = state
        self.hierarchy = hierarchy
        self.methods = VisibleMethods(state.class_id, hierarchy)
        self.is_module = hierarchy.is_module(state.class_id)
        self._lasting: dict[str, bool] = {}
        # What the class of the hook changes is told of that class.
        self.told = frozenset(hierarchy.ancestors(state.writer.owner) if state.is_inherited else ())

    @cached_property
    def counts(self) -> frozenset[str]:
        """Return the counters that the pair gives, or that it sets to what was loaded."""
        loaded = (each.attr for each in self.state.reader.function.writes if each.loaded)
        counted = {
            each.attr for _, method in self.methods.all for each in method.writes if each.how == "augment"
        }
        return self.state.given.union(loaded).intersection(counted)

    def unsaved(self) -> Iterator[Carried]:
        """Yield the attributes that methods change, that others depend on, and that no saving mentions."""
        if restores_all(self.state, self.methods):
            return
        kept = kept_attributes(self.state, self.methods)
        for attr, each in self._changed().items():
            if attr not in kept and (
                matters(attr, self.methods, self.state.given) or self._is_for_others(attr)
            ):
                yield each

    def _is_for_others(self, attr: str) -> bool:
        """Tell whether a class adapts what its caller has chosen, and leaves it to others to read it."""
        readers = [
            method for _, method in self.methods.about(attr) if any(use.attr == attr for use in method.uses)
        ]
        if attr.startswith("_") or any(attr not in _changed_in(each) for each in readers):
            return False
        changes = (each for method in readers for each in _runtime_writes(method, attr))
        return not all(map(_is_count, changes)) and any(
            self._is_rated(attr, made) for _, made in self._made(attr)
        )

    def _changed(self) -> dict[str, Carried]:
        """Return what methods carry on, then what they set together with something that is saved."""
        found: dict[str, Carried] = {}
        for owner, method in self.methods.all:
            for write in method.writes if owner not in self.told else ():
                if write.how in CHANGES and self._is_progress(write, method):
                    location = Spot(owner.partition(":")[0], write.position)
                    found.setdefault(write.attr, Carried(write.attr, method.name, location))
        return found

    def _is_progress(self, write: Write, method: FunctionFacts) -> bool:
        """Tell whether a write is a step of something that lasts."""
        if method.name in CONSTRUCTION or method.name in UNEVENTFUL or keeps(method.name):
            return False
        if puts_back(method, write.attr):
            return False
        is_carried = write.carried or is_best(write) or is_taken_once(write, method, self.counts)
        if not is_carried and not self._turns_over(write, method):
            return self._has_saved_sibling(write, method)
        if is_aside(method, write.attr):
            return False
        return self._lasts(write.attr)

    def _lasts(self, attr: str) -> bool:
        """Tell whether an attribute is a measurement that no reset and no run starts over."""
        if attr not in self._lasting:
            self._lasting[attr] = self._is_measured(attr) and not self._is_begun_anew(attr)
        return self._lasting[attr]

    def _is_measured(self, attr: str) -> bool:
        """Tell whether construction sets an attribute to a number, an array or measurements, no flag or object."""
        made = [option for option in self._constructed(attr) if option != NONE]
        if PASSING.search(attr) and not self._is_counted(attr):
            return False
        if any(map(is_flag, made)) and not self._is_latched(attr):
            return False
        if any(isinstance(each, (Container, Record)) for each in made) and not self._is_window(attr):
            return False
        if self.is_module and any(isinstance(each, (Tensor, NdArray)) for each in made):
            return False  # rules on module state speak of these
        return bool(made) and all(isinstance(each, MEASURES) or self._is_rated(attr, each) for each in made)

    def _is_latched(self, attr: str) -> bool:
        """Tell whether a flag stays on beside a saved attribute: `self.full = self.full or self.index == 0`."""
        return all(
            self._turns_over(each, method)
            or each.carried
            and any(other.attr in self.state.given for other in method.writes)
            for _, method in self.methods.about(attr)
            for each in _runtime_writes(method, attr)
        )

    def _turns_over(self, write: Write, method: FunctionFacts) -> bool:
        """Tell whether a flag is turned on where a saved index begins again: `if self.index == 0: self.full = True`."""
        begun = {
            each.attr for each in method.writes if each.how == "assign" and each.attr in self.state.given
        }
        about = {guard.name for guard in write.guards if guard.kind == "about"}
        return write.value == Const(True) and not begun.isdisjoint(about)

    def _is_window(self, attr: str) -> bool:
        """Tell whether a container holds what was measured, and nothing is taken out of it nor is it emptied."""
        methods = [method for _, method in self.methods.about(attr)]
        hows = {how for each in methods for use in each.uses if use.attr == attr for how in use.how}
        emptied = [
            write
            for each in methods
            for write in _runtime_writes(each, attr)
            if isinstance(write.value, Container) and write.value.size == 0
        ]
        return MEASURED.search(attr) is not None and TAKES.isdisjoint(hows) and not emptied

    def _constructed(self, attr: str) -> list[Value]:
        return [
            option for method, value in self._made(attr) for option in options_of(_default_of(value, method))
        ]

    def _made(self, attr: str) -> Iterator[tuple[FunctionFacts, Value]]:
        """Yield what construction sets an attribute to, and the method that does so."""
        made = False
        for method in self._makers:
            for write in method.writes:
                if write.attr == attr and write.how == "assign" and not write.carried:
                    made = True
                    yield method, write.value
        for owner, method in self.methods.all if not made else ():
            yield from ((method, value) for name, value in self._defaults(owner) if name == attr)

    def _defaults(self, owner: str) -> tuple[tuple[str, Value], ...]:
        """Return what a class says of its attributes: the fields of a dataclass begin so."""
        facts = self.hierarchy.symbols.classes.get(owner)
        return facts.attributes if facts is not None else ()

    @cached_property
    def _makers(self) -> list[FunctionFacts]:
        """Return the methods that construct an object, and those that make the objects which are saved of it."""
        makers = {
            method.name
            for attr in self.state.given
            for _, method in self.methods.about(attr)
            for write in _runtime_writes(method, attr)
            if write.how == "assign" and isinstance(write.value, Call)
        }
        return self.methods.run(*CONSTRUCTION, *makers)

    def _is_counted(self, attr: str) -> bool:
        """Tell whether an attribute is only ever counted up, whatever its name says, and asked in some condition."""
        changes = [each for _, method in self.methods.about(attr) for each in _runtime_writes(method, attr)]
        asked = any(
            "test" in use.how
            for _, method in self.methods.about(attr)
            for use in method.uses
            if use.attr == attr
        )
        return asked and bool(changes) and all(each.how == "augment" for each in changes)

    def _is_rated(self, attr: str, made: Value) -> bool:
        """Tell whether arithmetic changes what a caller or a constant gives: `self.lr = max(low, self.lr / 1.5)`."""
        changes = [each for _, method in self.methods.about(attr) for each in _runtime_writes(method, attr)]
        kinds = (Arith, Number) if isinstance(made, Param) else (Arith,)
        return (isinstance(made, Name) or _is_chosen(made)) and any(
            each.carried and (each.how == "augment" or isinstance(each.value, kinds)) for each in changes
        )

    def _has_saved_sibling(self, write: Write, method: FunctionFacts) -> bool:
        """Tell whether a method that is no step sets an attribute as it sets one that is saved: from its arguments."""
        if write.how != "assign" or method.name in STEPS or not _is_given(write.value):
            return False
        if PASSING.search(write.attr) or not all(
            isinstance(each, CHOICES) for each in self._constructed(write.attr)
        ):
            return False
        together = {each.attr for each in method.writes if _is_given(each.value)}
        elsewhere = [
            each
            for _, other in self.methods.about(write.attr)
            if other.name != method.name
            for each in _runtime_writes(other, write.attr)
        ]
        asked = any(
            use.attr == write.attr and use.first and ("test" in use.how or {"none", "plain"} <= set(use.how))
            for _, other in self.methods.about(write.attr)
            if other.name != method.name
            for use in other.uses
        )
        return asked and not elsewhere and not together.isdisjoint(self.state.given)

    def _is_begun_anew(self, attr: str) -> bool:
        """Tell whether a reset, or a method that runs all that changes it, starts an attribute over."""
        carrying = [
            each for _, each in self.methods.about(attr) if _carries(each, attr) and not is_aside(each, attr)
        ]
        if self._is_begun_by_element(attr):
            return True
        for _, method in self.methods.about(attr):
            fresh = [
                each for each in _runtime_writes(method, attr) if each.how == "assign" and not each.carried
            ]
            if method.name in CONSTRUCTION or not fresh:
                continue
            is_restart = RESETS.search(method.name) is not None or restarts(method)
            if is_restart and not self._resets_saved(method):
                return True
            if any(not each.guards for each in fresh) and not _carries(method, attr):
                run = self.methods.run(method.name)
                if all(each in run for each in carrying):
                    return True
        return False

    def _is_begun_by_element(self, attr: str) -> bool:
        """Tell whether an array with an element for each environment begins again element by element.

        self.hidden = new; for i in finished: self.hidden[i] = 0
        """
        changes = [each for _, method in self.methods.about(attr) for each in _runtime_writes(method, attr)]
        is_whole = any(each.carried and each.how in ("assign", "augment") for each in changes)
        is_array = any(isinstance(each, (Tensor, NdArray)) for each in self._constructed(attr))
        return is_whole and is_array and any(map(begins_element, changes))

    def _resets_saved(self, method: FunctionFacts) -> bool:
        """Tell whether a reset also sets what is saved: then it ends no episode, and what it sets lasts as long."""
        return any(each.attr in self.state.given and not each.carried for each in method.writes)


def _default_of(value: Value, method: FunctionFacts) -> Value:
    """Return the default where a value is a parameter that has one, else the value."""
    defaults = {each.name: each.default for each in method.parameters if each.default is not None}
    return defaults.get(value.name, value) if isinstance(value, Param) else value


def _is_chosen(value: Value) -> bool:
    """Tell whether a caller or a setting decides a value: `decay`, `args.decay`, `config.get("decay", 0.9)`."""
    while isinstance(value, (Attr, Item, Call)):
        value = value.callee if isinstance(value, Call) else value.base
    return isinstance(value, (Param, Self))


def _runtime_writes(method: FunctionFacts, attr: str) -> Iterator[Write]:
    """Yield the writes of an attribute in a method that neither makes nor keeps the object."""
    if method.name not in CONSTRUCTION and not keeps(method.name):
        yield from (each for each in method.writes if each.attr == attr)


def _is_count(write: Write) -> bool:
    """Tell whether a write counts an attribute on: `self.n += 1`."""
    steps = write.value.operands if isinstance(write.value, Arith) else ()
    return write.how == "augment" and any(isinstance(each, Const) for each in steps)


def _changed_in(method: FunctionFacts) -> set[str]:
    return {write.attr for write in method.writes}


def _carries(method: FunctionFacts, attr: str) -> bool:
    return any(write.attr == attr and write.carried for write in method.writes)


def _is_given(value: Value) -> bool:
    """Tell whether a caller chooses a value, in some case at least."""
    return any(isinstance(option, Param) for option in options_of(value))
