"""A normalizer for each entry of nested observations."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import partial
from typing import Any
from typing import Union
from typing import cast

from torch import Tensor
from torch import nn

from flake8_ckpt.runtime.normalizers import packed
from flake8_ckpt.runtime.normalizers import sb3
from flake8_ckpt.runtime.normalizers.loading import Part
from flake8_ckpt.runtime.normalizers.rows import check_rows
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd

Observations = Mapping[str, Any]
Entry = Union[RunningMeanStd, "RunningMeanStdDict"]
Shapes = Mapping[str, Union[int, tuple[int, ...], None, "Shapes"]]


class RunningMeanStdDict(nn.Module):
    """Normalize each tensor of a nested mapping by statistics of its own.

    Args:
        shapes: the shape of one row of each entry, as nested as the observations; where it is `None`, the first
            batch or the checkpoint says it.
        options: the other arguments are those of `RunningMeanStd`.
    """

    # Where a pickle of a whole module finds the class, wherever it lives in here.
    __module__ = "flake8_ckpt.runtime"

    def __init__(self, shapes: Shapes | None = None, **options: Any) -> None:
        super().__init__()
        # Not as a mapping of numbers, which would look like state.
        self._new = partial(RunningMeanStd, **options)
        self.entries = nn.ModuleDict()
        for key, shape in (shapes or {}).items():
            self._add(key, self._entry(shape, isinstance(shape, Mapping)))

    @classmethod
    def from_sb3(cls, venv: object, **options: Any) -> RunningMeanStdDict:
        """Make one of the observations by key of a `VecNormalize` of stable-baselines3."""
        statistics = sb3.observation_statistics(venv)
        given = {"epsilon": vars(venv)["epsilon"], "clip": vars(venv)["clip_obs"], **options}
        normalizer = cls({key: tuple(each.mean.shape) for key, each in statistics.items()}, **given)
        for key, each in statistics.items():
            cast("RunningMeanStd", normalizer._at(key))._set(*sb3.read(each))
        return normalizer

    def to_sb3(self, venv: object) -> None:
        """Write the statistics to a `VecNormalize` of stable-baselines3."""
        statistics = sb3.observation_statistics(venv)
        for key in self._same_keys(statistics):
            entry = cast("RunningMeanStd", self._at(key))
            sb3.write(statistics[key], entry.mean, entry.var, entry.weight)

    @property
    def mean(self) -> dict[str, Any]:
        """Return the mean of each entry, as nested as the observations."""
        return self._map(lambda entry: entry.mean)

    @property
    def var(self) -> dict[str, Any]:
        """Return the population variance of each entry."""
        return self._map(lambda entry: entry.var)

    @property
    def std(self) -> dict[str, Any]:
        """Return the standard deviation of each entry."""
        return self._map(lambda entry: entry.std)

    @property
    def count(self) -> dict[str, Any]:
        """Return the number of rows of each entry."""
        return self._map(lambda entry: entry.count)

    @property
    def shape(self) -> dict[str, Any]:
        """Return the shape of one row of each entry."""
        return self._map(lambda entry: entry.shape)

    def forward(self, observations: Observations) -> dict[str, Any]:
        """Return the normalized observations; the statistics stay as they are."""
        return self.normalize(observations)

    def update(self, observations: Observations, *, mask: Any = None) -> None:
        """Take a batch into the statistics; `mask` keeps rows, as for `RunningMeanStd.update`."""
        if not self.entries:
            for key, value in observations.items():
                self._add(key, self._entry(None, isinstance(value, Mapping)))
        pairs = self._pairs(self._tensors(observations))
        entries, values = [entry for entry, _ in pairs], [value for _, value in pairs]
        if mask is None and _are_built(entries) and packed.can_pack_update(entries, values):
            packed.update(entries, values)
            return
        for entry, value in pairs:
            entry.update(value, mask=mask)

    def normalize(self, observations: Observations) -> dict[str, Any]:
        """Return the observations, each in units of its standard deviations from its mean."""
        given = self._tensors(observations)
        if not self.entries:
            return given
        pairs = self._pairs(given)
        entries, values = [entry for entry, _ in pairs], [value for _, value in pairs]
        if _are_built(entries) and packed.can_pack(entries, values):
            found = packed.normalize(entries, values)
        else:
            found = [entry.normalize(value) for entry, value in pairs]
        return self._nested(given, iter(found))

    def denormalize(self, observations: Observations) -> dict[str, Any]:
        """Return what `normalize` turns into these observations, as far as it did not clip."""
        given = self._tensors(observations)
        if not self.entries:
            return given
        found = [entry.denormalize(value) for entry, value in self._pairs(given)]
        return self._nested(given, iter(found))

    def update_and_normalize(self, observations: Observations, *, mask: Any = None) -> dict[str, Any]:
        """Take a batch into the statistics, then return it normalized."""
        given = self._tensors(observations)
        self.update(given, mask=mask)
        return self.normalize(given)

    def update_from_moments(self, mean: Observations, var: Observations, count: Any) -> None:
        """Take rows in of which only the moments are known: `count` is a number, or one for each entry."""
        counts = count if isinstance(count, Mapping) else dict.fromkeys(mean, count)
        for key in self._same_keys(mean):
            self._at(key).update_from_moments(mean[key], var[key], counts[key])

    def merge(self, other: RunningMeanStdDict) -> None:
        """Take the rows that another normalizer has seen into the statistics."""
        if not self.entries:
            for key, entry in other.entries.items():
                self._add(key, self._entry(None, isinstance(entry, RunningMeanStdDict)))
        for key in self._same_keys(other.entries):
            cast("Any", self._at(key)).merge(other._at(key))

    def sync(self) -> None:
        """Merge what all ranks have seen, for `sync="manual"`."""
        for entry in self._each():
            entry.sync()

    def reset(self) -> None:
        """Forget all rows."""
        for entry in self._each():
            entry.reset()

    def freeze(self) -> None:
        """Let `update` do nothing, also after a reload."""
        for entry in self._each():
            entry.freeze()

    def unfreeze(self) -> None:
        """Let `update` work again."""
        for entry in self._each():
            entry.unfreeze()

    def __setstate__(self, state: dict[str, Any]) -> None:
        # 0.1.0 kept the options as they were given.
        options = state.pop("options", None)
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if options is not None:
            self._new = partial(RunningMeanStd, **options)

    def _entry(self, shape: Any, is_nested: bool) -> Entry:
        return RunningMeanStdDict(shape, **self._new.keywords) if is_nested else self._new(shape=shape)

    def _at(self, key: str) -> Entry:
        return cast("Entry", self.entries[key])

    def _each(self) -> Iterator[Entry]:
        return map(self._at, self.entries)

    def _map(self, read: Callable[[RunningMeanStd], Any]) -> dict[str, Any]:
        return {
            key: read(entry) if isinstance(entry, RunningMeanStd) else entry._map(read)
            for key, entry in zip(self.entries, self._each())
        }

    def _add(self, key: str, entry: nn.Module) -> None:
        try:
            self.entries[key] = entry
        except KeyError as error:
            raise ValueError(
                f"observation {key!r} cannot be a part of a state_dict key: rename it"
            ) from error

    def _same_keys(self, given: Any) -> list[str]:
        if set(given.keys()) != set(self.entries.keys()):
            difference = ", ".join(sorted(set(given.keys()) ^ set(self.entries.keys())))
            raise ValueError(f"observations and statistics differ in: {difference}")
        return list(given.keys())

    def _tensors(self, observations: Observations) -> dict[str, Any]:
        """Return the observations as tensors, where entries are known."""
        known = set(self.entries)
        return {
            key: value if key not in known else self._tensors_at(key, value)
            for key, value in observations.items()
        }

    def _tensors_at(self, key: str, value: Any) -> Any:
        entry = self._at(key)
        if isinstance(entry, RunningMeanStd):
            return entry._input(value)
        return entry._tensors(value)

    def _pairs(self, observations: Observations) -> list[tuple[RunningMeanStd, Tensor]]:
        """Return each normalizer with its value, all checked before one of them is changed."""
        pairs: list[tuple[RunningMeanStd, Tensor]] = []
        if not self.entries:
            for key, value in observations.items():
                self._add(key, self._entry(None, isinstance(value, Mapping)))
        for key in self._same_keys(observations):
            entry, value = self._at(key), observations[key]
            if isinstance(entry, RunningMeanStdDict):
                pairs += entry._pairs(value)
                continue
            if entry.shape is not None:
                check_rows(value, entry.shape)
            pairs.append((entry, value))
        return pairs

    def _nested(self, observations: Observations, found: Iterator[Tensor]) -> dict[str, Any]:
        """Return values in the order of `_pairs`, nested as the observations."""
        return {
            key: next(found)
            if isinstance(self.entries[key], RunningMeanStd)
            else cast("RunningMeanStdDict", self.entries[key])._nested(observations[key], found)
            for key in observations
        }

    def _load_from_state_dict(
        self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], strict: bool, *found: list[str]
    ) -> None:
        """Make the entries that a checkpoint has, where none are known yet; raise `RuntimeError` for a bad one.

        That is raised at once, so that none of the others is copied.
        """
        if not self.entries:
            self._add_from(state, prefix)
        parts = self._parts(state, prefix)
        problems = [part.problem for part in parts if part.problem]
        missing = [f'"{key}"' for part in parts for key in part.missing]
        if missing and strict:
            problems.append(f"Missing key(s) in state_dict: {', '.join(missing)}")
        if problems:
            raise RuntimeError(f"nothing is copied: {'; '.join(problems)}")
        super()._load_from_state_dict(state, prefix, metadata, strict, *found)

    def _add_from(self, state: Mapping[str, Any], prefix: str) -> None:
        start = f"{prefix}entries."
        own = [key.removeprefix(start).split(".") for key in state if key.startswith(start)]
        for key in dict.fromkeys(parts[0] for parts in own):
            self._add(key, self._entry(None, any(parts[:2] == [key, "entries"] for parts in own)))

    def _parts(self, state: dict[str, Any], prefix: str) -> list[Part]:
        """Return what a state_dict says of all entries; those of one that is not made yet, later."""
        return [
            part
            for key, entry in zip(self.entries, self._each())
            for part in entry._parts(state, f"{prefix}entries.{key}.")
        ]


def _are_built(entries: list[RunningMeanStd]) -> bool:
    return all(entry.shape is not None for entry in entries)
