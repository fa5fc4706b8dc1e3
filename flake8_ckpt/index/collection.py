"""The facts of all files of a project: from the cache where a file is unchanged, collected otherwise."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import Executor as Pool
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Optional
from typing import Union

import msgspec

from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.index.cache import Cache
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.index.cluster import Cluster
from flake8_ckpt.index.cluster import ClusterError
from flake8_ckpt.index.folder import Broken
from flake8_ckpt.index.survey import CHANGED
from flake8_ckpt.index.survey import Survey
from flake8_ckpt.index.survey import survey_files

# What is sent at once: little enough that all workers have some of a small project, too.
GROUP_BYTES, LEAST_GROUP_BYTES, GROUPS = 300_000, 20_000, 16
WORKER_BYTES = 1_500_000
# Where fewer than one in so many files are new, other machines are not asked for facts: an editor does not wait.
WORTH_ASKING = 10
Progress = Callable[[int, int], None]
Executor = Union[Pool, Cluster]
# What a worker sends back for a file: its facts as bytes, or how collecting them failed.
Encoded = Union[bytes, str]
Made = Union[FileFacts, str]
NOT_READ = FileFacts(error=CHANGED)


class Index(msgspec.Struct, frozen=True):
    """Facts and content digests by path; what was collected, was unreadable, or made the collector fail."""

    files: dict[str, FileFacts]
    digests: dict[str, bytes]
    collected: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


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
    marks = cache.marks() if cache is not None else {}
    survey = survey_files(root, paths, marks, replaced or {})
    index = index_survey(survey, cache=cache, executor=executor, jobs=jobs, progress=progress, known=known)
    if cache is not None:
        cache.store_marks(marks, survey.marks)
    return index


def index_survey(
    survey: Survey,
    *,
    cache: Optional[Cache] = None,
    executor: Optional[Executor] = None,
    jobs: int = 1,
    progress: Optional[Progress] = None,
    known: Frameworks = DEFAULT,
    made: Optional[Index] = None,
) -> Index:
    """Return the facts of files that were looked at; see `index_files`. Those of some files may be `made` already."""
    stored = cache.facts() if cache is not None else {}
    before = _made_before(made, stored)
    cold = {digest: path for path, digest in survey.digests.items() if digest not in stored}
    asks = cache is not None and _is_worth_asking(survey, cold)
    shared = cache.shared_facts() if cache is not None and asks else {}
    with paused_gc():
        left = {
            digest: path for digest, path in cold.items() if digest not in shared and digest not in before
        }
        fresh = {**before, **_collect(survey, left, known, executor, jobs, progress)}
    if cache is not None:
        kept = _to_store(stored, survey, {**shared, **fresh})
        cache.store_facts(stored, kept)
        if asks and fresh:
            cache.share_facts(shared, kept)
    return _index({**shared, **stored}, survey, fresh)


def _made_before(made: Optional[Index], stored: Mapping[bytes, FileFacts]) -> dict[bytes, Made]:
    """Return what is made of the files of an index and not in the cache, by digest."""
    if made is None:
        return {}
    found: dict[str, Made] = {**made.files, **dict(made.failed)}
    return {made.digests[path]: each for path, each in found.items() if made.digests[path] not in stored}


def _is_worth_asking(survey: Survey, cold: Mapping[bytes, str]) -> bool:
    """Say whether enough files of the disk are new that fetching the facts of all may be faster than collecting."""
    new = sum(path not in survey.replaced for path in cold.values())
    return new * WORTH_ASKING >= max(1, len(survey.digests))


def _index(stored: Mapping[bytes, FileFacts], survey: Survey, fresh: Mapping[bytes, Made]) -> Index:
    files: dict[str, FileFacts] = {}
    failed: list[tuple[str, str]] = []
    for path, digest in survey.digests.items():
        made = stored.get(digest) or fresh[digest]
        if isinstance(made, FileFacts):
            files[path] = made
        else:
            failed.append((path, made))
    collected = tuple(path for path, digest in survey.digests.items() if digest in fresh)
    return Index(files, survey.digests, collected, tuple(survey.unreadable), tuple(failed))


def _to_store(
    stored: Mapping[bytes, FileFacts], survey: Survey, fresh: Mapping[bytes, Made]
) -> Mapping[bytes, FileFacts]:
    """Return what the cache should hold now: the facts of this project's files and of no other.

    The text of an unsaved buffer is not kept, but all that was known before is.
    """
    facts = dict(stored) if survey.replaced else {}
    for path, digest in survey.digests.items():
        made = stored.get(digest) or fresh.get(digest)
        if isinstance(made, FileFacts) and path not in survey.replaced and made != NOT_READ:
            facts[digest] = made
    return facts


def _collect(
    survey: Survey,
    cold: Mapping[bytes, str],
    known: Frameworks,
    executor: Optional[Executor],
    jobs: int,
    progress: Optional[Progress],
) -> dict[bytes, Made]:
    """Return the facts of each content, or how collecting them failed."""
    done: dict[bytes, Made] = {}
    for digest, made in zip(cold, _made(survey, list(cold.values()), known, executor, jobs)):
        done[digest] = made
        if progress is not None:
            progress(len(done), len(cold))
    return done


def _decode(encoded: Encoded) -> Made:
    if isinstance(encoded, str):
        return encoded
    try:
        return msgspec.msgpack.decode(encoded, type=FileFacts)
    except Broken as error:
        return _describe(error)


def _made(
    survey: Survey, paths: Sequence[str], known: Frameworks, executor: Optional[Executor], jobs: int
) -> Iterator[Made]:
    """Collect in processes as long as they work, and what is left in this one.

    This process reads the files one by one: all contents at once would be most of the memory of a run.
    """
    count = 0
    if executor is not None or jobs > 1:
        try:
            for encoded in _in_processes(survey, paths, known, executor, jobs):
                yield _decode(encoded)
                count += 1
        except ClusterError:
            raise
        except Exception:
            # Whatever a pool of processes fails of, this process can go on.
            pass
    for path in islice(paths, count, None):
        text = survey.content_of(path)
        yield NOT_READ if text is None else collect_content(text, known)


def _in_processes(
    survey: Survey, paths: Sequence[str], known: Frameworks, executor: Optional[Executor], jobs: int
) -> Iterator[Encoded]:
    """Collect in other processes; give nothing where there is too little to do, or a file has just changed."""
    texts = [text for path in paths if (text := survey.content_of(path)) is not None]
    if len(texts) < len(paths):
        return
    if executor is not None:
        yield from _in_executor(texts, known, executor)
        return
    workers = min(jobs, sum(map(len, texts)) // WORKER_BYTES)
    if workers < 2:
        return
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(workers)
    try:
        yield from _in_executor(texts, known, pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_executor(texts: Sequence[bytes], known: Frameworks, executor: Executor) -> Iterator[Encoded]:
    size = max(LEAST_GROUP_BYTES, min(GROUP_BYTES, sum(map(len, texts)) // GROUPS))
    for group in executor.map(partial(collect_group, known=known), list(_groups(texts, size))):
        yield from group


def _groups(texts: Sequence[bytes], size: int) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    for text in texts:
        group.append(text)
        if sum(map(len, group)) >= size or len(group) >= 64:
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
