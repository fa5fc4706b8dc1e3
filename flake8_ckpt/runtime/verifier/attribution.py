"""Which of the lost values matter: they are put back into loaded copies, all but some, or one at a time.

A value is a cause if a copy with all values goes on otherwise without it: a flag and the mean that it guards
may each do nothing when put in alone. Where each of two values can do without the other, leaving one out says
nothing, and they are put in one at a time. Values are tried in halves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flake8_ckpt.runtime.verifier.compare import Trip
from flake8_ckpt.runtime.verifier.compare import is_ignored
from flake8_ckpt.runtime.verifier.continuation import Outcome
from flake8_ckpt.runtime.verifier.continuation import differ
from flake8_ckpt.runtime.verifier.continuation import go_on
from flake8_ckpt.runtime.verifier.objects.snapshot import Frozen
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import same
from flake8_ckpt.runtime.verifier.objects.transplant import transplant
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.problem import one_line

Effect = Snapshot
STATE = "state "
RAISED = "raised"


# How long copies are let go on to tell causes apart, before the rest counts as causes.
SECONDS = 120.0
# The kinds of problems that are values, which can be put back.
VALUES = ("lost", "changed")


@dataclass(frozen=True)
class Arrival:
    """A loaded object with its trip, what loads the file into another new one, and what is not as it was."""

    trip: Trip
    target: Any
    again: Callable[[], Any]
    unlike: tuple[Problem, ...]

    @property
    def lost(self) -> tuple[str, ...]:
        """The paths of the values that are not as they were."""
        return tuple(problem.path for problem in self.unlike if problem.kind in VALUES)


@dataclass(frozen=True)
class Attribution:
    """The lost paths that change how a copy goes on; `is_whole` says that nothing else does.

    `noise` are the paths of states that differ for no reason, `reason` says why paths could not be judged.
    """

    causes: frozenset[str]
    is_whole: bool
    noise: frozenset[str] = frozenset()
    reason: str = ""

    def clears(self, problem: Problem) -> bool:
        """Return whether a copy goes on all the same without this value."""
        return problem.kind in VALUES and problem.path not in self.causes


NOTHING = Attribution(frozenset(), True)


@dataclass(frozen=True)
class Experiment:
    """All that is needed to let one more copy go on: `mended` is a copy with all lost values put in."""

    arrival: Arrival
    mended: Any
    paths: tuple[str, ...]
    unplaced: frozenset[str]
    act: Callable[[Any], object]
    put_back: Callable[[], None]
    ignore: Sequence[str]
    deadline: float

    def effect(self, paths: Sequence[str]) -> Effect:
        """Return how a new copy with the values under these paths goes on, or what it raises."""
        target = self.arrival.again()
        transplant(self.mended, target, paths)
        self.put_back()
        try:
            return effect_of(self.arrival.trip, go_on(target, self.act), self.ignore)
        except Exception as error:
            return {RAISED: Frozen("text", one_line(error))}

    def is_late(self) -> bool:
        """Return whether the time is over."""
        return time.monotonic() > self.deadline


def prepare(
    source: object,
    arrival: Arrival,
    act: Callable[[Any], object],
    put_back: Callable[[], None],
    ignore: Sequence[str],
) -> Experiment:
    """Copy the lost values of a source into a loaded copy, before the source goes on."""
    mended = arrival.again()
    unplaced = frozenset(transplant(source, mended, arrival.lost))
    paths = tuple(path for path in arrival.lost if path not in unplaced)
    return Experiment(arrival, mended, paths, unplaced, act, put_back, ignore, time.monotonic() + SECONDS)


def effect_of(trip: Trip, outcome: Outcome, ignore: Sequence[str]) -> Effect:
    """Return the outputs, and the state of all that arrived as it was saved."""
    state = {
        f"{STATE}{path}": value
        for path, value in outcome.state.items()
        if same(trip.saved.get(path), trip.loaded.get(path)) and not is_ignored(path, ignore)
    }
    return {f"output {path}": value for path, value in outcome.output.items()} | state


@dataclass(frozen=True)
class Grounds:
    """How a copy goes on with nothing put in and with everything; None where that differs from run to run.

    `noise` are the states that differ between two whole copies, such as the time of day.
    """

    bare: Effect | None
    whole: Effect | None
    noise: frozenset[str]

    @property
    def noisy_paths(self) -> frozenset[str]:
        """The same as paths of the object."""
        return frozenset(key.removeprefix(STATE) for key in self.noise)


def measure(experiment: Experiment) -> Grounds:
    """Let two bare and two whole copies go on, to know what differs for no reason."""
    whole, again = experiment.effect(experiment.paths), experiment.effect(experiment.paths)
    noise = {key for key in differences(whole, again) if key.startswith(STATE)}
    bare, second = experiment.effect(()), experiment.effect(())
    return Grounds(
        None if differences(bare, second) - noise else without(bare, noise),
        None if differences(whole, again) - noise else without(whole, noise),
        frozenset(noise),
    )


def attribute(experiment: Experiment, grounds: Grounds, expected: Outcome) -> Attribution:
    """Return the causes among the lost values; the copy is known not to go on like the source."""
    everything = frozenset(experiment.arrival.lost)
    if grounds.bare is None and grounds.whole is None:
        return Attribution(
            everything, False, reason="two loaded copies do not go on alike, so no cause can be told"
        )
    causes = frozenset(find(experiment, grounds, experiment.paths))
    effect = without(effect_of(experiment.arrival.trip, expected, experiment.ignore), grounds.noise)
    is_whole = grounds.whole is not None and not differences(effect, grounds.whole)
    late = f"which values matter, to the end: it took over {SECONDS:g} s" if experiment.is_late() else ""
    return Attribution(
        causes if is_whole else causes | experiment.unplaced, is_whole, grounds.noisy_paths, late
    )


def find(experiment: Experiment, grounds: Grounds, paths: Sequence[str]) -> list[str]:
    """Return the causes among some paths: those of each half, or those that matter only instead of each other."""
    if not paths or not matters(experiment, grounds, paths):
        return []
    if len(paths) == 1 or experiment.is_late():
        return list(paths)
    middle = len(paths) // 2
    halves = (paths[:middle], paths[middle:])
    found = [path for half in halves for path in find(experiment, grounds, half)]
    return found or [path for path in paths if changes(experiment, grounds, (path,))] or list(paths)


def matters(experiment: Experiment, grounds: Grounds, paths: Sequence[str]) -> bool:
    """Return whether a whole copy goes on otherwise without some values, or a bare one with them.

    Half of an object may raise, with the other half left out or put in, and that says nothing of it; unless
    a bare copy raises as well.
    """
    if grounds.whole is None:
        return changes(experiment, grounds, paths)
    effect = experiment.effect([path for path in experiment.paths if path not in paths])
    if RAISED in effect and RAISED not in (grounds.bare or effect):
        return changes(experiment, grounds, paths)
    return bool(differences(without(effect, grounds.noise), grounds.whole))


def changes(experiment: Experiment, grounds: Grounds, paths: Sequence[str]) -> bool:
    """Return whether a bare copy goes on otherwise with some values put in."""
    if grounds.bare is None:
        return False
    effect = experiment.effect(paths)
    if RAISED in effect and RAISED not in grounds.bare:
        return False
    return bool(differences(without(effect, grounds.noise), grounds.bare))


def differences(one: Effect, other: Effect) -> set[str]:
    """Return where two copies did not go on alike, to the bit."""
    return {key for key in (*one, *other) if differ(one, other, key)}


def without(effect: Effect, noise: Container[str]) -> Effect:
    """Return an effect without what differs for no reason."""
    return {key: value for key, value in effect.items() if key not in noise}
