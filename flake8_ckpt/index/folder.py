"""The folder of a cache: files that only their own user could have written, read whole or not at all.

A linted repository is not trusted. Each file is signed with a key that lies in the user's own folder, so what comes
with a clone counts for nothing; a folder that is a link or lacks our tag is left alone.
"""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Optional
from typing import TypeVar

import msgspec
from msgspec import Struct

from flake8_ckpt.index.signature import HEADER_BYTES
from flake8_ckpt.index.signature import KEY_BYTES
from flake8_ckpt.index.signature import environment_key
from flake8_ckpt.index.signature import header
from flake8_ckpt.index.signature import is_signed
from flake8_ckpt.index.signature import is_whole

FOLDER = ".flake8_ckpt_cache"
STALE_SECONDS = 3600
# The facts of 100,000 files take a third of it.
MOST_BYTES = 1_000_000_000
TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag created by flake8-ckpt.\n"
    "# For information about cache directory tags see https://bford.info/cachedir/\n"
)
NOTES = ((".gitignore", "*\n"), ("CACHEDIR.TAG", TAG))
# The names of our own files, and of what a killed run leaves of them; nothing else is ever removed.
OWN_NAME = re.compile(r"(?:index|(?:facts|verdict)-[0-9a-z-]{1,60})\.bin(?P<part>\.\d+-\d+\.tmp)?")
# All that reading and writing an untrusted file may raise; each means "do it again".
Broken = (OSError, ValueError, TypeError, OverflowError, RecursionError, MemoryError, msgspec.MsgspecError)
Packed = TypeVar("Packed", bound=Struct)
# Neither links nor pipes are opened; Windows has no such flags.
READ_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)


class Folder(Struct, frozen=True):
    """A folder with signed files."""

    path: Path

    def read(self, name: str, kind: type[Packed]) -> Optional[Packed]:
        """Return the record in a file; anything that is not exactly right counts as nothing."""
        key = user_key()
        if key is None or not self._is_ours():
            return None
        try:
            payload = _read_signed(self.path / name, key)
            return None if payload is None else msgspec.msgpack.decode(payload, type=kind)
        except Broken:
            return None

    def write(self, name: str, record: Struct) -> None:
        """Put a record in place in one step; where that fails, nothing is left behind."""
        key = user_key()
        if key is None or not self._prepare():
            return
        with suppress(*Broken):
            payload = msgspec.msgpack.encode(record)
            _replace(self.path / name, header(key, name, payload), payload)

    def remove_others(self, name: str, prefix: str, keep: int) -> None:
        """Remove our files that begin with a prefix, and what killed runs left behind.

        The named file stays, and the newest of the others: a time in the future keeps nothing from its place.
        """
        if not self._is_ours():
            return
        with suppress(OSError):
            own = [entry for entry in os.scandir(self.path) if OWN_NAME.fullmatch(entry.name)]
            same = [each for each in own if each.name.startswith(prefix) and each.name.endswith(".bin")]
            old = sorted(same, key=lambda entry: (entry.name == name, _changed(entry)), reverse=True)[keep:]
            for entry in [*old, *filter(_is_stale, own)]:
                with suppress(OSError):
                    os.unlink(entry.path)

    def _is_ours(self) -> bool:
        """Say whether this is a folder that we made, and not a link to one."""
        try:
            if not stat.S_ISDIR(os.lstat(self.path).st_mode):
                return False
            return _read_plain(self.path / "CACHEDIR.TAG", len(TAG) + 1) == TAG.encode()
        except OSError:
            return False

    def _prepare(self) -> bool:
        """Make the folder and its two notes, unless there is another; say whether it can be used."""
        if self._is_ours():
            return True
        try:
            # A project that has gone meanwhile does not come back for its cache.
            if self.path.name != FOLDER:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.mkdir(self.path)
            if self.path.is_symlink() or not all(map(_is_note, os.listdir(self.path))):
                # Perhaps another process has just made it.
                return self._is_ours()
            for name, text in NOTES:
                _replace(self.path / name, text.encode())
        except OSError:
            return False
        return True


@cache
def user_key() -> Optional[bytes]:
    """Return the user's key: that of the environment, else the one in the user's cache folder, made if need be.

    None where the user has no folder that can be written: then there is no cache.
    """
    named = environment_key()
    if named is not None:
        return named
    try:
        path = user_folder() / "key"
        return _read_key(path) or _make_key(path)
    except OSError:
        return None


def user_folder() -> Path:
    """Return our folder among the user's caches; OSError where that is not the user's, but in the working folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    folder = Path(base or os.path.join(os.path.expanduser("~"), ".cache")) / "flake8-ckpt"
    # Without a home, as in many a container, `~` stays as it is: a linted repository may have a folder of that name.
    if not folder.is_absolute():
        raise FileNotFoundError(f"No home folder: {folder}")
    return folder


def _read_key(path: Path) -> Optional[bytes]:
    try:
        key = _read_plain(path, KEY_BYTES + 1)
    except FileNotFoundError:
        return None
    return key if len(key) == KEY_BYTES else None


def _make_key(path: Path) -> Optional[bytes]:
    """Make the key; where another process is faster, take that one's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(OSError):
        if path.exists() and path.stat().st_size != KEY_BYTES:
            os.unlink(path)
    temporary = f"{path}.{os.getpid()}-{time.monotonic_ns()}.tmp"
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(KEY_BYTES))
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        with suppress(OSError):
            os.unlink(temporary)
    return _read_key(path)


def _is_note(name: str) -> bool:
    """Say whether a file is one that a folder begins with, perhaps half-written by a run that was killed."""
    return name.startswith(tuple(note for note, _ in NOTES))


def _read_plain(path: Path, limit: int) -> bytes:
    """Return the beginning of a regular file that is no link."""
    with open(os.open(path, READ_FLAGS), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "Not a regular file")
        return file.read(limit)


def _read_signed(path: Path, key: bytes) -> Optional[bytes]:
    """Return what follows a right header; without one nothing more is read, however large the file is."""
    with open(os.open(path, READ_FLAGS), "rb") as file:
        seen = os.fstat(file.fileno())
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > MOST_BYTES:
            return None
        head = file.read(HEADER_BYTES)
        if not is_signed(key, path.name, head):
            return None
        payload = file.read()
    return payload if is_whole(head, payload) else None


def _changed(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def _is_stale(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".tmp") and time.time_ns() - _changed(entry) > STALE_SECONDS * 1_000_000_000


def _replace(path: Path, *parts: bytes) -> None:
    """Put a file in place in one step; leave nothing behind where that fails."""
    temporary = f"{path}.{os.getpid()}-{time.monotonic_ns()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.writelines(parts)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
