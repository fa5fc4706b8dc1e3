"""Policies that are saved without the statistics of the environment that they were trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.losses.environments.kept import STATISTICS_NAME
from flake8_ckpt.losses.environments.kept import KeptStatistics
from flake8_ckpt.losses.environments.made import NormalizedEnvironment
from flake8_ckpt.losses.environments.made import NormalizedEnvironments
from flake8_ckpt.losses.environments.reach import EnvironmentReach
from flake8_ckpt.losses.vecnormalize.wrappers import Environments


@dataclass(frozen=True)
class UnsavedEnvironment:
    """A save without the statistics of an environment that the program makes, and where else it saves so."""

    location: Spot
    environment: NormalizedEnvironment
    others: tuple[Spot, ...]


@dataclass(frozen=True)
class PolicySave:
    """A save of a policy alone: where it stands, and the function that brings it about."""

    location: Spot
    unit: FunctionRef


class UnsavedEnvironments:
    """Asks the programs that make such an environment."""

    def __init__(self, contract: Contract, environments: Environments) -> None:
        self.contract = contract
        self.algorithms = environments
        self.environments = NormalizedEnvironments(environments.allocations, contract.kinds.wrappers)
        self.kept = KeptStatistics(environments.allocations, contract.kinds.wrappers)
        self.reach = EnvironmentReach(environments.allocations)
        self._lost_in: dict[str, list[NormalizedEnvironment]] = {}

    def all(self) -> Iterator[UnsavedEnvironment]:
        """Yield the first save of each program that leaves the statistics of an environment out."""
        found: dict[tuple[str, Spot], tuple[NormalizedEnvironment, list[Spot]]] = {}
        for save in self._policy_saves() if self.environments.all else ():
            made = self._lost_by(save)
            if made is not None:
                key = (save.unit.path, made.location)
                found.setdefault(key, (made, []))[1].append(save.location)
        reported: set[Spot] = set()
        for made, locations in found.values():
            first, *others = sorted(dict.fromkeys(locations), key=lambda each: (each.path, each.position))
            if first not in reported:
                reported.add(first)
                yield UnsavedEnvironment(first, made, tuple(others))

    def _policy_saves(self) -> Iterator[PolicySave]:
        for save in self.contract.groups.final[0]:
            if _holds_policy_alone(save):
                yield PolicySave(self.contract.own_save(save), save.unit)
        for unit in self.algorithms.units:
            for site in unit.function.calls:
                place = Place(unit, site.position)
                if called_name(site.call) == "save" and self.algorithms.saved_models(site.call, place):
                    yield PolicySave(place.location, unit)

    def _lost_by(self, save: PolicySave) -> NormalizedEnvironment | None:
        """Return an environment of a program whose statistics its save leaves out, if a load needs them."""
        files = self.reach.program_of(save.unit.path)
        lost = (each for each in self._left_out(save.unit.path) if self._is_needed(each, save, files))
        return next(lost, None)

    def _left_out(self, path: str) -> list[NormalizedEnvironment]:
        """Return the environments of a file's programs whose statistics nothing keeps; its own alone if it has some."""
        if path not in self._lost_in:
            files = self.reach.program_of(path)
            made = [each for each in self.environments.all if self.reach.is_made(each, path, files)]
            near = [each for each in made if self.reach.is_near(each, path)]
            self._lost_in[path] = [each for each in near or made if not self.kept.are_kept(each, files)]
        return self._lost_in[path]

    def _is_needed(self, made: NormalizedEnvironment, save: PolicySave, files: frozenset[str]) -> bool:
        """Tell whether a program that loads a policy runs it on such an environment, or trains on."""
        loading = [
            each
            for each in self._loading
            if each.path in files or made.unit.path in self.reach.program_of(each.path)
        ]
        if made.is_for_training:
            return any(_resumes(each, save.unit) for each in loading)
        return bool(loading)

    @cached_property
    def _loading(self) -> tuple[FunctionRef, ...]:
        """Return the functions that load a file into a model, or load a model of Stable-Baselines3."""
        loads: list[LoadEffect] = self.contract.groups.final[1]
        found = [each.unit for each in loads if _fills_model(each.unit) or _fills_model(each.source)]
        found += [
            unit
            for unit in self.algorithms.units
            for site in unit.function.calls
            if self.algorithms.roles.of_model(site.call, Place(unit, site.position)) == "loaded"
        ]
        return tuple({each.identity: each for each in found}.values())


def _fills_model(unit: FunctionRef) -> bool:
    return any(called_name(site.call) == "load_state_dict" for site in unit.function.calls)


def _resumes(loading: FunctionRef, saving: FunctionRef) -> bool:
    """Tell whether the function, or another method of the object, that loads also saves: then it trains."""
    if loading.identity == saving.identity:
        return True
    return bool(loading.class_id) and loading.class_id == saving.class_id


def _holds_policy_alone(save: SaveEffect) -> bool:
    """Tell whether all keys of a payload are known, the state of an object is among them, and no statistics."""
    payload: Value = save.payload
    if is_state(payload):
        return True
    found = contents(payload)
    if found.open or not any(True for _ in states_in(payload)):
        return False
    return not any(map(STATISTICS_NAME.search, found.slots))
