"""Models on normalized environments: which `VecNormalize` a model runs on, and who keeps its statistics.

The wrapper is followed from where it is made, through other wrappers, helper functions and attributes, to the
model that is made on it, `PPO("MlpPolicy", env)`, or loaded for it, `PPO.load(path, env=env)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Optional
from typing import Union

from flake8_ckpt.checkpoints.pairing import CheckpointGroups
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.stable_baselines3 import ALGORITHM
from flake8_ckpt.frameworks.stable_baselines3 import ALGORITHM_TABLE
from flake8_ckpt.frameworks.stable_baselines3 import ENV_NAME
from flake8_ckpt.frameworks.stable_baselines3 import ENV_NAMES
from flake8_ckpt.frameworks.stable_baselines3 import MODEL_ENV
from flake8_ckpt.frameworks.stable_baselines3 import UNWRAPS
from flake8_ckpt.frameworks.stable_baselines3 import WRAPPER
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.allocation_sites import AllocationSite
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_names import is_same_object
from flake8_ckpt.linking.value_names import object_text

MAX_DEPTH = 12
NORM_OBS = 2


def is_env_name(text: str) -> bool:
    """Tell whether a name is that of an environment."""
    return ENV_NAME.search(text.rpartition(".")[2]) is not None


@dataclass(frozen=True, eq=False)
class Wrapper:
    """A `VecNormalize`: the call that made it; `restored` where it came with statistics from a file."""

    call: Call
    making: AllocationSite
    restored: bool

    @property
    def location(self) -> Spot:
        """Return where it is made."""
        return self.making.place.location


@dataclass(frozen=True)
class Wrapping:
    """The wrappers an environment may have; `known` is false where it may be something else too."""

    wrappers: tuple[Wrapper, ...] = ()
    known: bool = True

    @property
    def is_fresh(self) -> bool:
        """Tell whether the statistics begin anew, whichever branch made the environment."""
        return self.known and bool(self.wrappers) and not any(each.restored for each in self.wrappers)

    def __add__(self, other: Wrapping) -> Wrapping:
        return Wrapping((*self.wrappers, *other.wrappers), self.known and other.known)


@dataclass(frozen=True, eq=False)
class Model:
    """A call that made a model, or loaded one."""

    call: Call
    place: Place
    loaded: bool


class Environments:
    """Tells wrappers and models."""

    def __init__(self, families: CheckpointGroups) -> None:
        self.families = families
        self.symbols = families.symbols
        self.hierarchy = families.hierarchy
        self.evaluator = families.evaluator
        self.makings = AllocationSites(families.evaluator)

    @property
    def units(self) -> tuple[FunctionRef, ...]:
        """Return the functions that are followed."""
        return self.makings.units

    @cached_property
    def has_obs_rms(self) -> bool:
        """Tell whether the wrappers are those of Stable-Baselines3, and none has an `ob_rms` of its own."""
        found = {
            self.symbols.resolve(name, path)
            for path, names in self.symbols.imports.items()
            for name in names.values()
            if name.endswith(".VecNormalize")
        }
        homes = {each.partition(".")[0] for each in found if ":" not in each}
        return homes == {"stable_baselines3"} and not any(
            write.attr == "ob_rms" and write.how == "assign"
            for facts in self.symbols.classes.values()
            for method in facts.methods
            for write in method.writes
        )

    @cached_property
    def is_present(self) -> bool:
        """Tell whether some function or class seems to make, restore or extend such a wrapper."""
        bases = (base for facts in self.symbols.classes.values() for base in facts.bases)
        return any(base.endswith("VecNormalize") for base in bases) or any(
            isinstance(site.call.callee, Name)
            and site.call.callee.path.endswith(("VecNormalize", "VecNormalize.load"))
            for unit in self.units
            for site in unit.function.calls
        )

    @cached_property
    def _methods(self) -> Mapping[str, list[FunctionRef]]:
        found: dict[str, list[FunctionRef]] = defaultdict(list)
        for unit in self.units:
            found[unit.class_id].append(unit)
        return found

    def target(self, call: Call, place: Place) -> str:
        """Return what a call names, as an identity or an absolute name; "" for a method of an object."""
        return (
            self.symbols.resolve(call.callee.path, place.callee.path) if isinstance(call.callee, Name) else ""
        )

    def wrapper_role(self, call: Call, place: Place) -> str:
        """Return "fresh" or "restored" for a call that gives a `VecNormalize`."""
        target = self.target(call, place)
        if target:
            head, _, tail = target.rpartition(".")
            if self.is_wrapper(target):
                return "fresh"
            return "restored" if tail == "load" and self.is_wrapper(head) else ""
        if isinstance(call.callee, Attr) and call.callee.name == "load":
            return (
                "restored" if self.is_wrapper(self.evaluator.class_of(call.callee.base, place.scope)) else ""
            )
        return ""

    def is_wrapper(self, class_id: str) -> bool:
        """Tell whether a class is `VecNormalize` or derives from it."""
        return any(map(WRAPPER.search, self.hierarchy.ancestors(class_id)))

    def is_algorithm(self, class_id: str) -> bool:
        """Tell whether a class is an algorithm of Stable-Baselines3."""
        return any(map(ALGORITHM.search, self.hierarchy.ancestors(class_id)))

    def wrapped(self, value: Value, place: Place, depth: int = 0) -> Wrapping:
        """Return the wrappers that an environment may have."""
        found = Wrapping()
        for made in self.makings.of(value, place):
            found += self._wrapped(made, depth)
        return found

    def _wrapped(self, made: AllocationSite, depth: int) -> Wrapping:
        value, place = made.value, made.place
        if depth > MAX_DEPTH or not isinstance(value, Call):
            return self._taken(value, place, depth)
        role = self.wrapper_role(value, place)
        if role:
            return Wrapping((Wrapper(value, made, role == "restored"),))
        if isinstance(value.callee, Attr):
            return self._given(value.callee, place, depth)
        target = self.target(value, place)
        if target in self.symbols.known.payload_loads:
            return Wrapping(known=False)
        if UNWRAPS.search(target) or target.rpartition(".")[2].rpartition(":")[2][:1].isupper():
            return self._inner(value, place, depth)
        return Wrapping(known=":" not in target)

    def _taken(self, value: Value, place: Place, depth: int) -> Wrapping:
        """Return the wrappers of what is no call: the `env` of a model, or of a wrapper."""
        if isinstance(value, Attr) and depth <= MAX_DEPTH:
            return self._given(value, place, depth)
        return Wrapping(known=isinstance(value, (Const, Container, Number)))

    def _given(self, value: Attr, place: Place, depth: int) -> Wrapping:
        models = self.models(value.base, place)
        if models and (value.name in MODEL_ENV or value.name in ENV_NAMES):
            return self.model_wrapping(models, depth + 1)
        if value.name in ENV_NAMES and not isinstance(value.base, Param):
            return self.wrapped(value.base, place, depth + 1)
        return Wrapping(known=False)

    def _inner(self, call: Call, place: Place, depth: int) -> Wrapping:
        """Return the wrappers of what another wrapper is put around."""
        inner = self.argument(call, 0, *ENV_NAMES)
        found = Wrapping() if inner is None else self.wrapped(inner, place, depth + 1)
        return found if found.wrappers or inner is None or is_env_name(object_text(inner)) else Wrapping()

    @staticmethod
    def argument(call: Call, index: int, *names: str) -> Optional[Value]:
        """Return an argument by position or name."""
        if index < len(call.args):
            return call.args[index]
        return next((value for name, value in call.keywords if name in names), None)

    def models(self, value: Value, place: Place) -> list[Model]:
        """Return the calls that may have made or loaded a model."""
        found = []
        for made in self.makings.of(value, place):
            role = self.model_role(made.value, made.place) if isinstance(made.value, Call) else ""
            if role and isinstance(made.value, Call):
                found.append(Model(made.value, made.place, role == "loaded"))
        return found

    def model_role(self, call: Call, place: Place) -> str:
        """Return "made" or "loaded" for a call that gives a model."""
        target = self.target(call, place)
        if target:
            head, _, tail = target.rpartition(".")
            if self.is_algorithm(target):
                return "made"
            return "loaded" if tail == "load" and self.is_algorithm(head) else ""
        if isinstance(call.callee, Attr):
            return (
                "loaded" if call.callee.name == "load" and self._loads_model(call.callee.base, place) else ""
            )
        return "made" if self._is_algorithm_value(call.callee, place) else ""

    def _loads_model(self, base: Value, place: Place) -> bool:
        return self._is_algorithm_value(base, place) or self.is_algorithm(
            self.evaluator.class_of(base, place.scope)
        )

    def _is_algorithm_value(self, value: Value, place: Place) -> bool:
        """Tell whether a value is a class of algorithms: one of several, or one from a table of them."""
        if isinstance(value, Join):
            return all(self._is_algorithm_value(option, place) for option in value.options)
        if isinstance(value, Local):
            return self._is_algorithm_value(value.value, place)
        if isinstance(value, Item):
            return isinstance(value.base, Name) and ALGORITHM_TABLE.search(value.base.path) is not None
        return isinstance(value, Name) and self.is_algorithm(
            self.symbols.resolve(value.path, place.callee.path)
        )

    def model_wrapping(self, models: list[Model], depth: int = 0) -> Wrapping:
        """Return the wrappers of the environment that models were made on or loaded for."""
        found = Wrapping()
        for model in models:
            env = self.argument(model.call, 1, "env")
            if env is not None:
                found += self.wrapped(env, model.place, depth + 1)
        return found

    def runs_on(self, model: Value, place: Place) -> Wrapping:
        """Return the wrappers that normalize the observations of a model, also those it is given later."""
        models = self.models(model, place)
        if not models:
            return Wrapping(known=False)
        found = self.model_wrapping(models)
        for env, at in self.set_environments(model, place.callee):
            found += self.wrapped(env, at)
        return Wrapping(tuple(filter(self.observes, found.wrappers)), found.known)

    def set_environments(self, model: Value, unit: FunctionRef) -> Iterator[tuple[Value, Place]]:
        """Yield the environments that a function sets on a model."""
        for site in unit.function.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and callee.name == "set_env" and is_same_object(callee.base, model):
                env = self.argument(site.call, 0, "env")
                if env is not None:
                    yield env, Place(unit, site.position)

    def learning(self, unit: FunctionRef) -> Iterator[tuple[Value, Place]]:
        """Yield the models that a function, or another method of its object, trains."""
        for each in self._methods[unit.class_id] if unit.class_id else (unit,):
            for site in each.function.calls:
                if isinstance(site.call.callee, Attr) and site.call.callee.name == "learn":
                    yield site.call.callee.base, Place(each, site.position)

    def stepped(self, unit: FunctionRef) -> Iterator[Wrapper]:
        """Yield the wrappers of the environments that a function itself runs."""
        for site in unit.function.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and callee.name in ("step", "reset"):
                yield from filter(
                    self.observes, self.wrapped(callee.base, Place(unit, site.position)).wrappers
                )

    def holds_modules_only(self, payload: Value, place: Place) -> bool:
        """Tell whether all of a payload is known: modules of the project, their state and plain values."""
        parts = list(self._leaves(payload, place))
        return all(parts) and "module" in parts

    def _leaves(self, value: Value, place: Place) -> Iterator[str]:
        """Yield "module", "plain", or "" for what is not known, for each part of a payload."""
        if isinstance(value, Local):
            yield from self._leaves(value.value, place)
        elif isinstance(value, (Join, Container, Record)):
            for part in _members(value):
                yield from self._leaves(part, place)
        elif isinstance(value, Call) and isinstance(value.callee, Attr):
            if value.callee.name == "state_dict":
                yield "module"
            elif value.callee.name in MODULE_METHODS:
                yield from self._leaves(value.callee.base, place)
            else:
                yield ""
        elif isinstance(value, (Call, Module)):
            yield "module" if self.hierarchy.is_module(self.evaluator.class_of(value, place.scope)) else ""
        else:
            yield "plain" if isinstance(value, (Const, Number, Name, Arith, Tensor)) else ""

    def observes(self, wrapper: Wrapper) -> bool:
        """Tell whether a wrapper normalizes observations, not only rewards."""
        given = self.argument(wrapper.call, NORM_OBS, "norm_obs", "ob")
        return given is None or wrapper.restored or self.settled(given, wrapper.making.place) != Const(False)

    def settled(self, value: Value, place: Place) -> Value:
        """Return the literal that an argument is in the end, or Unknown."""
        found = {repr(made.value): made.value for made in self.makings.of(value, place)}
        return next(iter(found.values())) if len(found) == 1 else UNKNOWN


def _members(value: Union[Join, Container, Record]) -> tuple[Value, ...]:
    if isinstance(value, Join):
        return value.options
    if isinstance(value, Container):
        return value.items or (value.of,)
    return (*(each.value for each in value.fields), *((UNKNOWN,) if value.open else ()))
