"""Reading a file that a stranger may have put there: it neither hangs nor fills the memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Optional
from typing import Union

# Files of code and settings are far smaller; a file with holes may say that it has a terabyte.
MAX_BYTES = 32_000_000
READ_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_plain(path: Union[str, Path], seen: Optional[os.stat_result] = None) -> bytes:
    """Return what a regular file holds, `seen` being its looks; raise OSError for any other, and for a huge one."""
    seen = os.stat(path) if seen is None else seen
    # A device is not even opened: that may do something.
    _refuse_others(seen)
    _refuse_huge(seen.st_size)
    with open(os.open(path, READ_FLAGS), "rb") as file:
        data = file.read(seen.st_size + 1) or b""
        # What the kernel makes up, as below /proc, says that it is empty, and may have no end.
        if len(data) > seen.st_size:
            data += file.read(MAX_BYTES) or b""
    _refuse_huge(len(data))
    return data


def refuse_strange(path: Union[str, Path]) -> None:
    """Raise OSError for a device, a pipe or a huge file, which a reader other than ours would wait for."""
    try:
        seen = os.stat(path)
    except OSError:
        return
    if not stat.S_ISDIR(seen.st_mode):
        _refuse_others(seen)
        _refuse_huge(seen.st_size)


def _refuse_others(seen: os.stat_result) -> None:
    if not stat.S_ISREG(seen.st_mode):
        raise OSError(0, "Not a regular file")


def _refuse_huge(size: int) -> None:
    if size > MAX_BYTES:
        raise OSError(errno.EFBIG, f"Larger than {MAX_BYTES // 1_000_000} MB")
