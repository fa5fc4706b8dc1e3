"""The verdict on a project: its findings, kept under the digest of everything that decides them."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path
from typing import Optional

from msgspec import Struct

from flake8_ckpt.findings import Confirmed
from flake8_ckpt.findings import Finding
from flake8_ckpt.index.survey import Survey


class Result(Struct, frozen=True, array_like=True):
    """What was found in a file of this content: what the rules yield, and what libcst made of it if it was asked."""

    digest: bytes
    candidates: tuple[Finding, ...]
    confirmed: Optional[Confirmed] = None


class Verdict(Struct, frozen=True, array_like=True):
    """What a run says of a project: results by path, and the files that cannot be parsed, with the reason.

    `about` are the files that were asked about, None for all.
    """

    key: bytes
    results: dict[str, Result]
    broken: dict[str, str]
    about: Optional[tuple[str, ...]] = None

    def answers(self, key: bytes, about: Optional[Collection[str]]) -> bool:
        """Tell whether this says what is asked of a project in the same state."""
        if self.key != key:
            return False
        return self.about is None or about is not None and set(about) <= set(self.about)

    def with_others(self, before: Optional[Verdict]) -> Verdict:
        """Return this together with what was said before of other files of the project in the same state."""
        if before is None or before.key != self.key or None in (before.about, self.about):
            return self
        about = sorted({*(before.about or ()), *(self.about or ())})
        return Verdict(self.key, {**before.results, **self.results}, self.broken, tuple(about))

    def confirmed(self, path: str, digest: bytes, candidates: Sequence[Finding]) -> Optional[Confirmed]:
        """Return what libcst made of the same candidates in the same content, if they were asked about."""
        result = self.results.get(path)
        if result is None or result.digest != digest or result.candidates != tuple(candidates):
            return None
        return result.confirmed


def question_name(parts: Sequence[str]) -> str:
    """Return the name of a way to ask: equal options give equal names."""
    text = "\0".join((_our_version(), *parts))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def key_of(question: str, survey: Survey) -> bytes:
    """Return the digest of everything that decides a verdict: the way to ask, and each file's path and content."""
    key = hashlib.blake2b(question.encode(), digest_size=32)
    for path, digest in sorted(survey.digests.items()):
        key.update(os.fsencode(path) + b"\0" + digest)
    for path, reason in sorted(survey.unreadable):
        key.update(f"\0{path}\0{reason}\0".encode("utf-8", "surrogatepass"))
    return key.digest()


# Folders of our own code that have no say in a verdict: a third of its files.
APART = ("commands", "contract_view", "demo", "evidence", "reports", "runtime", "teacher")


@cache
def _our_version() -> str:
    """Return what tells one state of our own code from another: how its files look, the Python, and libcst."""
    looks = sorted(code_looks(os.fspath(Path(__file__).parent.parent), APART))
    with suppress(PackageNotFoundError):
        looks.append(version("libcst"))
    return "\0".join((sys.version, *looks))


def code_looks(folder: str, apart: Collection[str] = ()) -> list[str]:
    """Return how each file of code below a folder looks, but for those of some folders in it."""
    found: list[str] = []
    for entry in os.scandir(folder):
        if entry.is_dir():
            found += [] if entry.name in ("__pycache__", *apart) else code_looks(entry.path)
        elif entry.name.endswith((".py", ".json")):
            seen = entry.stat()
            # Some installers give all files one time, so that only when they were written tells versions apart.
            found.append(f"{entry.path} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns}")
    return found
