"""Which environment a model is run on: the one it was loaded for, or the one it is evaluated on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.value_names import is_same_object
from flake8_ckpt.linking.value_names import object_text
from flake8_ckpt.losses.vecnormalize.roles import argument
from flake8_ckpt.losses.vecnormalize.wrappers import Environments
from flake8_ckpt.losses.vecnormalize.wrapping import Model
from flake8_ckpt.losses.vecnormalize.wrapping import Wrapping

EVALUATES = re.compile(r"^evaluate_policy$")
# A callback that is given an environment of evaluation keeps it in step with that of training.
CALLBACK = re.compile(r"callback", re.I)
# `eval_env`, `test_envs`, `env_val`: such an environment is not trained on.
EVALUATION_NAME = re.compile(r"(^|_)(eval|evaluation|test|valid|val)", re.I)
STEPS = frozenset(["step", "reset"])


@dataclass(frozen=True, eq=False)
class Run:
    """A model and an environment that it is run on; `bound` where the environment is that of its training."""

    models: tuple[Model, ...]
    env: Value
    place: Place
    bound: bool

    @property
    def is_loaded(self) -> bool:
        """Tell whether the model comes from a file."""
        return all(each.loaded for each in self.models)


class Runs:
    """Finds the runs of a function."""

    def __init__(self, environments: Environments) -> None:
        self.environments = environments

    def runs(self, unit: FunctionRef) -> Iterator[Run]:
        """Yield the runs that a function brings about, in the order of the text."""
        for site in unit.function.calls:
            place = Place(unit, site.position)
            yield from self._binding(site.call, place)
            yield from self._evaluation(site.call, place)
        yield from self._stepping(unit)

    def _binding(self, call: Call, place: Place) -> Iterator[Run]:
        """Yield the run that a load, or a `set_env`, prepares."""
        if self.environments.roles.of_model(call, place) == "loaded":
            env = argument(call, 1, "env")
            if env is not None:
                yield Run((Model(call, place, True),), env, place, True)
        elif isinstance(call.callee, Attr) and call.callee.name == "set_env":
            env = argument(call, 0, "env")
            models = tuple(self.environments.models(call.callee.base, place))
            if env is not None and models:
                yield Run(models, env, place, True)

    def _evaluation(self, call: Call, place: Place) -> Iterator[Run]:
        model = argument(call, 0, "model")
        env = argument(call, 1, "env")
        if EVALUATES.search(called_name(call)) and model is not None and env is not None:
            models = tuple(self.environments.models(model, place))
            if models:
                yield Run(models, env, place, False)

    def _stepping(self, unit: FunctionRef) -> Iterator[Run]:
        """Yield the runs of a loop that asks a model what to do and steps an environment."""
        asked = [(base, place) for base, place, name in methods(unit) if name == "predict"]
        for model, place in asked[:1]:
            models = tuple(self.environments.models(model, place))
            for env, at in self.stepped(unit) if models else ():
                yield Run(models, env, at, False)

    def stepped(self, unit: FunctionRef) -> list[tuple[Value, Place]]:
        """Return the environments that a function steps, each once."""
        found: dict[str, tuple[Value, Place]] = {}
        for base, place, name in methods(unit):
            if name in STEPS and object_text(base):
                found.setdefault(object_text(base), (base, place))
        return list(found.values())

    def is_synchronized(self, env: Value, unit: FunctionRef) -> bool:
        """Tell whether a callback keeps the statistics of an environment in step with those of training."""
        for site in unit.function.calls:
            if CALLBACK.search(called_name(site.call)) or called_name(site.call) == "learn":
                given = arguments_of(site.call)
                if any(is_same_object(each, env) for each in given):
                    return True
        return False

    def trains_before(self, wrapping: Wrapping, place: Place) -> bool:
        """Tell whether a model that was made here has been trained on an environment before a statement."""
        known = {each.allocation.identity for each in wrapping.wrappers}
        for base, at, name in methods(place.callee):
            if name == "learn" and at.position < place.position:
                if any(not model.loaded for model in self.environments.models(base, at)):
                    if known & {
                        each.allocation.identity for each in self.environments.runs_on(base, at).wrappers
                    }:
                        return True
        return False

    def learns(self, unit: FunctionRef) -> bool:
        """Tell whether a function, or another method of its object, trains a model."""
        return any(True for _ in self.environments.learning(unit))


def methods(unit: FunctionRef) -> Iterator[tuple[Value, Place, str]]:
    """Yield the objects whose methods a function calls."""
    for site in unit.function.calls:
        if isinstance(site.call.callee, Attr):
            yield site.call.callee.base, Place(unit, site.position), site.call.callee.name
