"""The records of wrappers, of what an environment is wrapped in, and of models."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.facts.values import Call
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.allocation_sites import AllocationSite
from flake8_ckpt.linking.allocation_sites import Place


@dataclass(frozen=True, eq=False)
class Wrapper:
    """A `VecNormalize`: the call that made it; `restored` where it came with statistics from a file."""

    call: Call
    allocation: AllocationSite
    restored: bool

    @property
    def location(self) -> Spot:
        """Return where it is made."""
        return self.allocation.place.location


@dataclass(frozen=True)
class Wrapping:
    """The wrappers an environment may have; `known` is false where it may be something else too."""

    wrappers: tuple[Wrapper, ...] = ()
    known: bool = True

    @property
    def is_fresh(self) -> bool:
        """Tell whether the statistics begin anew, whichever branch made the environment."""
        return self.known and bool(self.wrappers) and not any(each.restored for each in self.wrappers)

    def __add__(self, other: Wrapping) -> Wrapping:
        return Wrapping((*self.wrappers, *other.wrappers), self.known and other.known)


@dataclass(frozen=True, eq=False)
class Model:
    """A call that made a model, or loaded one."""

    call: Call
    place: Place
    loaded: bool
