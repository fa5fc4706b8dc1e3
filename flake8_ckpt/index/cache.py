"""The facts of files on disk, by content: an accelerator that is right even when every write fails."""

from __future__ import annotations

import gc
import hashlib
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path
from typing import Optional
from typing import TypeVar
from typing import Union

import msgspec
from msgspec import Struct

from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks

FOLDER = ".flake8_ckpt_cache"
MARKS_NAME = "index.bin"
MARKS_VERSION = "1"
DIGEST_SIZE = 16
STALE_SECONDS = 3600
TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag created by flake8-ckpt.\n"
    "# For information about cache directory tags see https://bford.info/cachedir/\n"
)
# All that reading and writing an untrusted file may raise; each means "collect again".
Broken = (OSError, ValueError, TypeError, OverflowError, RecursionError, MemoryError, msgspec.MsgspecError)
Packed = TypeVar("Packed", bound=Struct)


class Mark(Struct, frozen=True, array_like=True):
    """How a file looked when its content had this digest."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    digest: bytes


class Marks(Struct, frozen=True, array_like=True):
    """The index file: how each file of the project looked."""

    version: str
    marks: dict[str, Mark]


class Pack(Struct, frozen=True, array_like=True):
    """The pack file: facts by the digest of the content."""

    version: str
    facts: dict[bytes, FileFacts]


@dataclass(frozen=True)
class Stored:
    """What a cache holds: `marks` by path, `facts` by digest."""

    marks: dict[str, Mark] = field(default_factory=dict)
    facts: dict[bytes, FileFacts] = field(default_factory=dict)


@dataclass(frozen=True)
class Cache:
    """A folder with one index file and one pack of facts for each Python version."""

    folder: Path
    key: str = ""

    def load(self) -> Stored:
        """Read what is there; anything that is not exactly right counts as nothing."""
        with paused_gc():
            marks = _read(self.folder / MARKS_NAME, Marks)
            pack = _read(self.folder / pack_name(self.key), Pack)
        return Stored(
            marks.marks if marks is not None and marks.version == MARKS_VERSION else {},
            pack.facts if pack is not None and pack.version == facts_version(self.key) else {},
        )

    def store(self, before: Stored, after: Stored) -> None:
        """Write what changed since it was loaded."""
        new_facts = before.facts.keys() != after.facts.keys()
        new_marks = before.marks != after.marks
        if not (new_facts or new_marks) or not self._prepare():
            return
        if new_facts:
            _write(self.folder / pack_name(self.key), Pack(facts_version(self.key), after.facts))
        if new_marks:
            _write(self.folder / MARKS_NAME, Marks(MARKS_VERSION, after.marks))
        self._remove_old()

    def _prepare(self) -> bool:
        """Make the folder and its two notes; say whether it can be used."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", TAG)):
                if not os.path.exists(self.folder / name):
                    _replace(self.folder / name, text.encode())
        except OSError:
            return False
        return True

    def _remove_old(self) -> None:
        """Remove the packs of other versions, and what a killed run left behind."""
        current = pack_name(self.key)
        prefix = current.rpartition("-")[0]
        with suppress(OSError):
            for entry in os.scandir(self.folder):
                is_old = entry.name.startswith(prefix) and entry.name.endswith(".bin")
                if (is_old and entry.name != current) or _is_stale(entry):
                    with suppress(OSError):
                        os.unlink(entry.path)


def open_cache(root: Path, cache_dir: Optional[Path], known: Frameworks = DEFAULT) -> Cache:
    """Return the root's cache, in the root or in a folder that several roots share."""
    if cache_dir is None:
        return Cache(root / FOLDER, known.key)
    key = hashlib.blake2b(os.fsencode(root), digest_size=6).hexdigest()
    return Cache(cache_dir / f"{root.name}-{key}", known.key)


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the collector of cycles quiet while many records without cycles are made, and from looking at them after."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()


def digest_of(data: Union[bytes, memoryview]) -> bytes:
    """Return the key of a content."""
    return hashlib.blake2b(data, digest_size=DIGEST_SIZE).digest()


@cache
def facts_version(known: str = "") -> str:
    """Return the key of everything but the content that facts depend on; `known` is what the user's records add."""
    package = Path(__file__).parent.parent
    folders = ("source", "facts", "frameworks")
    sources = [path for folder in folders for path in package.glob(f"{folder}/**/*.py")]
    sources += [package / "findings.py", package / "frameworks" / "records.json"]
    key = hashlib.blake2b(known.encode(), digest_size=8)
    for path in sorted(sources):
        with suppress(OSError):
            key.update(path.read_bytes())
    with suppress(PackageNotFoundError):
        key.update(version("libcst").encode())
    return key.hexdigest()


@cache
def pack_name(known: str = "") -> str:
    """Return the name of the pack for this version, this Python, and what the user's records add."""
    return f"facts-py{sys.version_info[0]}{sys.version_info[1]}-{facts_version(known)}.bin"


def _is_stale(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.name.endswith(".tmp") and time.time() - entry.stat().st_mtime > STALE_SECONDS
    except OSError:
        return False


def _read(path: Path, kind: type[Packed]) -> Optional[Packed]:
    """Return the record in a file, if the file is whole."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        data = path.read_bytes()
        payload = memoryview(data)[DIGEST_SIZE:]
        if digest_of(payload) != data[:DIGEST_SIZE]:
            return None
        return msgspec.msgpack.decode(payload, type=kind)
    except Broken:
        return None


def _write(path: Path, record: Struct) -> None:
    with suppress(*Broken):
        data = msgspec.msgpack.encode(record)
        _replace(path, digest_of(data), data)


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
