"""The facts of all files of a project: from the cache where a file is unchanged, collected otherwise."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Optional
from typing import Union

import msgspec

from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.index.cache import Broken
from flake8_ckpt.index.cache import Cache
from flake8_ckpt.index.cache import Mark
from flake8_ckpt.index.cache import Stored
from flake8_ckpt.index.cache import digest_of
from flake8_ckpt.index.cache import paused_gc

# A file that was changed this shortly before it was read may change again without a trace:
# clocks of file systems tick as slowly as every two seconds.
RACY_NS = 2_000_000_000
GROUP_BYTES = 300_000
WORKER_BYTES = 1_500_000
INODE_BITS = (1 << 63) - 1
Progress = Callable[[int, int], None]
# What a worker sends back for a file: its facts as bytes, or how collecting them failed.
Encoded = Union[bytes, str]
Made = Union[FileFacts, str]


@dataclass(frozen=True)
class Index:
    """Facts and content digests by path; what was collected, was unreadable, or made the collector fail.

    `replaced` is the content of those files that do not have it on disk.
    """

    files: dict[str, FileFacts]
    digests: dict[str, bytes]
    collected: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    replaced: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class _Survey:
    """What a look at every file gives: known digests, and the texts that must be collected."""

    digests: dict[str, bytes] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    cold: dict[bytes, bytes] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def index_files(
    root: Path,
    paths: Sequence[str],
    *,
    cache: Optional[Cache] = None,
    executor: Optional[Executor] = None,
    jobs: int = 1,
    replaced: Optional[Mapping[str, bytes]] = None,
    progress: Optional[Progress] = None,
    known: Frameworks = DEFAULT,
) -> Index:
    """Return the facts of `paths`, collecting only those of files whose content is new.

    `replaced` gives files another content than they have on disk. Collecting runs in
    `executor`, else in up to `jobs` processes where there is enough to do.
    """
    stored = cache.load() if cache is not None else Stored()
    survey = _survey(root, paths, stored, replaced or {})
    with paused_gc():
        fresh = _collect(survey.cold, known, executor, jobs, progress)
    if cache is not None:
        cache.store(stored, _to_store(stored, survey, fresh, replaced or {}))
    return replace(_index(stored, survey, fresh), replaced=replaced or {})


def content_of(root: Path, index: Index, path: str) -> Optional[bytes]:
    """Return the content that the facts of a file were collected from, None where the file has changed since."""
    try:
        data = index.replaced[path] if path in index.replaced else (root / path).read_bytes()
    except OSError:
        return None
    return data if digest_of(data) == index.digests.get(path) else None


def _index(stored: Stored, survey: _Survey, fresh: Mapping[bytes, Made]) -> Index:
    files: dict[str, FileFacts] = {}
    failed: list[tuple[str, str]] = []
    for path, digest in survey.digests.items():
        made = stored.facts.get(digest) or fresh[digest]
        if isinstance(made, FileFacts):
            files[path] = made
        else:
            failed.append((path, made))
    collected = tuple(path for path, digest in survey.digests.items() if digest in fresh)
    return Index(files, survey.digests, collected, tuple(survey.unreadable), tuple(failed))


def _survey(root: Path, paths: Sequence[str], stored: Stored, replaced: Mapping[str, bytes]) -> _Survey:
    survey = _Survey()
    base = os.path.join(os.fspath(root), "")
    for path in dict.fromkeys((*paths, *replaced)):
        data = replaced.get(path)
        if data is not None:
            _note(survey, stored, path, data)
            if path in stored.marks:
                survey.marks[path] = stored.marks[path]
            continue
        try:
            _look(survey, stored, path, base)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            survey.unreadable.append((path, reason or str(error)))
    return survey


def _look(survey: _Survey, stored: Stored, path: str, base: str) -> None:
    """Note a file of the disk; read it only where it looks different from its mark."""
    seen = os.stat(base + path)
    mark = stored.marks.get(path)
    if (
        mark is not None
        and mark.mtime_ns == seen.st_mtime_ns
        and mark.size == seen.st_size
        and mark.ctime_ns == seen.st_ctime_ns
        and mark.inode == seen.st_ino & INODE_BITS
        and mark.digest in stored.facts
    ):
        survey.marks[path] = mark
        survey.digests[path] = mark.digest
        return
    if not stat.S_ISREG(seen.st_mode):
        raise OSError(0, "Not a regular file")
    now = time.time_ns()
    with open(base + path, "rb") as file:
        digest = _note(survey, stored, path, file.read())
    if max(seen.st_mtime_ns, seen.st_ctime_ns) < now - RACY_NS:
        inode = seen.st_ino & INODE_BITS
        survey.marks[path] = Mark(seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, inode, digest)


def _note(survey: _Survey, stored: Stored, path: str, data: bytes) -> bytes:
    digest = survey.digests[path] = digest_of(data)
    if digest not in stored.facts:
        survey.cold[digest] = data
    return digest


def _to_store(
    stored: Stored, survey: _Survey, fresh: Mapping[bytes, Made], replaced: Mapping[str, bytes]
) -> Stored:
    """Return what the cache should hold now: the facts of this project's files and of no other.

    The text of an unsaved buffer is not kept, but all that was known before is.
    """
    facts = dict(stored.facts) if replaced else {}
    for path, digest in survey.digests.items():
        made = stored.facts.get(digest) or fresh.get(digest)
        if isinstance(made, FileFacts) and path not in replaced:
            facts[digest] = made
    return Stored({path: mark for path, mark in survey.marks.items() if mark.digest in facts}, facts)


def _collect(
    cold: dict[bytes, bytes],
    known: Frameworks,
    executor: Optional[Executor],
    jobs: int,
    progress: Optional[Progress],
) -> dict[bytes, Made]:
    """Return the facts of each content, or how collecting them failed; the contents are let go of."""
    done: dict[bytes, Made] = {}
    digests, texts = list(cold), list(cold.values())
    cold.clear()
    for digest, made in zip(digests, _made(texts, known, executor, jobs)):
        done[digest] = made
        if progress is not None:
            progress(len(done), len(digests))
    return done


def _decode(encoded: Encoded) -> Made:
    if isinstance(encoded, str):
        return encoded
    try:
        return msgspec.msgpack.decode(encoded, type=FileFacts)
    except Broken as error:
        return _describe(error)


def _made(texts: list[bytes], known: Frameworks, executor: Optional[Executor], jobs: int) -> Iterator[Made]:
    """Collect in processes as long as they work, and what is left in this one."""
    count = 0
    workers = min(jobs, sum(map(len, texts)) // WORKER_BYTES)
    if executor is not None or workers > 1:
        with suppress(Exception):
            for encoded in _in_processes(texts, known, executor, workers):
                yield _decode(encoded)
                count += 1
    left = texts[count:][::-1]
    texts.clear()
    while left:
        yield collect_content(left.pop(), known)


def _in_processes(
    texts: list[bytes], known: Frameworks, executor: Optional[Executor], workers: int
) -> Iterator[Encoded]:
    if executor is not None:
        for group in executor.map(partial(collect_group, known=known), list(_groups(texts))):
            yield from group
        return
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(workers)
    try:
        yield from _in_processes(texts, known, pool, workers)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _groups(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    for text in texts:
        group.append(text)
        if sum(map(len, group)) >= GROUP_BYTES or len(group) >= 64:
            yield group
            group = []
    if group:
        yield group


def collect_group(texts: Sequence[bytes], known: Frameworks = DEFAULT) -> list[Encoded]:
    """Collect the facts of several files; runs in a worker."""
    with paused_gc():
        return [collect_encoded(text, known) for text in texts]


def collect_encoded(text: bytes, known: Frameworks = DEFAULT) -> Encoded:
    """Return a file's facts as they are stored, or, where our collector fails, how."""
    made = collect_content(text, known)
    try:
        return made if isinstance(made, str) else msgspec.msgpack.encode(made)
    except Broken as error:
        return _describe(error)


def collect_content(text: bytes, known: Frameworks = DEFAULT) -> Made:
    """Return a file's facts, or, where our collector fails, how."""
    from flake8_ckpt.facts.collect import collect_file

    try:
        return collect_file(text, known)
    except Exception as error:
        return _describe(error)


def _describe(error: BaseException) -> str:
    detail = " ".join(str(error).split())[:80]
    return f"{type(error).__name__}: {detail}" if detail else type(error).__name__
