"""Which of the lost values matter: each is put back into a loaded copy, and left out of a whole one.

A value is a cause if the copy goes on otherwise with it than without it. Both ways are tried, because a flag
and the mean that it guards may each do nothing without the other. Values are tried in halves.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Container
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flake8_ckpt.runtime.verifier.compare import Trip
from flake8_ckpt.runtime.verifier.compare import is_ignored
from flake8_ckpt.runtime.verifier.continuation import Outcome
from flake8_ckpt.runtime.verifier.continuation import differ
from flake8_ckpt.runtime.verifier.continuation import go_on
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.problem import one_line
from flake8_ckpt.runtime.verifier.snapshot import Frozen
from flake8_ckpt.runtime.verifier.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.snapshot import same
from flake8_ckpt.runtime.verifier.transplant import transplant

Effect = Snapshot
STATE = "state "
RAISED = "raised"


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

    `reason` says why no path could be judged.
    """

    causes: frozenset[str]
    is_whole: bool
    reason: str = ""

    def clears(self, problem: Problem) -> bool:
        """Return whether a copy goes on all the same without this value."""
        return problem.kind in VALUES and not self.reason and problem.path not in self.causes


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

    def effect(self, paths: Sequence[str]) -> Effect:
        """Return how a new copy with the values under these paths goes on, or what it raises."""
        target = self.arrival.again()
        transplant(self.mended, target, paths)
        self.put_back()
        try:
            return effect_of(self.arrival.trip, go_on(target, self.act), self.ignore)
        except Exception as error:
            return {RAISED: Frozen("text", one_line(error))}


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
    return Experiment(arrival, mended, paths, unplaced, act, put_back, ignore)


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
    if grounds.bare is None and grounds.whole is None:
        return Attribution(
            frozenset(), False, "two loaded copies do not go on alike, so no cause can be told"
        )
    causes = set(find(experiment, grounds, experiment.paths))
    effect = without(effect_of(experiment.arrival.trip, expected, experiment.ignore), grounds.noise)
    is_whole = grounds.whole is not None and not differences(effect, grounds.whole)
    return Attribution(frozenset(causes if is_whole else causes | experiment.unplaced), is_whole)


def find(experiment: Experiment, grounds: Grounds, paths: Sequence[str]) -> Iterator[str]:
    """Yield the causes among some paths."""
    if not paths or not matters(experiment, grounds, paths):
        return
    if len(paths) == 1:
        yield paths[0]
        return
    middle = len(paths) // 2
    yield from find(experiment, grounds, paths[:middle])
    yield from find(experiment, grounds, paths[middle:])


def matters(experiment: Experiment, grounds: Grounds, paths: Sequence[str]) -> bool:
    """Return whether putting some values in changes how a copy goes on, or leaving them out of a whole one.

    A half of an object may raise when it is put in alone, which says nothing of it.
    """
    if grounds.bare is not None:
        effect = without(experiment.effect(paths), grounds.noise)
        if RAISED not in effect and differences(effect, grounds.bare):
            return True
    if grounds.whole is None:
        return False
    others = [path for path in experiment.paths if path not in paths]
    return bool(differences(without(experiment.effect(others), grounds.noise), grounds.whole))


def differences(one: Effect, other: Effect) -> set[str]:
    """Return where two copies did not go on alike, to the bit."""
    return {key for key in (*one, *other) if differ(one, other, key)}


def without(effect: Effect, noise: Container[str]) -> Effect:
    """Return an effect without what differs for no reason."""
    return {key: value for key, value in effect.items() if key not in noise}
