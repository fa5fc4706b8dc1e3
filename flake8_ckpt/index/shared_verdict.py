"""The verdict on a project that machines share: what one found, another finds without looking.

Machines differ in where our code lies and when it was installed, so here its content tells versions apart.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path
from typing import Optional

import msgspec
from msgspec import Struct

from flake8_ckpt.index.cache import Cache
from flake8_ckpt.index.store import Store
from flake8_ckpt.index.survey import Survey
from flake8_ckpt.index.verdicts import APART
from flake8_ckpt.index.verdicts import Verdict
from flake8_ckpt.index.verdicts import key_of


class SharedVerdict(Struct, frozen=True):
    """Where the last verdict on a project lies, and the key of what it would have to be about."""

    store: Store
    name: str
    key: bytes

    def read(self, local_key: bytes) -> Optional[Verdict]:
        """Return the verdict under the key that it has on this machine, if it is on the same project."""
        found = self.store.read(self.name, Verdict)
        if found is None or not found.answers(self.key, None):
            return None
        return msgspec.structs.replace(found, key=local_key)

    def write(self, verdict: Verdict) -> None:
        """Leave a verdict for other machines."""
        self.store.write(self.name, msgspec.structs.replace(verdict, key=self.key))


def shared_verdict(cache: Cache, survey: Survey, question: Sequence[str]) -> Optional[SharedVerdict]:
    """Return the shared verdict on a project that is asked about in some way, None where nothing is shared."""
    if cache.store is None:
        return None
    text = "\0".join((_code(), *question)).encode("utf-8", "surrogatepass")
    name = hashlib.blake2b(text, digest_size=8).hexdigest()
    return SharedVerdict(cache.store, f"{cache.project}-verdict-{name}.bin", key_of(name, survey))


@cache
def _code() -> str:
    """Return what tells one state of our own code from another on any machine: its content, the Python, and libcst."""
    package = Path(__file__).parent.parent
    digest = hashlib.blake2b(sys.version.encode(), digest_size=16)
    for path in sorted(_files(package)):
        digest.update(path.encode() + b"\0" + (package / path).read_bytes() + b"\0")
    with suppress(PackageNotFoundError):
        digest.update(version("libcst").encode())
    return digest.hexdigest()


def _files(package: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(package, followlinks=True):
        if Path(folder) == package:
            folders[:] = [name for name in folders if name not in APART]
        yield from (
            (Path(folder) / name).relative_to(package).as_posix()
            for name in names
            if name.endswith((".py", ".json"))
        )
