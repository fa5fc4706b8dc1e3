"""Wrappers with the wrong statistics: fresh, restored too late, or still training in an evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.programs import Programs
from flake8_ckpt.linking.value_names import is_same_object
from flake8_ckpt.linking.value_names import object_text
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.vecnormalize.evaluations import is_frozen
from flake8_ckpt.losses.vecnormalize.evaluations import updating_evaluations
from flake8_ckpt.losses.vecnormalize.runs import EVALUATION_NAME
from flake8_ckpt.losses.vecnormalize.runs import Run
from flake8_ckpt.losses.vecnormalize.runs import Runs
from flake8_ckpt.losses.vecnormalize.runs import methods
from flake8_ckpt.losses.vecnormalize.statistics import ASSIGNED
from flake8_ckpt.losses.vecnormalize.statistics import FROZEN
from flake8_ckpt.losses.vecnormalize.statistics import Statistics
from flake8_ckpt.losses.vecnormalize.wrappers import Environments
from flake8_ckpt.losses.vecnormalize.wrapping import Wrapper


@dataclass(frozen=True)
class Fault:
    """A wrapper with the wrong statistics, and the model that is run on it."""

    kind: Literal["fresh", "apart", "late", "training"]
    location: Spot
    model: Spot


class Restores:
    """Finds wrappers with the wrong statistics."""

    def __init__(self, environments: Environments) -> None:
        self.environments = environments
        self.running = Runs(environments)
        self.programs = Programs(environments.allocations)
        self.statistics = Statistics(environments)

    def faults(self) -> Iterator[Fault]:
        """Yield all, function by function."""
        for unit in self.environments.units:
            runs = list(self.running.runs(unit))
            late = list(self._late(unit, runs))
            yield from late[:1]
            yield from self._beside_training(unit)
            yield from self._in_callbacks(unit)
            for run in runs:
                if not (late and run.bound):
                    yield from self._in_run(run, runs)

    def _in_run(self, run: Run, runs: list[Run]) -> Iterator[Fault]:
        done = self.statistics.done_in(self.programs.around(run.place.callee.path))
        found = self.environments.wrapped(run.env, run.place)
        wrappers = [each for each in found.wrappers if self.environments.observes(each)]
        model = run.models[0].place.location
        if found.is_fresh and wrappers:
            if ASSIGNED in done or self.running.is_synchronized(run.env, run.place.callee):
                return
            if run.is_loaded and not self.running.trains_before(found, run.place):
                if not self._is_replaced(run, runs):
                    yield Fault("fresh", self.spot_of(wrappers[0]), model)
            elif not run.is_loaded and not run.bound and self._is_another(run, wrappers):
                yield Fault("apart", self.spot_of(wrappers[0]), model)
        elif wrappers and run.is_loaded and not run.bound and all(each.restored for each in wrappers):
            if FROZEN not in done and not self.running.learns(run.place.callee):
                yield Fault("training", wrappers[0].location, model)

    def _in_callbacks(self, unit: FunctionRef) -> Iterator[Fault]:
        for wrapper, callback in updating_evaluations(unit, self.environments):
            if not is_frozen(wrapper, self.programs.around(unit.path), self.environments):
                yield Fault("training", self.spot_of(wrapper), callback.location)

    def _is_replaced(self, run: Run, runs: list[Run]) -> bool:
        """Tell whether a function runs the model on restored statistics after all."""
        if run.bound and any(each is not run and not self._is_bare(each) for each in runs):
            return True
        return any(
            is_same_object(store.target, run.env)
            and self._is_restored(store.target, run.place.at(store.position))
            for store in run.place.callee.function.stores
        )

    def _is_restored(self, env: Value, place: Place) -> bool:
        return any(each.restored for each in self.environments.wrapped(env, place).wrappers)

    def _is_another(self, run: Run, wrappers: list[Wrapper]) -> bool:
        """Tell whether an evaluation has a wrapper, and the training of the model has another one."""
        trained = self.environments.model_wrapping(list(run.models)).wrappers
        known = {each.allocation.identity for each in trained}
        return bool(known) and not known & {each.allocation.identity for each in wrappers}

    def spot_of(self, wrapper: Wrapper) -> Spot:
        """Return where a wrapper is made; the call, where several make theirs with the same helper."""
        place = wrapper.allocation.place
        callers = self.environments.allocations.callers.get(place.callee.identity, ())
        return place.route[0] if place.route and len(callers) > 1 else wrapper.location

    def _late(self, unit: FunctionRef, runs: list[Run]) -> Iterator[Fault]:
        """Yield the wrappers that are restored after the model was bound, and never given to it."""
        bound = [each for each in runs if each.bound]
        for site in unit.function.calls if bound else ():
            place = Place(unit, site.position)
            if self.environments.roles.of_wrapper(site.call, place) != "restored":
                continue
            before = [each for each in bound if each.place.position < site.position]
            if before and all(map(self._is_bare, bound)):
                if self._learns_after(place) and not self._is_used(site.call, place):
                    yield Fault("late", place.location, before[-1].place.location)

    def _is_bare(self, run: Run) -> bool:
        """Tell whether the environment of a model has no restored statistics."""
        return not self._is_restored(run.env, run.place)

    def _learns_after(self, place: Place) -> bool:
        return any(name == "learn" and at.position > place.position for _, at, name in methods(place.callee))

    def _is_used(self, call: Call, place: Place) -> bool:
        """Tell whether what a call gives is stepped or handed on, or has no name."""
        names = [each.target for each in place.callee.function.stores if each.position == place.position]
        kept = [each for each in names if isinstance(each, Local)]
        return not kept or any(self._uses(each, place) for each in kept)

    def _uses(self, name: Value, place: Place) -> bool:
        for site in place.callee.function.calls:
            if site.position > place.position:
                callee = site.call.callee
                if (
                    isinstance(callee, Attr)
                    and is_same_object(callee.base, name)
                    and callee.name not in ("save", "close")
                ):
                    return True
                if any(_holds(each, name) for each in arguments_of(site.call)):
                    return True
        return any(
            each.position > place.position and _holds(each.value, name)
            for each in place.callee.function.stores
        )

    def _beside_training(self, unit: FunctionRef) -> Iterator[Fault]:
        """Yield fresh wrappers of evaluations that a training loop without an algorithm of a library runs."""
        stepped = self.running.stepped(unit)
        training = [each for each in stepped if not EVALUATION_NAME.search(object_text(each[0]))]
        known = {
            made.allocation.identity
            for env, place in training
            for made in self.environments.wrapped(env, place).wrappers
        }
        for env, place in stepped if known else ():
            found = self.environments.wrapped(env, place)
            identities = {each.allocation.identity for each in found.wrappers}
            if EVALUATION_NAME.search(object_text(env)) and found.is_fresh and not identities & known:
                done = self.statistics.done_in(self.programs.around(unit.path))
                if ASSIGNED not in done and any(map(self.environments.observes, found.wrappers)):
                    yield Fault("apart", self.spot_of(found.wrappers[0]), training[0][1].location)


def _holds(value: Value, name: Value) -> bool:
    """Tell whether an object is part of a value."""
    return any(is_same_object(part, name) for part in parts_of(value))
