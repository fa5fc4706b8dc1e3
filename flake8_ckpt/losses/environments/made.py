"""The environments with statistics that a project makes: each call of such a class, or the class handed to a maker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.checkpoints.environment_wrappers import EnvironmentWrappers
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name

# Statistics of rewards: only training looks at them.
REWARDS = re.compile(r"rew|ret(urn)?s?(_|$)|disc", re.I)
# `Whitened(env, training=False)`, `update_obs_rms=False`: the statistics of such an environment come from another.
SWITCHES = re.compile(r"^(is_)?(train(ing)?|learn\w*|update\w*)$|norm|rms|whiten|standardi", re.I)
NO = Const(False)
# Calls that are given a class to ask for it.
ASKING = frozenset(
    ["isinstance", "issubclass", "is_wrapped", "env_is_wrapped", "is_vecenv_wrapped", "has_wrapper"]
)


@dataclass(frozen=True)
class NormalizedEnvironment:
    """A call that makes an environment with statistics: its class, the attributes that hold them, who makes it."""

    class_id: str
    statistics: frozenset[str]
    location: Spot
    unit: FunctionRef

    @property
    def name(self) -> str:
        """Return the name of the class."""
        return self.class_id.rpartition(":")[2].rpartition(".")[2]

    @property
    def first(self) -> str:
        """Return the attribute with the statistics, the mean where several are numbers."""
        return next((each for each in sorted(self.statistics) if "mean" in each), min(self.statistics))

    @property
    def is_for_training(self) -> bool:
        """Tell whether a program that only uses the policy does without the statistics."""
        return all(map(REWARDS.search, self.statistics))


class NormalizedEnvironments:
    """Finds the calls that make environments with statistics."""

    def __init__(self, allocations: AllocationSites, wrappers: EnvironmentWrappers) -> None:
        self.allocations = allocations
        self.symbols = allocations.symbols
        self.wrappers = wrappers

    @cached_property
    def all(self) -> tuple[NormalizedEnvironment, ...]:
        """Return them, those that normalize observations first."""
        found = [
            made
            for unit in self.allocations.units
            for site in unit.function.calls
            for made in self._made_by(site.call, Place(unit, site.position))
        ]
        return tuple(sorted(found, key=lambda each: each.is_for_training))

    def _made_by(self, call: Call, place: Place) -> Iterator[NormalizedEnvironment]:
        unit = place.callee
        for value in (call.callee, *_names_given(call)):
            class_id = self.symbols.resolve(value.path, unit.path) if isinstance(value, Name) else ""
            statistics = self._statistics(class_id, call) if class_id else frozenset()
            if statistics and unit.class_id != class_id:
                if value is not call.callee or not self._is_switched_off(call, place):
                    yield NormalizedEnvironment(class_id, statistics, place.location, unit)

    def _statistics(self, class_id: str, call: Call) -> frozenset[str]:
        """Return the attributes with the statistics of a class; none where the call does not ask for them."""
        record = self.wrappers.record(class_id)
        if record is None or not record.flag:
            return self.wrappers.statistics(class_id)
        is_asked = dict(call.keywords).get(record.flag, NO) != NO
        return frozenset(record.statistics) if is_asked else frozenset()

    def _is_switched_off(self, call: Call, place: Place) -> bool:
        """Tell whether a call says no to normalizing, or to updating, or the class does unless it is asked."""
        entered = self.allocations.entered(call, place)
        given = self.allocations.arguments(call, entered) if entered is not None else {}
        given = {**self._defaults(entered), **given, **dict(call.keywords)}
        return any(value == NO and SWITCHES.search(name) for name, value in given.items())

    def _defaults(self, constructor: FunctionRef | None) -> dict[str, Value]:
        """Return the defaults of a constructor and of those of its bases, to which it may hand its arguments on."""
        if constructor is None:
            return {}
        return {
            each.name: each.default
            for _, method in self.allocations.hierarchy.methods_among(
                self.allocations.hierarchy.ancestors(constructor.class_id)
            )
            if method.name == "__init__"
            for each in method.parameters
            if each.default is not None
        }


def _names_given(call: Call) -> Iterator[Value]:
    """Yield the names that a call is given, alone or in a list: `make_vec_env(name, wrapper_class=Whitened)`."""
    if called_name(call) in ASKING:
        return
    for value in arguments_of(call):
        yield value
        yield from value.items if isinstance(value, Container) else ()
