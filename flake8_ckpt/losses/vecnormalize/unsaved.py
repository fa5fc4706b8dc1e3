"""Models that are saved without the statistics of the `VecNormalize` around their environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.io_calls import written_by
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.stable_baselines3 import CHECKPOINTS
from flake8_ckpt.frameworks.stable_baselines3 import EVALUATES
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.programs import Programs
from flake8_ckpt.linking.value_names import object_text
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.vecnormalize.module_payloads import holds_modules_only
from flake8_ckpt.losses.vecnormalize.statistics import FROZEN
from flake8_ckpt.losses.vecnormalize.statistics import SAVED
from flake8_ckpt.losses.vecnormalize.statistics import Statistics
from flake8_ckpt.losses.vecnormalize.statistics import saves_wrapper
from flake8_ckpt.losses.vecnormalize.wrappers import Environments
from flake8_ckpt.losses.vecnormalize.wrapping import Wrapper

Kept = tuple[Wrapper, Spot]


@dataclass(frozen=True)
class UnsavedStatistics:
    """A model that is saved without the statistics of its `wrapper`, and where else it is saved so.

    `name` is how the code names the model, empty where the `callback` of that class saves it while it is trained.
    """

    location: Spot
    name: str
    wrapper: Spot
    others: tuple[Spot, ...]
    callback: str = ""


@dataclass(frozen=True, eq=False)
class Save:
    """A call that saves a model: its name in the code, where it is made, the wrapper of its environment.

    `callback` is the class of the callback that saves it, "" where the code does.
    """

    location: Spot
    name: str
    model: Spot
    wrapper: Wrapper
    callback: str

    @property
    def order(self) -> tuple[bool, bool, str, Position]:
        """Return what to sort saves by: those of the file that makes the model come first, an evaluation's last."""
        is_elsewhere = self.location.path != self.model.path
        is_best = EVALUATES.search(self.callback) is not None
        return is_best, is_elsewhere, self.location.path, self.location.position


def unsaved_statistics(environments: Environments) -> Iterator[UnsavedStatistics]:
    """Yield the first save of each model whose statistics no program saves."""
    if not environments.is_present:
        return
    reported: set[Spot] = set()
    for saves in _lost(environments).values():
        first, *others = sorted(saves, key=lambda each: each.order)
        if first.location not in reported:
            reported.add(first.location)
            locations = dict.fromkeys(each.location for each in others if each.location != first.location)
            wrapper = first.wrapper.location
            yield UnsavedStatistics(first.location, first.name, wrapper, tuple(locations), first.callback)


def _lost(environments: Environments) -> dict[tuple[Spot, Spot], list[Save]]:
    """Return the saves without statistics by wrapper and model."""
    programs, statistics = Programs(environments.allocations), Statistics(environments)
    found: dict[tuple[Spot, Spot], list[Save]] = {}
    for save in _saves(environments):
        done = statistics.done_in(programs.around(save.location.path))
        if SAVED not in done and not (save.wrapper.restored and FROZEN in done):
            found.setdefault((save.wrapper.location, save.model), []).append(save)
    return found


def misnamed_statistics(environments: Environments) -> Iterator[Spot]:
    """Yield saves that look for the statistics under a name that a VecNormalize does not have, and get None."""
    if not environments.is_present or not environments.has_obs_rms:
        return
    for unit in environments.units:
        for site in unit.function.calls:
            written = written_by(site.call, unit, environments.evaluator)
            for part in parts_of(written[0]) if written is not None else ():
                if isinstance(part, Join) and NONE in part.options and any(map(_is_misnamed, part.options)):
                    yield Spot(unit.path, site.position)


def _is_misnamed(value: Value) -> bool:
    return isinstance(value, Attr) and value.name == "ob_rms"


def _saves(environments: Environments) -> Iterator[Save]:
    """Yield the saves of models on normalized environments."""
    for unit in environments.units:
        for site in unit.function.calls:
            place = Place(unit, site.position)
            callback = called_name(site.call) if _is_callback(site.call) else ""
            if callback:
                models = _trained_with(unit, environments) if _saves_model_alone(site.call) else []
            else:
                models = _saved_at(site.call, place, environments)
            for wrapper, model in models:
                yield Save(place.location, "" if callback else _name(site.call), model, wrapper, callback)


def _is_callback(call: Call) -> bool:
    if not isinstance(call.callee, Name):
        return False
    return any(each.search(call.callee.path) for each in (CHECKPOINTS, EVALUATES))


def _saves_model_alone(call: Call) -> bool:
    """Tell whether a callback saves a model and no wrapper: an evaluation the best one, where it is told to."""
    if CHECKPOINTS.search(called_name(call)):
        return not saves_wrapper(call)
    given = dict(call.keywords)
    return given.get("best_model_save_path", NONE) != NONE and "callback_on_new_best" not in given


def _name(call: Call) -> str:
    """Return how the code names what a call saves."""
    if isinstance(call.callee, Attr):
        return object_text(call.callee.base) or "model"
    return (object_text(call.args[0]) if call.args else "") or "model"


def _trained_with(unit: FunctionRef, environments: Environments) -> list[Kept]:
    """Return the wrappers of the models that are trained where a callback, or its maker, is called."""
    callers = [caller for caller, _ in environments.allocations.callers.get(unit.identity, ())]
    return [
        kept
        for each in (unit, *callers)
        for model, place in environments.learning(each)
        for kept in _kept(model, place, environments)
    ]


def _saved_at(call: Call, place: Place, environments: Environments) -> list[Kept]:
    """Return the wrappers of the models that a call saves, as a whole or in part."""
    if isinstance(call.callee, Attr) and call.callee.name == "save":
        return _kept(call.callee.base, place, environments)
    written = written_by(call, place.callee, environments.evaluator)
    if written is None:
        return []
    parts = [part for part in parts_of(written[0]) if isinstance(part, Local)]
    models = [part for part in parts if environments.models(part, place)]
    if not models and holds_modules_only(written[0], place, environments.evaluator):
        return [(wrapper, wrapper.location) for wrapper in environments.stepped(place.callee)]
    return [kept for model in models for kept in _kept(model, place, environments)]


def _kept(model: Value, place: Place, environments: Environments) -> list[Kept]:
    """Return the wrappers of the environment of a model, each with where the model is made."""
    made = environments.models(model, place)
    return [(wrapper, made[0].place.location) for wrapper in environments.runs_on(model, place).wrappers]
