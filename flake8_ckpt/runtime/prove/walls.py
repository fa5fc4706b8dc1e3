"""Wall in the process that runs the user's code: memory, network, and files outside of its own folder.

This keeps honest code from doing by accident what it does on import; it is no defence against malice.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress

GIBIBYTE = 2**30
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SOCKETS = frozenset(
    ["socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"]
)
CHANGES = frozenset(
    ["os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"]
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
DEVICES = ("/dev/null", "/dev/shm/")


class Refused(PermissionError):
    """What the user's code is not allowed to do here."""


def wall_in(folder: str, gibibytes: int = 2) -> tuple[str, ...]:
    """Set the limits of this process, and return them in words; `folder` is the one that may be written to."""
    walls = [_limit_memory(gibibytes), _leave_network()]
    sys.addaudithook(_guard(os.path.realpath(folder)))
    return (*filter(None, walls), "sockets refused", "no writing outside of a temporary folder")


def _limit_memory(gibibytes: int) -> str:
    """Limit what the process may allocate; its mapped libraries do not count, which CUDA's need not fit."""
    try:
        import resource
    except ImportError:
        return ""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (gibibytes * GIBIBYTE, gibibytes * GIBIBYTE))
        return f"{gibibytes} GB of memory"
    return ""


def _leave_network() -> str:
    """Move into a network without interfaces where the system lets an ordinary user do so."""
    if not sys.platform.startswith("linux"):
        return ""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) == 0 or libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
            return "a network of its own"
    return ""


def _guard(folder: str) -> Callable[[str, tuple[object, ...]], None]:
    allowed = (folder + os.sep, os.path.realpath(tempfile.gettempdir()) + os.sep, *DEVICES)

    def is_outside(path: object) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        name = os.path.realpath(os.fsdecode(path))
        return not f"{name}{os.sep}".startswith(allowed) and name not in DEVICES

    def guard(event: str, arguments: tuple[object, ...]) -> None:
        if event in SOCKETS:
            raise Refused("the network is not used by prove")
        if event == "open" and _writes(arguments) and is_outside(arguments[0]):
            raise Refused(f"prove writes nothing outside of a temporary folder: {arguments[0]!r}")
        if event in CHANGES and is_outside(arguments[0]):
            raise Refused(f"prove changes nothing outside of a temporary folder: {arguments[0]!r}")

    return guard


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & WRITING)
