"""What is kept of a project between runs: how its files looked, their facts, and the last verdicts.

An accelerator that is right even when every write fails.
"""

from __future__ import annotations

import gc
import hashlib
import os
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Optional

from msgspec import Struct

from flake8_ckpt.index.folder import FOLDER
from flake8_ckpt.index.folder import Folder
from flake8_ckpt.index.survey import Mark
from flake8_ckpt.index.verdicts import Verdict

if TYPE_CHECKING:
    from flake8_ckpt.facts.model import FileFacts

MARKS_NAME = "index.bin"
MARKS_VERSION = "2"
# Runs that alternate, such as those of an editor and of a hook, each find their own verdict.
KEPT_VERDICTS = 4


class Marks(Struct, frozen=True, array_like=True):
    """The index file: how each file of the project looked."""

    version: str
    marks: dict[str, Mark]


class Cache(Struct, frozen=True):
    """A folder with one index file, a pack of facts for each Python version, and some verdicts."""

    folder: Folder
    key: str = ""

    def marks(self) -> dict[str, Mark]:
        """Return how the files looked."""
        with paused_gc():
            found = self.folder.read(MARKS_NAME, Marks)
        return found.marks if found is not None and found.version == MARKS_VERSION else {}

    def store_marks(self, before: Mapping[str, Mark], after: Mapping[str, Mark]) -> None:
        """Write how the files look, where that has changed."""
        if before != after:
            self.folder.write(MARKS_NAME, Marks(MARKS_VERSION, dict(after)))

    def facts(self) -> dict[bytes, FileFacts]:
        """Return the facts by the digest of the content."""
        from flake8_ckpt.index.pack import Pack

        with paused_gc():
            pack = self.folder.read(pack_name(self.key), Pack)
        return pack.facts if pack is not None else {}

    def store_facts(self, before: Mapping[bytes, FileFacts], after: Mapping[bytes, FileFacts]) -> None:
        """Write the facts, where there are others now; the packs of other versions go."""
        from flake8_ckpt.index.pack import Pack

        if before.keys() != after.keys():
            name = pack_name(self.key)
            self.folder.write(name, Pack(dict(after)))
            self.folder.remove_others(name, name.rpartition("-")[0], keep=1)

    def verdict(self, name: str) -> Optional[Verdict]:
        """Return the last verdict on a project that was asked in the same way."""
        return self.folder.read(f"verdict-{name}.bin", Verdict)

    def store_verdict(self, name: str, verdict: Verdict) -> None:
        """Keep a verdict, and with it those of some other ways to ask."""
        own = f"verdict-{name}.bin"
        self.folder.write(own, verdict)
        self.folder.remove_others(own, "verdict-", KEPT_VERDICTS)


def open_cache(root: Path, cache_dir: Optional[Path], known: str = "") -> Cache:
    """Return the root's cache, in the root or in a folder that several roots share; see `facts_version`."""
    if cache_dir is None:
        return Cache(Folder(root / FOLDER), known)
    key = hashlib.blake2b(os.fsencode(root), digest_size=6).hexdigest()
    return Cache(Folder(cache_dir / f"{root.name}-{key}"), known)


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


@cache
def facts_version(known: str = "") -> str:
    """Return the key of everything but the content that facts depend on; `known` is what the user's records add."""
    package = Path(__file__).parent.parent
    folders = ("source", "facts", "frameworks")
    sources = [path for folder in folders for path in package.glob(f"{folder}/**/*.py")]
    sources += [package / "findings.py", package / "frameworks" / "records.json"]
    key = hashlib.blake2b(f"{sys.version}\0{known}".encode(), digest_size=8)
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
