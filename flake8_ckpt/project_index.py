"""Which files of a root a run reads, with which cache, and what is read of them: one way for all commands."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Optional

from flake8_ckpt.index.cache import Cache
from flake8_ckpt.index.cache import open_cache
from flake8_ckpt.index.discovery import find_files
from flake8_ckpt.options import Options

if TYPE_CHECKING:
    from flake8_ckpt.index.collection import Index

Progress = Callable[[int, int], None]


def cache_of(root: Path, options: Options) -> Optional[Cache]:
    """Return the cache of a root, or nothing where the options want none."""
    if options.no_cache:
        return None
    return open_cache(root, options.cache_dir, options.framework_key, options.cache_url)


def paths_of(root: Path, options: Options, named: Sequence[str] = ()) -> list[str]:
    """Return the files that belong to a root, and those that are named besides, from the root."""
    around = [] if options.is_lost else find_files(root, options.exclude)
    return [*around, *named]


def read_index(
    root: Path,
    options: Options,
    paths: Sequence[str],
    *,
    jobs: int,
    progress: Optional[Progress] = None,
) -> Index:
    """Read files of a root, those that are unchanged from the cache."""
    from flake8_ckpt.index.collection import index_files

    cache = cache_of(root, options)
    return index_files(root, paths, cache=cache, jobs=jobs, progress=progress, known=options.frameworks)
