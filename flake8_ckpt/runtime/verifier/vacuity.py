"""What a round trip says nothing of, because it was equal before loading."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from torch import nn

from flake8_ckpt.runtime.verifier.compare import ARRAYS
from flake8_ckpt.runtime.verifier.compare import Trip
from flake8_ckpt.runtime.verifier.compare import is_ignored
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import describe
from flake8_ckpt.runtime.verifier.objects.snapshot import same
from flake8_ckpt.runtime.verifier.problem import Problem


def vacuous(source: object, trips: Sequence[Trip], ignore: Sequence[str]) -> Iterator[Problem]:
    """Yield the saved tensors that were equal in each target before loading."""
    for path in tested(source, trips, ignore):
        saved = trips[0].saved[path]
        if all(same(saved, trip.fresh.get(path)) for trip in trips):
            found = f"{describe(saved)} before loading too, so nothing was tested"
            yield Problem("vacuous", path, "", found)


def wholly_vacuous(
    initial: Snapshot, saved: Snapshot, trips: Sequence[Trip], ignore: Sequence[str]
) -> Iterator[Problem]:
    """Yield one problem where the trip as a whole tested nothing."""
    paths = [path for path in dict.fromkeys((*initial, *saved)) if not is_ignored(path, ignore)]
    moved = [path for path in paths if not same(initial.get(path), saved.get(path))]
    if not trips:
        yield Problem("vacuous", "everything", "", "no trip was made, so nothing was tested")
    elif not moved:
        yield Problem("vacuous", "everything", "", "exercise() changed nothing, so nothing was tested")
    elif all(same(saved.get(path), trip.fresh.get(path)) for path in moved for trip in trips):
        found = "what exercise() changed was equal before loading, so nothing was tested"
        yield Problem("vacuous", "everything", "", found)
    for trip in trips:
        if trip.expected is not None and not any(perturbed(trip)):
            found = "perturb() gave the hyper-parameters of make(), so nothing was tested"
            yield Problem("vacuous", "everything", "", found, (trip.via,))


def perturbed(trip: Trip) -> Iterator[bool]:
    """Yield for each value that make() always gives whether another factory gave another one."""
    expected = trip.expected or {}
    for path, value in trip.initial.items():
        if same(value, expected.get(path)):
            yield not same(value, trip.fresh.get(path))


def tested(source: object, trips: Sequence[Trip], ignore: Sequence[str]) -> list[str]:
    """Return the paths of saved tensors; of an object with its own save, of all its tensors and arrays."""
    if not trips:
        return []
    saved = trips[0].saved
    if isinstance(source, nn.Module):
        return [path for path in source.state_dict() if path in saved and not is_ignored(path, ignore)]
    arrays = (path for path, value in saved.items() if value.kind in ARRAYS and value.same_as is None)
    return [path for path in arrays if not is_ignored(path, ignore)]
