"""Keep our frames out of what the program prints when it fails."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Any
from typing import Optional

HERE = os.path.dirname(os.path.abspath(__file__))


def install() -> None:
    """Print an exception that nobody caught as it would be without us."""
    before = sys.excepthook

    def hook(kind: Any, error: Any, trace: Optional[TracebackType]) -> None:
        before(kind, error, _prune_all(error, trace))

    sys.excepthook = hook


def _prune_all(error: Any, trace: Optional[TracebackType]) -> Optional[TracebackType]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = prune(error.__traceback__)
        error = error.__cause__ or error.__context__
    return prune(trace)


def prune(trace: Optional[TracebackType]) -> Optional[TracebackType]:
    """Return a traceback without the frames of our files."""
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    current = trace
    while current is not None:
        following = current.tb_next
        while following is not None and _is_ours(following):
            following = following.tb_next
        current.tb_next = following
        current = following
    return trace


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(HERE)
