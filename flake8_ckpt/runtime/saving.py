"""Write a checkpoint so that an interrupted save leaves the old file as it was."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import torch


def save_checkpoint(payload: Any, path: str | os.PathLike[str]) -> None:
    """Write what `torch.save` writes to a temporary file beside `path`, then rename it.

    Raises what `torch.save` raises; the file at `path` is then the old one, and nothing else is left.
    """
    # A link stays one: the file that it names is replaced.
    target = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(payload, file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, target.stat().st_mode if target.exists() else 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    # There is no other way to read it than to set it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
