"""What a loaded object does not hold as it was saved, from snapshots before and after.

`initial` and `saved` are the object before and after it was exercised; `fresh` and `loaded` are the other
one before and after loading. A value is lost when it comes back as in `fresh`, and either the exercise
changed it, or it is an array that differs from object to object.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch

from flake8_ckpt.runtime.verifier.objects.reach import parts_of_tensor
from flake8_ckpt.runtime.verifier.objects.snapshot import Frozen
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import describe
from flake8_ckpt.runtime.verifier.objects.snapshot import is_leaf
from flake8_ckpt.runtime.verifier.objects.snapshot import same
from flake8_ckpt.runtime.verifier.problem import Problem

ARRAYS = frozenset({"tensor", "array"})


@dataclass(frozen=True)
class Trip:
    """The four snapshots of one trip.

    `expected` is another plain make() where `fresh` has other hyper-parameters, to know these by.
    """

    via: str
    initial: Snapshot
    saved: Snapshot
    fresh: Snapshot
    loaded: Snapshot
    expected: Snapshot | None = None


def is_ignored(path: str, ignore: Sequence[str]) -> bool:
    """Return whether a path, or what it is a part of, matches a pattern with * as a wildcard."""
    literal = [pattern.replace("[", "[[]") for pattern in ignore]
    return any(fnmatchcase(path, form) for name in literal for form in (name, f"{name}.*", f"{name}[[]*"))


def is_below(path: str, tops: Sequence[str]) -> bool:
    """Return whether a path is a part of one of these."""
    return any(path.startswith((f"{top}.", f"{top}[")) or not top for top in tops)


def compare(trip: Trip, ignore: Sequence[str]) -> Iterator[Problem]:
    """Yield what is untied, lost or changed; of a container that differs in size, only the container itself."""
    tops: list[str] = []
    replaced = set()
    for problem in untied(trip, ignore):
        replaced.add(problem.path)
        yield problem
    for path in dict.fromkeys((*trip.saved, *trip.loaded)):
        saved, loaded = trip.saved.get(path), trip.loaded.get(path)
        if path in replaced or is_ignored(path, ignore) or is_below(path, tops):
            continue
        if is_walked_elsewhere(saved, loaded):
            tops.append(path)
            continue
        kind = None if same(saved, loaded) else kind_of(trip, path)
        if kind:
            tops.append(path)
            yield Problem(kind, path or "the object", describe(saved), found(trip, path), (trip.via,))


def is_walked_elsewhere(one: Frozen | None, other: Frozen | None) -> bool:
    """Return whether this is a second path to an object, on one side only: its parts are under the first one."""
    if one is None or other is None or is_leaf(one) or is_leaf(other):
        return False
    return one.same_as != other.same_as


def kind_of(trip: Trip, path: str) -> str | None:
    """Return what happened to a value that is not as it was saved; None for what is no state."""
    initial, saved = trip.initial.get(path), trip.saved.get(path)
    fresh, loaded = trip.fresh.get(path), trip.loaded.get(path)
    moved = not same(initial, saved)
    if is_inferred(trip.loaded, path):
        return None
    if not same(loaded, fresh):
        untouched = not moved and same(saved, fresh)
        return None if untouched and not is_array(loaded) else "changed"
    return "lost" if moved or is_array(saved) or is_hyperparameter(trip, path) else None


def is_inferred(loaded: Snapshot, path: str) -> bool:
    """Return whether a lazy module, whose parameters are loaded, sets this attribute at the first batch."""
    owner = loaded.get(path.rpartition(".")[0])
    return owner is not None and owner.kind == "lazy module" and not is_array(loaded.get(path))


def is_array(value: Frozen | None) -> bool:
    """Return whether a value is a tensor or an array."""
    return value is not None and value.kind in ARRAYS


def is_hyperparameter(trip: Trip, path: str) -> bool:
    """Return whether make() always gives this value, so that only other hyper-parameters make it differ."""
    plain = trip.saved.get(path)
    if trip.expected is None or plain is None or plain.kind not in ("number", "text", "list"):
        return False
    return same(trip.expected.get(path), trip.initial.get(path)) and path in trip.fresh


def found(trip: Trip, path: str) -> str:
    """Return what came back, in words."""
    saved, loaded = trip.saved.get(path), trip.loaded.get(path)
    if loaded is None:
        return "is absent after loading"
    words = f"came back as {describe(loaded)}"
    if same(loaded, trip.fresh.get(path)):
        other = "the other instance" if trip.expected is not None else "a new object"
        return f"{words}, as in {other}"
    return words + difference(saved, loaded)


def difference(one: Frozen | None, other: Frozen | None) -> str:
    """Return the largest difference of two tensors of floats, where they have one shape."""
    left, right = measurable(one), measurable(other)
    if left is None or right is None or left.shape != right.shape:
        return ""
    return f", at most {(left - right).abs().max().item():.3g} apart"


def measurable(value: Frozen | None) -> torch.Tensor | None:
    """Return a tensor of floats on the CPU, or None for anything else."""
    data = None if value is None else value.data
    if not isinstance(data, torch.Tensor) or data.is_meta or data.layout is not torch.strided:
        return None
    data = parts_of_tensor(data)[0]
    return data.double().cpu() if data.is_floating_point() and data.numel() else None


def untied(trip: Trip, ignore: Sequence[str]) -> Iterator[Problem]:
    """Yield tensors that were one object under two paths, and are two after loading."""
    for path, value in trip.fresh.items():
        saved, loaded = trip.saved.get(path), trip.loaded.get(path)
        if value.same_as is None or value.kind not in ARRAYS or saved is None or loaded is None:
            continue
        if saved.same_as == value.same_as != loaded.same_as and not is_ignored(path, ignore):
            expected = f"the same tensor as {value.same_as}"
            yield Problem("stale", path, expected, "is another one after loading", (trip.via,))
