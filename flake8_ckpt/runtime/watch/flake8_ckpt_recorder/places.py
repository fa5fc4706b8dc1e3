"""Which files are the user's own, and from which of their lines a call came."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from types import FrameType
from typing import Any
from typing import Iterator
from typing import Optional

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARY_FOLDERS = ("site-packages", "dist-packages")
Place = tuple[str, int]


@functools.lru_cache(maxsize=None)
def _library_roots() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({os.path.realpath(paths[name]) + os.sep for name in ("stdlib", "platstdlib")})


@functools.lru_cache(maxsize=None)
def is_project_file(name: str) -> bool:
    """Tell whether a file is the user's own: outside the standard library and installed packages."""
    if not name or name.startswith("<") or not os.path.isfile(name):
        return False
    real = os.path.realpath(name)
    if real.startswith((HERE, *_library_roots())):
        return False
    return not any(f"{os.sep}{folder}{os.sep}" in real for folder in LIBRARY_FOLDERS)


def project_frames(frame: Optional[FrameType]) -> Iterator[FrameType]:
    """Yield the frames of project files, from the inside out."""
    while frame is not None:
        if is_project_file(file_of(frame)):
            yield frame
        frame = frame.f_back


def file_of(frame: FrameType) -> str:
    """Return the file of a frame, as it was when its code was compiled."""
    return absolute(frame.f_code.co_filename)


@functools.lru_cache(maxsize=None)
def absolute(name: str) -> str:
    """Return an absolute path; the first answer holds, because a program may change its folder."""
    return name if name.startswith("<") else os.path.abspath(name)


def caller(depth: int = 1) -> Place:
    """Return the innermost project line of the stack, or an empty one."""
    for frame in project_frames(sys._getframe(depth)):
        return file_of(frame), frame.f_lineno
    return "", 0


def file_of_module(module: Any) -> str:
    """Return the file of a module, or an empty string; nothing of its code is run."""
    file = getattr(module, "__dict__", {}).get("__file__")
    return absolute(file) if isinstance(file, str) else ""


@functools.lru_cache(maxsize=None)
def _file_of_name(name: str) -> str:
    return file_of_module(sys.modules.get(name))


def class_file(cls: type[Any]) -> str:
    """Return the file that defines a class, or an empty string."""
    noted = CLASS_FILES.get(cls)
    return noted if noted is not None else _file_of_name(cls.__module__)


# Noted when a class is built: `__main__.__file__` is gone when exit handlers run.
CLASS_FILES: dict[type[Any], str] = {}
