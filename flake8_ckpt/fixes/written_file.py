"""Put a fixed file in the place of the old one: whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX, SUFFIX = ".flake8-ckpt-", ".tmp"


class Left(Exception):
    """A file that must stay as it is; `reason` says why in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def open_for_fixing(root: Path, path: Path) -> bytes:
    """Return the content of a file that may be fixed; raise Left where it may not."""
    if path.is_symlink():
        raise Left(f"is a link to {os.readlink(path)}: name that file")
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(root)):
        raise Left(f"lies outside the project's folder {root}: run the command there")
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise Left("is no regular file")
        if not mode & stat.S_IWUSR or not os.access(path, os.W_OK):
            raise Left("is read-only")
        return path.read_bytes()
    except OSError as error:
        raise Left(f"cannot be read ({error.strerror})") from error


def replace_content(path: Path, old: bytes, new: bytes) -> None:
    """Give a file a new content at once, keeping its permissions; raise Left where it is no longer the old one."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=PREFIX, suffix=SUFFIX)
    except OSError as error:
        raise Left(f"its folder cannot be written to ({error.strerror})") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner(path, name)
        if path.is_symlink() or path.read_bytes() != old:
            raise Left("has changed since it was checked: run the command again")
        os.replace(name, path)
    except OSError as error:
        raise Left(f"cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):
            os.unlink(name)


def _keep_owner(path: Path, name: str) -> None:
    """Give a new file the owner and the permissions of the old one, as far as the user may."""
    old = path.stat()
    with suppress(OSError, AttributeError):
        os.chown(name, old.st_uid, old.st_gid)
    os.chmod(name, stat.S_IMODE(old.st_mode))
