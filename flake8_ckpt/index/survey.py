"""A look at every file of a project: what it holds by digest, read only where it looks different from before."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Optional
from typing import Union

from msgspec import Struct

from flake8_ckpt.plain_file import read_plain

DIGEST_SIZE = 16
# A file that was changed this shortly before it was read may change again without a trace:
# clocks of file systems tick as slowly as every two seconds.
RACY_NS = 2_000_000_000
INODE_BITS = (1 << 63) - 1
# What stands between the path and the name in the identity of a class or function.
IDENTITY = ":"
WITH_COLON = "its name has a colon"
# The error of a file whose content has gone between the look and the collecting.
CHANGED = "changed while it was read"


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """How a file looked when its content had this digest."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    digest: bytes


class Survey(Struct, frozen=True):
    """The digest of each file by path, how those look whose looks can be trusted, and what could not be read.

    `replaced` is the content of those files that do not have it on disk.
    """

    root: Path
    digests: dict[str, bytes] = {}
    marks: dict[str, Mark] = {}
    unreadable: list[tuple[str, str]] = []
    replaced: Mapping[str, bytes] = {}

    def only(self, paths: Container[str]) -> Survey:
        """Return the survey of some files."""
        digests = {path: digest for path, digest in self.digests.items() if path in paths}
        return Survey(self.root, digests, replaced=self.replaced)

    def content_of(self, path: str) -> Optional[bytes]:
        """Return what a file held at the look, None where it has changed since."""
        try:
            data = self.replaced[path] if path in self.replaced else read_plain(self.root / path)
        except OSError:
            return None
        return data if digest_of(data) == self.digests.get(path) else None


def survey_files(
    root: Path, paths: Sequence[str], marks: Mapping[str, Mark], replaced: Mapping[str, bytes]
) -> Survey:
    """Look at all files; `marks` tells how they looked before."""
    base = os.path.join(os.fspath(root), "")
    survey = Survey(root, replaced=replaced)
    for path in dict.fromkeys((*paths, *replaced)):
        data = replaced.get(path) if IDENTITY not in path else None
        mark = marks.get(path)
        if data is not None:
            survey.digests[path] = digest_of(data)
            if mark is not None:
                survey.marks[path] = mark
            continue
        try:
            if IDENTITY in path:
                raise ValueError(WITH_COLON)
            _look(survey, path, base, mark)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            survey.unreadable.append((path, reason or str(error)))
    return survey


def digest_of(data: Union[bytes, memoryview]) -> bytes:
    """Return the key of a content."""
    return hashlib.blake2b(data, digest_size=DIGEST_SIZE).digest()


def _look(survey: Survey, path: str, base: str, mark: Optional[Mark]) -> None:
    """Note a file of the disk; read it only where it looks different from its mark."""
    seen = os.stat(base + path)
    if mark is not None and _is_same(mark, seen):
        survey.marks[path] = mark
        survey.digests[path] = mark.digest
        return
    now = time.time_ns()
    digest = survey.digests[path] = digest_of(read_plain(base + path, seen))
    if max(seen.st_mtime_ns, seen.st_ctime_ns) < now - RACY_NS:
        inode = seen.st_ino & INODE_BITS
        survey.marks[path] = Mark(seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, inode, digest)


def _is_same(mark: Mark, seen: os.stat_result) -> bool:
    return (
        mark.mtime_ns == seen.st_mtime_ns
        and mark.size == seen.st_size
        and mark.ctime_ns == seen.st_ctime_ns
        and mark.inode == seen.st_ino & INODE_BITS
    )
