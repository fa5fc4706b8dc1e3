"""Save an object, load it into new ones, and see that all hold the same and go on alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any
from typing import ParamSpec

import torch
from torch import nn

from flake8_ckpt.runtime.verifier.attribution import NOTHING
from flake8_ckpt.runtime.verifier.attribution import VALUES
from flake8_ckpt.runtime.verifier.attribution import Arrival
from flake8_ckpt.runtime.verifier.attribution import Attribution
from flake8_ckpt.runtime.verifier.attribution import attribute
from flake8_ckpt.runtime.verifier.attribution import measure
from flake8_ckpt.runtime.verifier.attribution import prepare
from flake8_ckpt.runtime.verifier.compare import Trip
from flake8_ckpt.runtime.verifier.compare import compare
from flake8_ckpt.runtime.verifier.compare import is_ignored
from flake8_ckpt.runtime.verifier.continuation import Ends
from flake8_ckpt.runtime.verifier.continuation import attempt
from flake8_ckpt.runtime.verifier.continuation import diverged
from flake8_ckpt.runtime.verifier.continuation import go_on
from flake8_ckpt.runtime.verifier.media import MEDIA
from flake8_ckpt.runtime.verifier.media import Load
from flake8_ckpt.runtime.verifier.media import Medium
from flake8_ckpt.runtime.verifier.media import NotCheckable
from flake8_ckpt.runtime.verifier.media import Save
from flake8_ckpt.runtime.verifier.media import media
from flake8_ckpt.runtime.verifier.origin import origin_of
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.problem import gather
from flake8_ckpt.runtime.verifier.problem import one_line
from flake8_ckpt.runtime.verifier.randomness import remember
from flake8_ckpt.runtime.verifier.reach import MOST
from flake8_ckpt.runtime.verifier.report import Report
from flake8_ckpt.runtime.verifier.report import RoundtripError
from flake8_ckpt.runtime.verifier.sharing import addresses
from flake8_ckpt.runtime.verifier.sharing import aliased
from flake8_ckpt.runtime.verifier.sharing import held_tensors
from flake8_ckpt.runtime.verifier.sharing import left_behind
from flake8_ckpt.runtime.verifier.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.snapshot import is_leaf
from flake8_ckpt.runtime.verifier.snapshot import snapshot
from flake8_ckpt.runtime.verifier.vacuity import vacuous
from flake8_ckpt.runtime.verifier.vacuity import wholly_vacuous

P = ParamSpec("P")
Make = Callable[[], Any]
Act = Callable[[Any], object]


@dataclass(frozen=True)
class Findings:
    """What the checks collect."""

    problems: list[Problem]
    notes: list[Problem]
    skipped: list[str]
    trips: list[str]


@dataclass(frozen=True)
class Departure:
    """An exercised object that is ready to be saved, as it was made and as it is, and who waits for it."""

    source: Any
    initial: Snapshot
    saved: Snapshot
    make: Make
    perturb: Make | None


def verify_roundtrip(
    make: Make,
    *,
    exercise: Act,
    continue_with: Act | None = None,
    perturb: Make | None = None,
    via: str | Sequence[str] = MEDIA,
    device: str | torch.device | None = None,
    save: Save | None = None,
    load: Load | None = None,
    ignore: str | Sequence[str] = (),
    in_place: bool = False,
    folder: Path | None = None,
) -> Report:
    """Save what `make()` gives after `exercise`, load it into a new one, and report what is not kept.

    Four checks: the file loads under `weights_only=True` and strictly; everything reachable is as it was,
    plain attributes, helpers, optimizers and arrays included; `continue_with` gives equal outputs and states
    on both, to the bit, from one random state; the same in what `perturb()` gives.

    - `make` returns a new object each time: a module, or anything with state_dict and load_state_dict.
      Other objects need `save(object, path)` and `load(object, path)`; `load` may return the loaded object.
    - `exercise(object)` changes its state, and `continue_with(object)` goes on, on the same data in each call.
    - `perturb` is a `make` with other hyper-parameters, which the checkpoint has to put right.
    - `via` names the trips: "torch", "mmap", and "safetensors", which is skipped where it is not installed.
    - `device`: modules are moved there once they are made.
    - `ignore`: paths that are meant not to be kept, with what is below them; * is a wildcard.
    - `in_place`: buffers that updates bind to new tensors are problems (kind stale), not notes.
    - `folder`: where files are left; without it they are removed.

    A report of what could not be checked is in `skipped`; nothing is counted as checked in silence.
    Copies are kept of all that is compared: expect memory for some ten times the state.

    Raise TypeError or ValueError for arguments that cannot work; what `make` and `exercise` raise passes.
    """
    place = None if device is None else torch.device(device)
    ignore = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    findings = Findings([], [], [], [])
    departure, stale = depart(on(place, make), on(place, perturb) if perturb else None, exercise)
    (findings.problems if in_place else findings.notes).extend(stale)
    usable = media(departure.source, via, save, load, findings.skipped)
    with tempfile.TemporaryDirectory() as temporary:
        arrivals = travel(departure, usable, Path(folder or temporary), findings, ignore)
        if continue_with is None:
            findings.skipped.append("how both go on: continue_with= is not given")
            findings.problems.extend(problem for arrival in arrivals for problem in arrival.unlike)
        else:
            settle(departure.source, arrivals, continue_with, findings, ignore)
    return conclude(departure, [arrival.trip for arrival in arrivals], findings, ignore)


def on(device: torch.device | None, make: Make) -> Make:
    """Return a factory that puts modules on a device."""

    def build() -> object:
        made = make()
        return made.to(device) if device is not None and isinstance(made, nn.Module) else made

    # Lines of source are looked up in the function that was given.
    build.__wrapped__ = make  # type: ignore[attr-defined]
    return build


def depart(make: Make, perturb: Make | None, exercise: Act) -> tuple[Departure, list[Problem]]:
    """Return an exercised object, and the buffers that it bound to other tensors meanwhile."""
    source = make()
    initial, held = snapshot(source), held_tensors(source)
    exercise(source)
    stale = list(left_behind(source, held))
    return Departure(source, initial, snapshot(source), make, perturb), stale


def travel(
    departure: Departure, usable: Sequence[Medium], folder: Path, findings: Findings, ignore: Sequence[str]
) -> list[Arrival]:
    """Return each trip that arrived, with the loaded object and what it does not hold as it was saved."""
    arrivals = []
    factories = [("", departure.make)]
    if departure.perturb is not None:
        factories.append((" into other hyper-parameters", departure.perturb))
    for medium in usable:
        path = folder / f"{medium.name.replace(' ', '_')}.ckpt"
        if not write(medium, departure.source, path, findings):
            continue
        findings.trips.append(medium.name)
        for suffix, make in factories:
            arrival = arrive(departure, medium, path, f"{medium.name}{suffix}", make, findings, ignore)
            arrivals += [] if arrival is None else [arrival]
        del factories[1:]
    return arrivals


def write(medium: Medium, source: object, path: Path, findings: Findings) -> bool:
    """Save an object, and return whether there is a file now; what it holds may be unsafe."""
    try:
        medium.save(source, path)
    except NotCheckable as reason:
        findings.skipped.append(f"{medium.name}: {reason}")
        return False
    except Exception as error:
        findings.problems.append(Problem("refused", "save", "", one_line(error), (medium.name,)))
        return False
    danger = medium.unsafe(path)
    if danger is not None:
        findings.problems.append(Problem("unsafe", "the file", "", danger, (medium.name,)))
    return True


def arrive(
    departure: Departure,
    medium: Medium,
    path: Path,
    via: str,
    make: Make,
    findings: Findings,
    ignore: Sequence[str],
) -> Arrival | None:
    """Load a file into a new object and compare, or say why that is refused."""
    target = make()
    if target is departure.source:
        raise ValueError("make() returned the same object twice: it has to return a new one in each call")
    fresh, before = snapshot(target), addresses(target)
    expected = None if make is departure.make else snapshot(departure.make())
    try:
        loaded = medium.load(target, path)
    except Exception as error:
        findings.problems.append(Problem("refused", "load", "", one_line(error), (via,)))
        return None
    trip = Trip(via, departure.initial, departure.saved, fresh, snapshot(loaded.target), expected)
    for name, other in (("the loaded payload", loaded.payload), ("the saved object", departure.source)):
        findings.problems.extend(aliased(loaded.target, other, name, before, via, ignore))
    unlike = tuple(compare(trip, ignore))
    return Arrival(trip, loaded.target, lambda: medium.load(make(), path).target, unlike)


def settle(
    source: object, arrivals: Sequence[Arrival], act: Act, findings: Findings, ignore: Sequence[str]
) -> None:
    """Let all go on: what is not kept is a problem where a copy goes on otherwise for it, and else a note."""
    put_back = remember()
    declared = set(source.state_dict()) if isinstance(source, nn.Module) else set()
    experiments = [prepare(source, arrival, act, put_back, ignore) for arrival in arrivals]
    put_back()
    expected = go_on(source, act)
    known: dict[tuple[str, ...], Attribution] = {}
    for experiment in experiments:
        put_back()
        arrival = experiment.arrival
        outcome = attempt(arrival.target, act)
        parted, verdict = list(diverged(arrival.trip, expected, outcome, ignore)), known.get(arrival.lost)
        if parted and verdict is None:
            grounds = measure(experiment)
            parted = list(diverged(arrival.trip, expected, outcome, ignore, grounds.noise))
            verdict = known[arrival.lost] = attribute(experiment, grounds, expected) if parted else NOTHING
        findings.problems.extend(parted)
        tell(arrival, verdict or NOTHING, Ends(expected, outcome), declared, findings)


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
        if problem.kind in (*VALUES, "unread"):
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
