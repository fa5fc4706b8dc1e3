"""An exercised object is saved and loaded into new ones: what arrives, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flake8_ckpt.runtime.verifier.attribution import Arrival
from flake8_ckpt.runtime.verifier.compare import Trip
from flake8_ckpt.runtime.verifier.compare import compare
from flake8_ckpt.runtime.verifier.isolation.surroundings import surroundings
from flake8_ckpt.runtime.verifier.isolation.trip import Around
from flake8_ckpt.runtime.verifier.isolation.trip import around
from flake8_ckpt.runtime.verifier.media.medium import Medium
from flake8_ckpt.runtime.verifier.media.medium import NotCheckable
from flake8_ckpt.runtime.verifier.objects.sharing import addresses
from flake8_ckpt.runtime.verifier.objects.sharing import aliased
from flake8_ckpt.runtime.verifier.objects.sharing import held_tensors
from flake8_ckpt.runtime.verifier.objects.sharing import left_behind
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import snapshot
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.problem import one_line

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
    around: Around | None


def on(device: torch.device | None, make: Make) -> Make:
    """Return a factory that puts modules on a device."""

    def build() -> object:
        made = make()
        return made.to(device) if device is not None and isinstance(made, nn.Module) else made

    # Lines of source are looked up in the function that was given.
    build.__wrapped__ = make  # type: ignore[attr-defined]
    return build


def depart(
    make: Make, perturb: Make | None, exercise: Act, functions: Sequence[Any]
) -> tuple[Departure, list[Problem]]:
    """Return an exercised object, and the buffers that it bound to other tensors meanwhile.

    What is around the object and the functions is looked at too, where there are functions.
    """
    source = make()
    initial, held = snapshot(source), held_tensors(source)
    before = surroundings(source, functions) if functions else None
    exercise(source)
    parts = None if before is None else around(before, surroundings(source, functions))
    stale = list(left_behind(source, held))
    return Departure(source, initial, snapshot(source), make, perturb, parts), stale


def travel(
    departure: Departure, usable: Sequence[Medium], folder: Path, findings: Findings, ignore: Sequence[str]
) -> list[Arrival]:
    """Return each trip that arrived, with the loaded object and what it does not hold as it was saved."""
    arrivals = []
    factories = [("", departure.make)]
    if departure.perturb is not None:
        factories.append((" into other hyper-parameters", departure.perturb))
    for medium in usable:
        path = path_of(folder, medium)
        if not write(medium, departure.source, path, findings):
            continue
        findings.trips.append(medium.name)
        for suffix, make in factories:
            arrival = arrive(departure, medium, path, f"{medium.name}{suffix}", make, findings, ignore)
            arrivals += [] if arrival is None else [arrival]
        del factories[1:]
    return arrivals


def path_of(folder: Path, medium: Medium) -> Path:
    """Return where a medium writes."""
    return folder / f"{medium.name.replace(' ', '_')}.ckpt"


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
