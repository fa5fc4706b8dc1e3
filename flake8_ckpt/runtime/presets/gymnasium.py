"""A loop over gymnasium environments of your own, continued from a new episode."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import Any

from flake8_ckpt.runtime.presets.options import CHECKER
from flake8_ckpt.runtime.presets.options import Options

SEED = 0


def gymnasium(
    go_on: Callable[[Any, Any], object],
    *,
    environments: str | Callable[[Any], Any] = "envs",
    ignore: Sequence[str] = (),
) -> Options:
    """Return the options for an object that holds environments: both copies begin the same new episode.

    `go_on(object, observation)` trains on from the first observation of an episode, since simulators are not
    saved, and returns what it computes. `environments` is the attribute that holds a (vector) environment,
    or a function of the object that returns it.
    """

    continue_with = partial(continue_episode, go_on=go_on, environments=environments)
    return Options(continue_with=continue_with, ignore=(*CHECKER, *ignore))


def continue_episode(
    run: Any, go_on: Callable[[Any, Any], object], environments: str | Callable[[Any], Any]
) -> object:
    """Reset the environments of a run with one seed, and go on from the first observation."""
    envs = getattr(run, environments) if isinstance(environments, str) else environments(run)
    observation, _ = envs.reset(seed=SEED)
    return go_on(run, observation)
