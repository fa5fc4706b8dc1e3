"""Put the random state of a process back, so that two copies draw the same numbers."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import torch


def remember() -> Callable[[], None]:
    """Return a function that puts the global generators of Python, numpy and torch back to where they are now."""
    python = random.getstate()
    host = torch.get_rng_state()
    started = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = torch.cuda.get_rng_state_all() if started else []
    numpy = sys.modules.get("numpy")
    array = numpy.random.get_state() if numpy is not None else None

    def put_back() -> None:
        random.setstate(python)
        torch.set_rng_state(host)
        if devices:
            torch.cuda.set_rng_state_all(devices)
        if numpy is not None:
            numpy.random.set_state(array)

    return put_back
