"""Attributes that the methods of a class carry on and depend on, and that none of its saving mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import SAVERS
from flake8_ckpt.frameworks.torch_methods import UNEVENTFUL
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.value_names import parts_through_locals
from flake8_ckpt.losses.state_dicts.visible_methods import VisibleMethods
from flake8_ckpt.modules.attribute_lifetime import RESETS

# `load_from`, `maybe_resume`, `set_state`: what they set or read is restored.
LOADERS = re.compile(r"(^|_)(load|restore|resume|set_state|setstate)(_|$)")
# Methods that only show a value: `log_stats`, `print_summary`, `__repr__`, `get_info`.
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
MEASURES = (Const, Number, Tensor, NdArray, Container, Record)
GROWTH = frozenset(".append .extend .insert .update .setdefault .add .appendleft .clear".split())
CHANGES = frozenset(["augment", "grow", "item", "inplace", "assign"])


@dataclass(frozen=True)
class Carried:
    """An attribute, the method that changes it, and where."""

    attr: str
    method: str
    location: Spot


class CarriedAttributes:
    """Asks the methods of one class."""

    def __init__(self, class_id: str, hierarchy: Hierarchy) -> None:
        self.methods = VisibleMethods(class_id, hierarchy)

    def unsaved(self) -> Iterator[Carried]:
        """Yield the attributes that methods carry on, that others depend on, and that no saving mentions."""
        kept = self._kept()
        found: dict[str, Carried] = {}
        for owner, method in self.methods.all:
            for write in method.writes if not _is_aside(method.name) else ():
                if write.carried and write.how in CHANGES and write.attr not in kept:
                    location = Spot(owner.partition(":")[0], write.position)
                    found.setdefault(write.attr, Carried(write.attr, method.name, location))
        for attr, each in found.items():
            if self._is_measured(attr) and not self._is_begun_anew(attr) and self._matters(attr):
                yield each

    def _kept(self) -> set[str]:
        """Return the attributes that saving mentions or restoring sets or mentions."""
        names = [method.name for _, method in self.methods.all if _keeps(method.name)]
        methods = self.methods.run("state_dict", "load_state_dict", *names)
        used = {use.attr for method in methods for use in method.uses}
        return used | {write.attr for method in methods for write in method.writes}

    def _is_measured(self, attr: str) -> bool:
        """Tell whether construction sets an attribute to a number, an array or measurements, no flag or object."""
        made = [
            option
            for method in self.methods.run(*CONSTRUCTION)
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
        carrying = [each for _, each in self.methods.all if _carries(each, attr) and not _is_aside(each.name)]
        for _, method in self.methods.all:
            writes = [each for each in method.writes if each.attr == attr]
            fresh = [each for each in writes if each.how == "assign" and not each.carried]
            if method.name in CONSTRUCTION or not fresh:
                continue
            if RESETS.search(method.name):
                return True
            if any(not each.guards for each in fresh) and not _carries(method, attr):
                run = self.methods.run(method.name)
                if all(each in run for each in carrying):
                    return True
        return False

    def _matters(self, attr: str) -> bool:
        """Tell whether some method reads an attribute for something else than to change or to show it."""
        for _, method in self.methods.all:
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
