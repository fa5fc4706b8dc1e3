"""Save an object, load it into new ones, and see that all hold the same and go on alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import torch

from flake8_ckpt.runtime.verifier.attribution import VALUES
from flake8_ckpt.runtime.verifier.compare import Trip
from flake8_ckpt.runtime.verifier.compare import is_ignored
from flake8_ckpt.runtime.verifier.continuation import Outcome
from flake8_ckpt.runtime.verifier.isolation.request import Request
from flake8_ckpt.runtime.verifier.isolation.trip import Around
from flake8_ckpt.runtime.verifier.isolation.trip import NewProcessEnded
from flake8_ckpt.runtime.verifier.isolation.trip import ask
from flake8_ckpt.runtime.verifier.isolation.trip import check_importable
from flake8_ckpt.runtime.verifier.isolation.trip import judge
from flake8_ckpt.runtime.verifier.journey import Act
from flake8_ckpt.runtime.verifier.journey import Departure
from flake8_ckpt.runtime.verifier.journey import Findings
from flake8_ckpt.runtime.verifier.journey import Make
from flake8_ckpt.runtime.verifier.journey import depart
from flake8_ckpt.runtime.verifier.journey import on
from flake8_ckpt.runtime.verifier.journey import path_of
from flake8_ckpt.runtime.verifier.journey import travel
from flake8_ckpt.runtime.verifier.media.choice import DEFAULT
from flake8_ckpt.runtime.verifier.media.choice import media
from flake8_ckpt.runtime.verifier.media.medium import Load
from flake8_ckpt.runtime.verifier.media.medium import Save
from flake8_ckpt.runtime.verifier.objects.reach import MOST
from flake8_ckpt.runtime.verifier.objects.snapshot import is_leaf
from flake8_ckpt.runtime.verifier.origin import origin_of
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.problem import gather
from flake8_ckpt.runtime.verifier.randomness import random_state
from flake8_ckpt.runtime.verifier.report import Report
from flake8_ckpt.runtime.verifier.report import RoundtripError
from flake8_ckpt.runtime.verifier.settlement import settle
from flake8_ckpt.runtime.verifier.vacuity import vacuous
from flake8_ckpt.runtime.verifier.vacuity import wholly_vacuous

P = ParamSpec("P")


def verify_roundtrip(
    make: Make,
    *,
    exercise: Act,
    continue_with: Act | None = None,
    perturb: Make | None = None,
    via: str | Sequence[str] = DEFAULT,
    device: str | torch.device | None = None,
    save: Save | None = None,
    load: Load | None = None,
    ignore: str | Sequence[str] = (),
    in_place: bool = False,
    isolated: bool = False,
    folder: Path | None = None,
) -> Report:
    """Save what `make()` gives after `exercise`, load it into a new one, and report what is not kept.

    Four checks: the file loads under `weights_only=True` and strictly; everything reachable is as it was,
    plain attributes, helpers, optimizers and arrays included; `continue_with` gives equal outputs and states
    on both, to the bit, from one random state; the same in what `perturb()` gives.

    - `make` returns a new object each time: a module, or anything with state_dict and load_state_dict.
      Other objects need `save(object, path)` and `load(object, path)`; `load` may return the loaded object.
    - `exercise(object)` changes its state, and `continue_with(object)` goes on, on the same data in each call;
      where a copy goes on otherwise, it is called for some more copies, with lost values put back.
    - `perturb` is a `make` with other hyper-parameters, which the checkpoint has to put right.
    - `via` names the trips: "torch", "mmap", and "safetensors", which is skipped where it is not installed; also
      "dcp", a distributed checkpoint that is read in place, "pretrained", "fabric" and "lightning".
    - `device`: modules are moved there once they are made.
    - `ignore`: paths that are meant not to be kept, with what is below them; * is a wildcard.
    - `in_place`: buffers that updates bind to new tensors are problems (kind stale), not notes.
    - `isolated`: one more trip, into a new process, which finds what class attributes and globals kept. It
      imports `make`, `load` and `continue_with`, which have to be at the top of a module.
    - `folder`: where files are left; without it they are removed.

    A report of what could not be checked is in `skipped`; nothing is counted as checked in silence.
    Copies are kept of all that is compared: expect memory for some ten times the state.

    Raise TypeError or ValueError for arguments that cannot work; what `make` and `exercise` raise passes.
    """
    place = None if device is None else torch.device(device)
    ignore = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    findings = Findings([], [], [], [])
    functions = (make, load, continue_with, exercise) if isolated else ()
    check_importable(functions[:3])
    departure, stale = depart(on(place, make), on(place, perturb) if perturb else None, exercise, functions)
    (findings.problems if in_place else findings.notes).extend(stale)
    usable = media(departure.source, via, save, load, findings.skipped)
    with tempfile.TemporaryDirectory() as temporary:
        where = Path(folder or temporary)
        arrivals = travel(departure, usable, where, findings, ignore)
        random, expected = random_state(), None
        if continue_with is None:
            findings.skipped.append("how both go on: continue_with= is not given")
            findings.problems.extend(problem for arrival in arrivals for problem in arrival.unlike)
        else:
            expected = settle(departure.source, arrivals, continue_with, random, findings, ignore)
        if departure.around is not None and findings.trips:
            first = next(medium for medium in usable if medium.name == findings.trips[0])
            request = Request(
                make,
                place,
                first.name,
                load,
                path_of(where, first),
                continue_with,
                random,
                departure.around.changed,
            )
            go_alone(departure, departure.around, request, expected, findings, ignore)
    return conclude(departure, [arrival.trip for arrival in arrivals], findings, ignore)


def go_alone(
    departure: Departure,
    parts: Around,
    request: Request,
    expected: Outcome | None,
    findings: Findings,
    ignore: Sequence[str],
) -> None:
    """Make the trip into a new process, and collect what only that one shows."""
    via = f"{request.medium} in a new process"
    with tempfile.TemporaryDirectory() as folder:
        try:
            answer = ask(request, Path(folder))
        except NewProcessEnded as error:
            findings.problems.append(Problem("refused", "load", "", str(error), (via,)))
            return
    trip = Trip(via, departure.initial, departure.saved, answer.fresh, answer.loaded)
    verdict = judge(trip, answer, parts, expected, ignore)
    noted = {note.path for note in findings.notes}
    findings.problems.extend(each for each in verdict.problems if each.path not in noted)
    findings.notes.extend(replace(each, kind="unread") for each in verdict.notes if each.path not in noted)
    findings.trips.append(via)


def conclude(
    departure: Departure, trips: Sequence[Trip], findings: Findings, ignore: Sequence[str]
) -> Report:
    """Return the report, with what was vacuous: of the whole only where nothing else is wrong."""
    source, saved = departure.source, departure.saved
    problems = findings.problems or list(wholly_vacuous(departure.initial, saved, trips, ignore))
    notes = [*findings.notes, *vacuous(source, trips, ignore)]
    problems, notes = located(problems, departure), located(notes, departure)
    if any(value.kind == "cut" for value in saved.values()):
        findings.skipped.append(f"what comes after the first {MOST} reachable values")
    count = sum(is_leaf(value) and not is_ignored(path, ignore) for path, value in saved.items())
    skipped, made = tuple(findings.skipped), tuple(findings.trips)
    return Report(type(source).__qualname__, gather(problems), gather(notes), skipped, made, count)


def located(problems: Sequence[Problem], departure: Departure) -> list[Problem]:
    """Return the problems, with where in the source the lost values come from."""
    found = []
    for problem in problems:
        path = "" if problem.path == "the object" else problem.path
        if problem.origin is None and problem.kind in (*VALUES, "unread"):
            origin = origin_of(departure.source, path, departure.make, departure.initial.get(path))
            problem = replace(problem, origin=origin)
        found.append(problem)
    return found


def raising(verify: Callable[P, Report]) -> Callable[P, Report]:
    """Return a function that verifies and raises a RoundtripError with the report if something is not kept."""

    @wraps(verify)
    def checked(*args: P.args, **options: P.kwargs) -> Report:
        __tracebackhide__ = True
        report = verify(*args, **options)
        if not report.ok:
            raise RoundtripError(report)
        return report

    return checked


assert_roundtrip = raising(verify_roundtrip)
assert_roundtrip.__name__ = assert_roundtrip.__qualname__ = "assert_roundtrip"
