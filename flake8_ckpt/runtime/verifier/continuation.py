"""Let an object and its loaded copies go on from one random state, and see where they part."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Container
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flake8_ckpt.runtime.verifier.compare import Trip
from flake8_ckpt.runtime.verifier.compare import difference
from flake8_ckpt.runtime.verifier.compare import is_below
from flake8_ckpt.runtime.verifier.compare import is_ignored
from flake8_ckpt.runtime.verifier.compare import is_walked_elsewhere
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import describe
from flake8_ckpt.runtime.verifier.objects.snapshot import is_leaf
from flake8_ckpt.runtime.verifier.objects.snapshot import same
from flake8_ckpt.runtime.verifier.objects.snapshot import snapshot
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.problem import one_line


@dataclass(frozen=True)
class Outcome:
    """What going on gave, and what the object holds afterwards."""

    output: Snapshot
    state: Snapshot


@dataclass(frozen=True)
class Ends:
    """How a source and a copy went on, or what the copy raised."""

    expected: Outcome
    outcome: Outcome | str

    def meet(self, path: str) -> bool:
        """Return whether both hold the same under a path afterwards, so that going on made it anew."""
        if isinstance(self.outcome, str):
            return False
        return not any(
            differ(self.expected.state, self.outcome.state, each)
            for each in dict.fromkeys((*self.expected.state, *self.outcome.state))
            if each == path or is_below(each, [path])
        )


def attempt(target: object, continue_with: Callable[[Any], object]) -> Outcome | str:
    """Go on with a loaded copy, or return what it raises."""
    try:
        return go_on(target, continue_with)
    except Exception as error:
        return one_line(error)


def diverged(
    trip: Trip, expected: Outcome, outcome: Outcome | str, ignore: Sequence[str], noise: Container[str] = ()
) -> Iterator[Problem]:
    """Yield the first place where a copy did not go on like the source; outputs come before states.

    `noise` are paths of states that differ for no reason.
    """
    if isinstance(outcome, str):
        found = f"the loaded copy raised {outcome}"
        yield Problem("diverged", "continue_with", "", found, (trip.via,))
        return
    parted = list(parting("output", expected.output, outcome.output, trip.via))
    yield from parted or parting("", *states(trip, expected, outcome, ignore, noise), trip.via)


def go_on(target: object, continue_with: Callable[[Any], object]) -> Outcome:
    """Go on with an object; what the steps return is copied before anything else runs."""
    output = snapshot(continue_with(target))
    return Outcome(output, snapshot(target))


def states(
    trip: Trip, expected: Outcome, outcome: Outcome, ignore: Sequence[str], noise: Container[str]
) -> tuple[Snapshot, Snapshot]:
    """Return what both hold afterwards, without what already differed when they began."""
    equal = {path for path, value in trip.saved.items() if same(value, trip.loaded.get(path))}
    equal = {path for path in equal if path not in noise and not is_ignored(path, ignore)}
    paths = [path for path in expected.state if path in equal]
    both = [path for path in paths if path in outcome.state]
    return {path: expected.state[path] for path in both}, {path: outcome.state[path] for path in both}


def parting(prefix: str, expected: Snapshot, outcome: Snapshot, via: str) -> Iterator[Problem]:
    """Yield the first difference, and how many values differ in all."""
    paths = [path for path in dict.fromkeys((*expected, *outcome)) if differ(expected, outcome, path)]
    if paths:
        one, other = expected.get(paths[0]), outcome.get(paths[0])
        apart = difference(one, other)
        more = f", {len(paths)} values differ" if len(paths) > 1 else ""
        name = f"{prefix}{'.' * (bool(prefix) and not paths[0].startswith('[') and bool(paths[0]))}{paths[0]}"
        found = f"the loaded copy gives {describe(other)}{apart}{more}"
        yield Problem("diverged", name, describe(one), found, (via,))


def differ(expected: Snapshot, outcome: Snapshot, path: str) -> bool:
    """Return whether the values under a path differ; containers differ by their parts or their size."""
    one, other = expected.get(path), outcome.get(path)
    if is_walked_elsewhere(one, other) or same(one, other):
        return False
    return one is None or other is None or is_leaf(one) or is_leaf(other) or one.kind == other.kind
