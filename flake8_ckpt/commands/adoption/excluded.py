"""How many files options leave out: `check` says so at its end, because what is not read is not clean."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from flake8.defaults import EXCLUDE

from flake8_ckpt.commands.lookup import Lookup
from flake8_ckpt.index.discovery import find_files
from flake8_ckpt.index.discovery import is_excluded
from flake8_ckpt.index.discovery import relative_path

PATTERNS = ["*.py"]


def count_excluded(namespace: argparse.Namespace, looked_up: Lookup) -> int:
    """Return how many files of the project below the named folders were not asked about, because of an option."""
    leaves_out = [
        namespace.extend_exclude,
        namespace.ckpt_exclude,
        list(namespace.exclude) != list(EXCLUDE),
        list(namespace.filename) != PATTERNS,
    ]
    if not any(leaves_out):
        return 0
    root, asked = looked_up.found.root, {*looked_up.paths.values()}
    patterns = tuple(namespace.ckpt_exclude or ())
    return sum(
        path not in asked or is_excluded(root, patterns, path)
        for path in _below(root, namespace.filenames or ["."])
    )


def _below(root: Path, names: list[str]) -> Iterator[str]:
    """Yield the files of the project below some folders, whatever is excluded."""
    folders = {relative_path(root, name).rstrip("/") for name in names if os.path.isdir(name)}
    prefixes = tuple("" if each in ("", ".") else f"{each}/" for each in folders)
    yield from (path for path in find_files(root) if prefixes and path.startswith(prefixes))
