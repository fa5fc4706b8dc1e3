"""The hyper-parameters that change results: kept in the checkpoint as buffers, mirrored as numbers for speed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from dataclasses import fields
from typing import TypeVar

import torch
from torch import Tensor

Choice = TypeVar("Choice", bound=str)
# The format of the state: a checkpoint with a higher one is refused.
VERSION = 1


@dataclass(frozen=True)
class Settings:
    """What a checkpoint restores beside the statistics.

    `clip` is `inf`, `until` is -1 and `decay` is 1.0 where they are off, because a buffer holds numbers only.
    """

    epsilon: float = 1e-8
    clip: float = math.inf
    until: int = -1
    decay: float = 1.0
    min_count: int = 2
    frozen: bool = False
    version: int = VERSION

    def __post_init__(self) -> None:
        if not self.epsilon >= 0:
            raise ValueError(f"epsilon must be at least 0, not {self.epsilon}")
        if not self.clip > 0:
            raise ValueError(f"clip must be above 0, not {self.clip}")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must be above 0 and at most 1, not {self.decay}")
        if 0 <= self.until < self.min_count:
            raise ValueError(f"until must be at least min_count, {self.min_count}, not {self.until}")
        if self.version > VERSION:
            raise ValueError(f"version {self.version} is newer than {VERSION}: update flake8-ckpt")

    @property
    def limit(self) -> float | None:
        """Return the largest absolute value of the output, `None` where there is no limit."""
        return None if self.clip == math.inf else self.clip

    def tensors(self, device: torch.device | str | None = None) -> dict[str, Tensor]:
        """Return a tensor of shape `()` for each field: float64, int64 or bool."""
        return {
            name: torch.tensor(getattr(self, name), dtype=dtype, device=device)
            for name, dtype in DTYPES.items()
        }

    def difference(self, other: Settings) -> str:
        """Return the fields in which another record differs, as text; "" where it does not."""
        names = [each.name for each in fields(self) if getattr(self, each.name) != getattr(other, each.name)]
        return ", ".join(f"{name} {getattr(self, name)} (not {getattr(other, name)})" for name in names)


DTYPES = {
    each.name: {"float": torch.float64, "int": torch.int64, "bool": torch.bool}[str(each.type)]
    for each in fields(Settings)
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
