"""Wrappers made for the evaluations of a callback, whose maker forgot that they should not update."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.frameworks.stable_baselines3 import EVALUATES
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.losses.vecnormalize.roles import argument
from flake8_ckpt.losses.vecnormalize.wrappers import Environments
from flake8_ckpt.losses.vecnormalize.wrapping import Wrapper

NO = Const(False)


def updating_evaluations(unit: FunctionRef, environments: Environments) -> Iterator[tuple[Wrapper, Place]]:
    """Yield the wrappers of a callback's evaluations that leave rewards alone and still update, and the callback."""
    for site in unit.function.calls:
        place = Place(unit, site.position)
        env = argument(site.call, 0, "eval_env") if EVALUATES.search(called_name(site.call)) else None
        if env is None:
            continue
        trained = _of_training(unit, environments)
        for wrapper in environments.wrapped(env, place).wrappers:
            if not wrapper.restored and environments.observes(wrapper) and _is_for_evaluation(wrapper):
                if trained and not any(_is_same(wrapper, each) for each in trained):
                    yield wrapper, place


def _of_training(unit: FunctionRef, environments: Environments) -> list[Wrapper]:
    return [
        wrapper
        for model, place in environments.learning(unit)
        for wrapper in environments.runs_on(model, place).wrappers
    ]


def _is_same(wrapper: Wrapper, trained: Wrapper) -> bool:
    """Tell whether training runs on a wrapper, or on one with the same options."""
    if wrapper.allocation.identity == trained.allocation.identity:
        return True
    return dict(trained.call.keywords).get("norm_reward") == NO


def _is_for_evaluation(wrapper: Wrapper) -> bool:
    """Tell whether rewards are left alone, by an argument or an option that a condition sets, and updates are not."""
    given = dict(wrapper.call.keywords)
    if "training" in given:
        return False
    if "**" not in given:
        return given.get("norm_reward") == NO
    stores = wrapper.allocation.place.callee.function.stores
    return any(
        isinstance(each.target, Item)
        and each.target.key == Const("norm_reward")
        and each.value == NO
        and bool(each.guards)
        for each in stores
    )
