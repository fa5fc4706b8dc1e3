"""Note which lines of one file run: what does not run cannot be refuted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def ran_lines(path: str) -> Iterator[set[int]]:
    """Give the set of the lines of a file that run in the block, which grows while they do."""
    lines: set[int] = set()

    def local(frame: FrameType, event: str, argument: Any) -> Any:
        lines.add(frame.f_lineno)
        return local

    def every(frame: FrameType, event: str, argument: Any) -> Any:
        return local if frame.f_code.co_filename == path else None

    before = sys.gettrace()
    sys.settrace(every)
    try:
        yield lines
    finally:
        sys.settrace(before)
