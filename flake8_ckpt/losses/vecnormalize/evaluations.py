"""Wrappers made for the evaluations of a callback, whose maker forgot that they should not update.

Who leaves the rewards alone there, by an argument that training does not give or by an option under a condition,
has thought of the evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.frameworks.stable_baselines3 import EVALUATES
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.losses.vecnormalize.roles import argument
from flake8_ckpt.losses.vecnormalize.statistics import freezes
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
            if not wrapper.restored and environments.observes(wrapper):
                if _is_by_option(wrapper) or _is_by_argument(wrapper, trained):
                    yield wrapper, place


def is_frozen(wrapper: Wrapper, files: Iterable[str], environments: Environments) -> bool:
    """Tell whether some code of a program stops the updates of a wrapper, or of one that is not known."""
    program = frozenset(files)
    return any(_freezes(unit, wrapper, environments) for unit in environments.units if unit.path in program)


def _freezes(unit: FunctionRef, wrapper: Wrapper, environments: Environments) -> bool:
    for store in unit.function.stores:
        target = store.target
        if isinstance(target, Item) and target.key == Const("training"):
            return True
        if isinstance(target, Attr) and target.name == "training" and store.value != Const(True):
            found = environments.wrapped(target.base, Place(unit, store.position)).wrappers
            if not found or any(each.location == wrapper.location for each in found):
                return True
    return any(
        freezes(site.call) and not environments.roles.of_wrapper(site.call, Place(unit, site.position))
        for site in unit.function.calls
    )


def _of_training(unit: FunctionRef, environments: Environments) -> list[Wrapper]:
    return [
        wrapper
        for model, place in environments.learning(unit)
        for wrapper in environments.runs_on(model, place).wrappers
    ]


def _is_by_argument(wrapper: Wrapper, trained: list[Wrapper]) -> bool:
    """Tell whether an argument leaves the rewards alone that training does not give, and none stops the updates."""
    given = dict(wrapper.call.keywords)
    if "training" in given or "**" in given or given.get("norm_reward") != NO:
        return False
    known = {each.allocation.identity for each in trained}
    differs = all(dict(each.call.keywords).get("norm_reward") != NO for each in trained)
    return bool(known) and wrapper.allocation.identity not in known and differs


def _is_by_option(wrapper: Wrapper) -> bool:
    """Tell whether the maker of a wrapper leaves the rewards alone under a condition."""
    given = dict(wrapper.call.keywords)
    return (
        "**" in given
        and "training" not in given
        and any(
            isinstance(each.target, Item)
            and each.target.key == Const("norm_reward")
            and each.value == NO
            and bool(each.guards)
            for each in wrapper.allocation.place.callee.function.stores
        )
    )
