"""A normalizer for each entry of nested observations."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Union
from typing import cast

from torch import Tensor
from torch import nn

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
        self.options = options
        self.entries = nn.ModuleDict()
        for key, shape in (shapes or {}).items():
            self._add(key, self._entry(shape, isinstance(shape, Mapping)))

    def forward(self, observations: Observations) -> dict[str, Any]:
        """Return the normalized observations; the statistics stay as they are."""
        return self.normalize(observations)

    def update(self, observations: Observations, *, mask: Tensor | None = None) -> None:
        """Take a batch into the statistics; `mask` keeps rows, as for `RunningMeanStd.update`."""
        if not self.entries:
            for key, value in observations.items():
                self._add(key, self._entry(None, isinstance(value, Mapping)))
        self._check(observations)
        for key, value in observations.items():
            self._at(key).update(value, mask=mask)

    def normalize(self, observations: Observations) -> dict[str, Any]:
        """Return the observations, each in units of its standard deviations from its mean."""
        if not self.entries:
            return dict(observations)
        self._check(observations)
        return {key: self._at(key).normalize(value) for key, value in observations.items()}

    def denormalize(self, observations: Observations) -> dict[str, Any]:
        """Return what `normalize` turns into these observations, as far as it did not clip."""
        if not self.entries:
            return dict(observations)
        self._check(observations)
        return {key: self._at(key).denormalize(value) for key, value in observations.items()}

    def update_and_normalize(
        self, observations: Observations, *, mask: Tensor | None = None
    ) -> dict[str, Any]:
        """Take a batch into the statistics, then return it normalized."""
        self.update(observations, mask=mask)
        return self.normalize(observations)

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

    def _entry(self, shape: Any, is_nested: bool) -> Entry:
        return (
            RunningMeanStdDict(shape, **self.options) if is_nested else RunningMeanStd(shape, **self.options)
        )

    def _at(self, key: str) -> Entry:
        return cast("Entry", self.entries[key])

    def _each(self) -> Iterator[Entry]:
        return map(self._at, self.entries)

    def _add(self, key: str, entry: nn.Module) -> None:
        try:
            self.entries[key] = entry
        except KeyError as error:
            raise ValueError(
                f"observation {key!r} cannot be a part of a state_dict key: rename it"
            ) from error

    def _check(self, observations: Observations) -> None:
        """Check all entries before one of them is changed."""
        if observations.keys() != self.entries.keys():
            difference = ", ".join(sorted(set(observations) ^ set(self.entries.keys())))
            raise ValueError(f"observations and statistics differ in: {difference}")
        for key, value in observations.items():
            entry = self._at(key)
            if isinstance(entry, RunningMeanStd):
                if entry.shape is not None:
                    check_rows(value, entry.shape)
            elif entry.entries:
                entry._check(value)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        """Make the entries that a checkpoint has, where none are known yet."""
        if not self.entries:
            start = f"{prefix}entries."
            own = [key.removeprefix(start).split(".") for key in state_dict if key.startswith(start)]
            for key in dict.fromkeys(parts[0] for parts in own):
                nested = any(parts[:2] == [key, "entries"] for parts in own)
                self._add(key, self._entry(None, nested))
        super()._load_from_state_dict(state_dict, prefix, *arguments)
