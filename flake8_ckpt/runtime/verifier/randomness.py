"""Put the random state of a process back, so that two copies draw the same numbers."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class RandomState:
    """The states of the global generators of Python, torch on each device, and numpy, where it is imported."""

    python: Any
    host: torch.Tensor
    devices: list[torch.Tensor]
    numpy: Any


def random_state() -> RandomState:
    """Return the states of the global generators as they are now."""
    started = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = torch.cuda.get_rng_state_all() if started else []
    numpy = sys.modules.get("numpy")
    array = numpy.random.get_state() if numpy is not None else None
    return RandomState(random.getstate(), torch.get_rng_state(), devices, array)


def restore(state: RandomState) -> None:
    """Put the global generators to a state."""
    random.setstate(state.python)
    torch.set_rng_state(state.host)
    if state.devices:
        torch.cuda.set_rng_state_all(state.devices)
    numpy = sys.modules.get("numpy")
    if numpy is not None and state.numpy is not None:
        numpy.random.set_state(state.numpy)
