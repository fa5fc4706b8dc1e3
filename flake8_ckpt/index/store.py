"""A place that several machines share, behind a URL of fsspec: signed files, read whole or not at all.

Whoever can write there is not trusted: a file counts only if it was signed with the key that the environment names.
A store that does not answer is left alone for the rest of the run, which goes on without it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from typing import Any
from typing import Optional
from typing import TypeVar

import msgspec
from msgspec import Struct

from flake8_ckpt.index.bounded import within
from flake8_ckpt.index.signature import HEADER_BYTES
from flake8_ckpt.index.signature import KEY_VARIABLE
from flake8_ckpt.index.signature import environment_key
from flake8_ckpt.index.signature import header
from flake8_ckpt.index.signature import is_signed
from flake8_ckpt.index.signature import is_whole

# What a run waits for one reading or writing at most.
SECONDS = 5.0
MAX_BYTES = 256_000_000
Packed = TypeVar("Packed", bound=Struct)
Result = TypeVar("Result")


@dataclass
class Store:
    """The files below a URL; `notes` has a line for everything that went wrong, and `is_left` says to go without."""

    url: str
    notes: list[str] = field(default_factory=list)
    is_left: bool = False

    def read(self, name: str, kind: type[Packed]) -> Optional[Packed]:
        """Return the record in a file; anything that is not exactly right counts as nothing."""
        key = self._key()
        data = self._ask("read", lambda: _fetch(self.url, name)) if key is not None else None
        if key is None or not data:
            return None
        head, payload = data[:HEADER_BYTES], data[HEADER_BYTES:]
        if len(data) > MAX_BYTES or not is_signed(key, name, head) or not is_whole(head, payload):
            self._note(f"what is there is not signed with our {KEY_VARIABLE}: it counts for nothing")
            return None
        try:
            return msgspec.msgpack.decode(payload, type=kind)
        except (msgspec.MsgspecError, RecursionError, MemoryError):
            return None

    def write(self, name: str, record: Struct) -> None:
        """Put a record into a file, where it is not too large."""
        key = self._key()
        payload = msgspec.msgpack.encode(record) if key is not None else b""
        if key is not None and len(payload) < MAX_BYTES - HEADER_BYTES:
            data = header(key, name, payload) + payload
            self._ask("written", lambda: _put(self.url, name, data))

    def _key(self) -> Optional[bytes]:
        """Return the key, None where the store is not to be used."""
        if self.is_left:
            return None
        key = environment_key()
        if key is None:
            self._leave(f"{KEY_VARIABLE} is not set: make it a secret that those who share this cache have")
        elif not os.path.isabs(os.path.expanduser("~")):
            # fsspec would read its settings from a folder named `~`, which a linted repository may have.
            self._leave("there is no home folder: set HOME")
        return key if not self.is_left else None

    def _ask(self, done: str, work: Callable[[], Result]) -> Optional[Result]:
        """Return what the store says in time; nothing that goes wrong there is our user's problem."""
        try:
            return within(SECONDS, work)
        except FileNotFoundError as error:
            if done != "read":
                self._leave(f"cannot be {done} ({_reason(error)})")
        except ImportError as error:
            self._leave(
                f"{_reason(error)}: pip install 'flake8-ckpt[remote]' and what this kind of URL needs"
            )
        except Exception as error:
            self._leave(f"cannot be {done} ({_reason(error)})")
        return None

    def _leave(self, why: str) -> None:
        self.is_left = True
        self._note(f"{why}; going on without it")

    def _note(self, text: str) -> None:
        line = f"shared cache {without_password(self.url)}: {text}"
        if line not in self.notes:
            self.notes.append(line)


@cache
def open_store(url: str) -> Store:
    """Return the store of a URL, one in a process: once it does not answer, nobody waits for it again."""
    return Store(url.rstrip("/"))


def is_url(text: str) -> bool:
    """Say whether a text is a URL, and not the path of a folder."""
    return "://" in text


def without_password(url: str) -> str:
    """Return a URL as it may be printed: without the name and password that it may hold."""
    from urllib.parse import urlsplit

    try:
        host = urlsplit(url).netloc
    except ValueError:
        return url.partition("://")[0] + "://..."
    return url.replace(host, f"***@{host.rpartition('@')[2]}", 1) if "@" in host else url


def _fetch(url: str, name: str) -> bytes:
    """Return a file, or as much of it as is more than we read."""
    filesystem, folder = _filesystem(url)
    data: bytes = filesystem.cat_file(f"{folder}/{name}", start=0, end=MAX_BYTES + 1)
    return data


def _put(url: str, name: str, data: bytes) -> None:
    filesystem, folder = _filesystem(url)
    if "file" in filesystem.protocol:
        filesystem.makedirs(folder, exist_ok=True)
    filesystem.pipe_file(f"{folder}/{name}", data)


# fsspec has no types.
def _filesystem(url: str) -> tuple[Any, str]:
    """Return fsspec's view of a URL, and the path in it."""
    import fsspec

    filesystem, folder = fsspec.url_to_fs(url)
    return filesystem, folder.rstrip("/")


def _reason(error: Exception) -> str:
    """Return an error in one short line."""
    detail = " ".join(str(error).split())[:160]
    return detail or type(error).__name__
