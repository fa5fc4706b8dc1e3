"""Open a file for reading, and only a file: anything else, such as a pipe, could make us wait for ever."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from pathlib import Path

from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.region import Region


def open_region(path: Path, stack: ExitStack) -> Region:
    """Return all of a regular file, which the stack closes; raise `CheckpointError` where it is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise CheckpointError(error.strerror or str(error)) from error
    except ValueError as error:
        raise CheckpointError(f"no path of a file: {error}") from error
    file = stack.enter_context(os.fdopen(descriptor, "rb", buffering=0, closefd=True))
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError("not a regular file")
    return Region(file, 0, status.st_size)
