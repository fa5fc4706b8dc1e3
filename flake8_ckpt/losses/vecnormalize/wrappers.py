"""Models on normalized environments: which `VecNormalize` a model runs on, and who keeps its statistics.

The wrapper is followed from where it is made, through other wrappers, helper functions and attributes, to the
model that is made on it, `PPO("MlpPolicy", env)`, or loaded for it, `PPO.load(path, env=env)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cached_property

from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.stable_baselines3 import ENV_NAME
from flake8_ckpt.frameworks.stable_baselines3 import ENV_NAMES
from flake8_ckpt.frameworks.stable_baselines3 import MODEL_ENV
from flake8_ckpt.frameworks.stable_baselines3 import UNWRAPS
from flake8_ckpt.linking.allocation_sites import AllocationSite
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_names import is_same_object
from flake8_ckpt.linking.value_names import object_text
from flake8_ckpt.losses.vecnormalize.roles import Roles
from flake8_ckpt.losses.vecnormalize.roles import argument
from flake8_ckpt.losses.vecnormalize.wrapping import Model
from flake8_ckpt.losses.vecnormalize.wrapping import Wrapper
from flake8_ckpt.losses.vecnormalize.wrapping import Wrapping

# Wrappers around wrappers, and models on environments of models.
MAX_DEPTH = 12
# Where `VecNormalize` takes `norm_obs` by position.
NORM_OBS = 2


def is_env_name(text: str) -> bool:
    """Tell whether a name is that of an environment."""
    return ENV_NAME.search(text.rpartition(".")[2]) is not None


class Environments:
    """Tells wrappers and models."""

    def __init__(self, groups: CheckpointGroups) -> None:
        self.groups = groups
        self.symbols = groups.symbols
        self.hierarchy = groups.hierarchy
        self.evaluator = groups.evaluator
        self.roles = Roles(groups.evaluator)
        self.allocations = AllocationSites(groups.evaluator)

    @property
    def units(self) -> tuple[FunctionRef, ...]:
        """Return the functions that are followed."""
        return self.allocations.units

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

    def wrapped(self, value: Value, place: Place, depth: int = 0) -> Wrapping:
        """Return the wrappers that an environment may have."""
        found = Wrapping()
        for made in self.allocations.of(value, place):
            found += self._wrapped(made, depth)
        return found

    def _wrapped(self, made: AllocationSite, depth: int) -> Wrapping:
        value, place = made.value, made.place
        if depth > MAX_DEPTH or not isinstance(value, Call):
            return self._taken(value, place, depth)
        role = self.roles.of_wrapper(value, place)
        if role:
            return Wrapping((Wrapper(value, made, role == "restored"),))
        if isinstance(value.callee, Attr):
            return self._given(value.callee, place, depth)
        target = self.roles.target(value, place)
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
        inner = argument(call, 0, *ENV_NAMES)
        found = Wrapping() if inner is None else self.wrapped(inner, place, depth + 1)
        return found if found.wrappers or inner is None or is_env_name(object_text(inner)) else Wrapping()

    def models(self, value: Value, place: Place) -> list[Model]:
        """Return the calls that may have made or loaded a model."""
        found = []
        for made in self.allocations.of(value, place):
            role = self.roles.of_model(made.value, made.place) if isinstance(made.value, Call) else ""
            if role and isinstance(made.value, Call):
                found.append(Model(made.value, made.place, role == "loaded"))
        return found

    def saved_models(self, call: Call, place: Place) -> list[Model]:
        """Return the calls that may have made a model which a call of its `save` saves."""
        return self.models(call.callee.base, place) if isinstance(call.callee, Attr) else []

    def model_wrapping(self, models: list[Model], depth: int = 0) -> Wrapping:
        """Return the wrappers of the environment that models were made on or loaded for."""
        found = Wrapping()
        for model in models:
            env = argument(model.call, 1, "env")
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
                env = argument(site.call, 0, "env")
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

    def observes(self, wrapper: Wrapper) -> bool:
        """Tell whether a wrapper normalizes observations, not only rewards."""
        given = argument(wrapper.call, NORM_OBS, "norm_obs", "ob")
        return (
            given is None or wrapper.restored or self.settled(given, wrapper.allocation.place) != Const(False)
        )

    def settled(self, value: Value, place: Place) -> Value:
        """Return the literal that an argument is in the end, or Unknown."""
        found = {repr(made.value): made.value for made in self.allocations.of(value, place)}
        return next(iter(found.values())) if len(found) == 1 else UNKNOWN
