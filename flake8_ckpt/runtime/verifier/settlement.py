"""An object and its loaded copies go on: what matters is a problem, the rest are notes."""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from torch import nn

from flake8_ckpt.runtime.verifier.attribution import NOTHING
from flake8_ckpt.runtime.verifier.attribution import Arrival
from flake8_ckpt.runtime.verifier.attribution import Attribution
from flake8_ckpt.runtime.verifier.attribution import Experiment
from flake8_ckpt.runtime.verifier.attribution import attribute
from flake8_ckpt.runtime.verifier.attribution import measure
from flake8_ckpt.runtime.verifier.attribution import prepare
from flake8_ckpt.runtime.verifier.continuation import Ends
from flake8_ckpt.runtime.verifier.continuation import Outcome
from flake8_ckpt.runtime.verifier.continuation import attempt
from flake8_ckpt.runtime.verifier.continuation import diverged
from flake8_ckpt.runtime.verifier.continuation import go_on
from flake8_ckpt.runtime.verifier.journey import Act
from flake8_ckpt.runtime.verifier.journey import Findings
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.randomness import RandomState
from flake8_ckpt.runtime.verifier.randomness import restore


def settle(
    source: object,
    arrivals: Sequence[Arrival],
    act: Act,
    random: RandomState,
    findings: Findings,
    ignore: Sequence[str],
) -> Outcome:
    """Let all go on: what is not kept is a problem where a copy goes on otherwise for it, and else a note.

    Return how the source went on.
    """
    put_back = partial(restore, random)
    declared = set(source.state_dict()) if isinstance(source, nn.Module) else set()
    experiments = [prepare(source, arrival, act, put_back, ignore) for arrival in arrivals]
    put_back()
    expected = go_on(source, act)
    known: dict[tuple[object, ...], Attribution] = {}
    for experiment in experiments:
        put_back()
        arrival = experiment.arrival
        outcome = attempt(arrival.target, act)
        parted = list(diverged(arrival.trip, expected, outcome, ignore))
        verdict, key = NOTHING, (arrival.trip.expected is None, *arrival.lost)
        if parted:
            verdict = known[key] = known.get(key) or judged(experiment, expected, outcome)
            parted = list(diverged(arrival.trip, expected, outcome, ignore, verdict.noise))
        findings.problems.extend(parted if verdict.is_whole else map(unexplained, parted))
        tell(arrival, verdict, Ends(expected, outcome), declared, findings)
    return expected


def judged(experiment: Experiment, expected: Outcome, outcome: Outcome | str) -> Attribution:
    """Return which lost values made a copy go on otherwise; none where only noise is left."""
    grounds = measure(experiment)
    trip, ignore = experiment.arrival.trip, experiment.ignore
    if any(diverged(trip, expected, outcome, ignore, grounds.noisy_paths)):
        return attribute(experiment, grounds, expected)
    return replace(NOTHING, noise=grounds.noisy_paths)


def unexplained(problem: Problem) -> Problem:
    """Return a divergence that stays when all lost values are put back, and says so."""
    return replace(problem, found=f"{problem.found}; no lost value explains it")


def tell(
    arrival: Arrival, verdict: Attribution, ends: Ends, declared: Container[str], findings: Findings
) -> None:
    """Tell problems from notes: what `state_dict()` declares has to arrive, whether or not it matters."""
    for problem in arrival.unlike:
        if problem.path in declared or not verdict.clears(problem):
            findings.problems.append(problem)
        else:
            kind = "renewed" if ends.meet(problem.path) else "unread"
            findings.notes.append(replace(problem, kind=kind))
    if verdict.reason:
        findings.skipped.append(f"{arrival.trip.via}: {verdict.reason}")
