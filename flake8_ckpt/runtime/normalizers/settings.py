"""The hyper-parameters that change results: as numbers for people, as buffers for the checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields
from typing import TypeVar

import torch
from torch import Tensor

Choice = TypeVar("Choice", bound=str)
# The format of the state: a checkpoint with a higher one is refused.
VERSION = 2
# The limit of a count that has none: no run comes so far, and averaging copies of it leaves it as it is.
NO_END = 2**62


@dataclass(frozen=True)
class Settings:
    """What a checkpoint restores beside the statistics.

    `clip` is `inf`, `until` is -1 and `decay` is 1.0 where they are off.
    """

    epsilon: float = 1e-8
    clip: float = math.inf
    until: int = -1
    decay: float = 1.0
    min_count: int = 2
    frozen: bool = False
    version: int = VERSION

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon < math.inf:
            raise ValueError(f"epsilon must be at least 0 and finite, not {self.epsilon}")
        if not self.clip > 0:
            raise ValueError(f"clip must be above 0, not {self.clip}")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must be above 0 and at most 1, not {self.decay}")
        if self.min_count < 0:
            raise ValueError(f"min_count must be at least 0, not {self.min_count}")
        if 0 <= self.until < self.min_count:
            raise ValueError(f"until must be at least min_count, {self.min_count}, not {self.until}")

    def tensors(self, device: torch.device | str | None = None) -> dict[str, Tensor]:
        """Return the buffers that hold these, of the dtypes in `DTYPES`.

        `clip` is the least and the largest output. Rows are taken while `count < limit`; a frozen limit is `~limit`,
        which is negative. `decay` is of shape `(1,)` where there is one: that shows without a look at the device,
        and a checkpoint that has one does not fit silently where there is none.
        """
        limit = NO_END if self.until < 0 else self.until
        values = {
            "epsilon": self.epsilon,
            "clip": [-self.clip, self.clip],
            "limit": ~limit if self.frozen else limit,
            "decay": 1.0 if self.decay == 1 else [self.decay],
            "min_count": self.min_count,
            "version": self.version,
        }
        return {
            name: torch.tensor(value, dtype=DTYPES[name], device=device) for name, value in values.items()
        }

    @classmethod
    def of(cls, buffers: Mapping[str, Tensor]) -> Settings:
        """Return what the buffers say, which waits for their device; raise `ValueError` where it is not possible."""
        limit, (least, clip) = int(buffers["limit"]), buffers["clip"].tolist()
        if least != -clip:
            raise ValueError(f"clip must be a number and its negative, not {least} and {clip}")
        until = ~limit if limit < 0 else limit
        return cls(
            epsilon=buffers["epsilon"].item(),
            clip=clip,
            until=-1 if until >= NO_END else until,
            decay=buffers["decay"].item(),
            min_count=int(buffers["min_count"]),
            frozen=limit < 0,
        )

    def difference(self, other: Settings) -> str:
        """Return the fields in which another record differs, as text; "" where it does not."""
        names = [each.name for each in fields(self) if getattr(self, each.name) != getattr(other, each.name)]
        return ", ".join(f"{name} {getattr(self, name)} (not {getattr(other, name)})" for name in names)


DTYPES = {
    "epsilon": torch.float64,
    "clip": torch.float64,
    "limit": torch.int64,
    "decay": torch.float64,
    "min_count": torch.int64,
    "version": torch.int64,
}


def settings_of(
    epsilon: float, clip: float | None, until: int | None, decay: float | None, min_count: int
) -> Settings:
    """Return the settings of a constructor, where `None` turns a limit off."""
    return Settings(
        epsilon=epsilon,
        clip=math.inf if clip is None else clip,
        until=-1 if until is None else until,
        decay=1.0 if decay is None else decay,
        min_count=min_count,
    )


def checked_choice(name: str, value: Choice, choices: tuple[Choice, ...]) -> Choice:
    """Return an argument, or raise `ValueError` where it is none of its choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value
