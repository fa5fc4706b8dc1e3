"""What is kept of a project between runs: how its files looked, their facts, and the last verdicts.

An accelerator that is right even when every write fails.
"""

from __future__ import annotations

import gc
import hashlib
import os
import re
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
    from flake8_ckpt.index.store import Store

MARKS_NAME = "index.bin"
MARKS_VERSION = "2"
# Runs that alternate, such as those of an editor and of a hook, each find their own verdict.
KEPT_VERDICTS = 4
# How many times the facts of a project a shared file may hold, so that branches do not take each other's.
GROWTH = 4
# New facts of one in so many files are put into a pack of their own; for more, that of the whole is written again.
RECENT_SHARE = 50
RECENT = "recent"
UNUSUAL = re.compile(r"[^A-Za-z0-9_.-]")


class Marks(Struct, frozen=True, array_like=True):
    """The index file: how each file of the project looked."""

    version: str
    marks: dict[str, Mark]


class Cache(Struct, frozen=True):
    """A folder with one index file, a pack of facts for each Python version, and some verdicts.

    With a `store`, facts are also shared with other machines, in a file that begins with `project`.
    """

    folder: Folder
    key: str = ""
    store: Optional[Store] = None
    project: str = ""

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
        with paused_gc():
            return {**self._packed(pack_name(self.key)), **self._packed(pack_name(self.key, RECENT))}

    def _packed(self, name: str) -> dict[bytes, FileFacts]:
        from flake8_ckpt.index.pack import Pack

        pack = self.folder.read(name, Pack)
        return pack.facts if pack is not None else {}

    def store_facts(self, before: Mapping[bytes, FileFacts], after: Mapping[bytes, FileFacts]) -> None:
        """Write the facts, where there are others now; the packs of other versions go.

        A few new ones go into a pack beside that of the whole project, which is left as it is.
        """
        from flake8_ckpt.index.pack import Pack

        if before.keys() == after.keys():
            return
        earlier = self._packed(pack_name(self.key, RECENT))
        recent = {each: facts for each, facts in after.items() if each in earlier or each not in before}
        few = len(before) // RECENT_SHARE
        if len(recent) <= few and len(before) <= len(after) + few:
            if recent.keys() != earlier.keys():
                self.folder.write(pack_name(self.key, RECENT), Pack(recent))
            return
        name = pack_name(self.key)
        self.folder.write(name, Pack(dict(after)))
        self.folder.remove_others(name, name.rpartition("-")[0], keep=1)

    def shared_facts(self) -> dict[bytes, FileFacts]:
        """Return what other machines have left for this project, or for another of its name."""
        from flake8_ckpt.index.pack import Pack

        if self.store is None:
            return {}
        with paused_gc():
            pack = self.store.read(self._shared_name(), Pack)
        return pack.facts if pack is not None else {}

    def share_facts(self, before: Mapping[bytes, FileFacts], after: Mapping[bytes, FileFacts]) -> None:
        """Leave facts for other machines, where there are new ones; those of other branches stay for a while."""
        from flake8_ckpt.index.pack import Pack

        if self.store is None or after.keys() <= before.keys():
            return
        both = {**before, **after}
        self.store.write(self._shared_name(), Pack(both if len(both) <= GROWTH * len(after) else dict(after)))

    def _shared_name(self) -> str:
        return f"{self.project}-{pack_name(self.key)}"

    def verdict(self, name: str) -> Optional[Verdict]:
        """Return the last verdict on a project that was asked in the same way."""
        return self.folder.read(f"verdict-{name}.bin", Verdict)

    def store_verdict(self, name: str, verdict: Verdict) -> None:
        """Keep a verdict, and with it those of some other ways to ask."""
        own = f"verdict-{name}.bin"
        self.folder.write(own, verdict)
        self.folder.remove_others(own, "verdict-", KEPT_VERDICTS)


def open_cache(root: Path, cache_dir: Optional[Path], known: str = "", cache_url: str = "") -> Cache:
    """Return the root's cache, in the root or in a folder that several roots share, and what machines share of it.

    The key of `known` libraries is part of each record; see `facts_version`.
    """
    store = _shared(cache_url) if cache_url else None
    project = UNUSUAL.sub("-", root.name) or "root"
    if cache_dir is None:
        return Cache(Folder(root / FOLDER), known, store, project)
    key = hashlib.blake2b(os.fsencode(root), digest_size=6).hexdigest()
    return Cache(Folder(cache_dir / f"{root.name}-{key}"), known, store, project)


def _shared(url: str) -> Store:
    from flake8_ckpt.index.store import open_store

    return open_store(url)


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
    key = hashlib.blake2b(f"{sys.version}\0{known}\0{code_version()}".encode(), digest_size=8)
    with suppress(PackageNotFoundError):
        key.update(version("libcst").encode())
    return key.hexdigest()


@cache
def code_version() -> str:
    """Return the digest of our own code that facts depend on."""
    package = Path(__file__).parent.parent
    folders = ("source", "facts", "frameworks")
    sources = [path for folder in folders for path in package.glob(f"{folder}/**/*.py")]
    sources += [package / "findings.py", package / "frameworks" / "records.json"]
    key = hashlib.blake2b(digest_size=8)
    for path in sorted(sources):
        with suppress(OSError):
            key.update(path.read_bytes())
    return key.hexdigest()


@cache
def pack_name(known: str = "", part: str = "") -> str:
    """Return the name of the pack for this version, this Python, and what the user's records add, or of a part."""
    name = f"facts-py{sys.version_info[0]}{sys.version_info[1]}-{facts_version(known)}"
    return f"{name}-{part}.bin" if part else f"{name}.bin"
