"""Helpers that save a model, and a normalizer if they are given one: the calls that give the model alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.stable_baselines3 import SAVES
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.losses.vecnormalize.statistics import NORM
from flake8_ckpt.losses.vecnormalize.statistics import SAVED
from flake8_ckpt.losses.vecnormalize.statistics import Statistics
from flake8_ckpt.losses.vecnormalize.wrappers import Environments
from flake8_ckpt.losses.vecnormalize.wrappers import is_env_name


@dataclass(frozen=True)
class OmittedStatistics:
    """A call that leaves the normalizer of a model out of an optional argument of a helper."""

    location: Spot
    helper: str
    argument: str
    wrapper: Spot


class OmittedArguments:
    """Asks the helpers that save two of their parameters."""

    def __init__(self, environments: Environments) -> None:
        self.environments = environments
        self.allocations = environments.allocations
        self.statistics = Statistics(environments)

    def all(self) -> Iterator[OmittedStatistics]:
        """Yield the calls without the normalizer, helper by helper."""
        for unit in self.environments.units:
            sites = self.allocations.callers.get(unit.identity, ())
            saved = _saved_parameters(unit.function) if sites else set()
            optional = [each for each in _optional(unit.function) if each in saved]
            for model in sorted(saved - set(optional)) if optional else ():
                for argument in optional:
                    yield from self._left_out(unit, model, argument)

    def _left_out(self, helper: FunctionRef, model: str, argument: str) -> Iterator[OmittedStatistics]:
        """Yield the calls of a helper that give a model on a wrapper, and not the wrapper."""
        calls = [
            (caller, site, self.allocations.arguments(site.call, helper))
            for caller, site in self.allocations.callers[helper.identity]
        ]
        if not self._is_for_wrappers(argument, calls):
            return
        for caller, site, given in calls:
            place = Place(caller, site.position)
            found = self.environments.runs_on(given[model], place).wrappers if model in given else ()
            if found and given.get(argument) == NONE and not self._saves_itself(caller):
                location = Spot(caller.path, site.position)
                yield OmittedStatistics(location, called_name(site.call), argument, found[0].location)

    def _is_for_wrappers(
        self, argument: str, calls: list[tuple[FunctionRef, Site, dict[str, Value]]]
    ) -> bool:
        """Tell whether an argument is where normalizers go: some call gives one, or the name says so."""
        if NORM.search(argument) or is_env_name(argument):
            return True
        return any(
            self.environments.wrapped(given[argument], Place(caller, site.position)).wrappers
            for caller, site, given in calls
            if given.get(argument, NONE) != NONE
        )

    def _saves_itself(self, caller: FunctionRef) -> bool:
        return SAVED in self.statistics.done_in([caller.path])


def _optional(function: FunctionFacts) -> list[str]:
    return [each.name for each in function.parameters if each.default == NONE]


def _saved_parameters(function: FunctionFacts) -> set[str]:
    """Return the parameters that a function itself saves: `model.save(path)`, `pickle.dump(env, file)`."""
    return {
        value.name
        for site in function.calls
        if SAVES.search(called_name(site.call))
        for value in (_receiver(site.call), *arguments_of(site.call)[:1])
        if isinstance(value, Param)
    }


def _receiver(call: Call) -> Value:
    return call.callee.base if isinstance(call.callee, Attr) else call.callee
