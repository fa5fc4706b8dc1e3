"""What a flake8 run asks for: its configuration's folder, its files, its codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Container
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Optional

from flake8.exceptions import ExecutionError
from msgspec.structs import replace

from flake8_ckpt.asked_files import expand_paths
from flake8_ckpt.index.discovery import choose_root
from flake8_ckpt.index.discovery import is_excluded
from flake8_ckpt.index.discovery import is_lost
from flake8_ckpt.index.discovery import relative_path
from flake8_ckpt.options import BASELINE
from flake8_ckpt.options import Options

if TYPE_CHECKING:
    from flake8_ckpt.suppression.known import Known

PREFIX = "CKP"
STDIN = "-"
# These say that a file was not checked, or not in full: of ours, and of flake8 itself.
FAILURES = ("CKP001", "CKP002")
FLAKE8_FAILURES = ("E902", "E999")


def asked_files(namespace: argparse.Namespace) -> list[str]:
    """Return the files that flake8 lints, named and ordered as it does; standard input is `-`."""
    return list(
        expand_paths(
            paths=namespace.filenames,
            stdin_display_name=namespace.stdin_display_name,
            filename_patterns=namespace.filename,
            exclude=(*namespace.exclude, *namespace.extend_exclude),
        )
    )


def project_path(root: Path, filename: str, known: Optional[Container[str]] = None) -> str:
    """Return the path from the root of a file as flake8 names it, through links if need be."""
    path = relative_path(root, filename)
    if known is None or path in known:
        return path
    real = relative_path(Path(os.path.realpath(root)), os.path.realpath(filename))
    return real if real in known else path


def is_under(path: str, asked: str) -> bool:
    """Tell whether a path is another one or below it, where the other may be the root or around it."""
    return set(asked.split("/")) <= {".", ".."} or path == asked or path.startswith(f"{asked}/")


def is_selected(namespace: argparse.Namespace) -> bool:
    """Say whether flake8 can report any of our codes, as far as select and ignore tell."""
    if names_ours(namespace):
        return True
    ignored = [*(namespace.ignore or ()), *(namespace.extend_ignore or ())]
    return namespace.select is None and not any(PREFIX.startswith(code) for code in ignored)


def names_ours(namespace: argparse.Namespace) -> bool:
    """Say whether select or extend-select names any of our codes."""
    return any(_overlaps(code) for code in (*(namespace.select or ()), *(namespace.extend_select or ())))


def select_more(namespace: argparse.Namespace, codes: Sequence[str]) -> None:
    """Have codes reported besides those that are selected, but for those that are ignored by name.

    What ignores a whole family, as `E` does, is about its other codes.
    """
    ignored = [*(namespace.ignore or ()), *(namespace.extend_ignore or ())]
    wanted = [code for code in codes if not any(_is_named(code, each) for each in ignored)]
    namespace.extend_select = [*(namespace.extend_select or ()), *wanted]


def _is_named(code: str, ignored: str) -> bool:
    return code.startswith(ignored) and len(ignored) > len(code.rstrip("0123456789"))


def _overlaps(code: str) -> bool:
    return code.startswith(PREFIX) or PREFIX.startswith(code)


def root_for(namespace: argparse.Namespace, options: Options, config_dir: Optional[Path]) -> Path:
    """Return the root of the project that a run belongs to."""
    named = [_named(name, namespace) for name in namespace.filenames]
    return options.root or choose_root(named, config_dir)


def bounded(
    options: Options, root: Path, namespace: argparse.Namespace, config_dir: Optional[Path]
) -> Options:
    """Return the options of a run that does not read everything around a file that belongs to no project."""
    is_chosen = options.root is not None or root == config_dir
    if is_chosen or not namespace.filenames:
        return options
    named = [Path(os.path.abspath(_named(name, namespace))) for name in namespace.filenames]
    if any(each == root or each in root.parents for each in named):
        return options
    return replace(options, is_lost=True, no_cache=True) if is_lost(root) else options


def known_findings(options: Options, root: Path) -> Optional[Known]:
    """Return what the baseline of a run holds, if it has one; raise flake8's ExecutionError where it is broken."""
    path = options.baseline or root / BASELINE
    if options.no_baseline or (options.baseline is None and not os.path.lexists(path)):
        return None
    from flake8_ckpt.suppression.baseline import BrokenBaseline
    from flake8_ckpt.suppression.baseline import read_entries
    from flake8_ckpt.suppression.known import known_in

    try:
        return known_in(root, read_entries(path, is_named=options.baseline is not None))
    except BrokenBaseline as error:
        raise ExecutionError(str(error)) from error


def asked_paths(names: Sequence[str], options: Options, root: Path) -> list[str]:
    """Return the asked files of the disk that are not excluded from the project, from the root."""
    paths = [relative_path(root, name) for name in names if name != STDIN]
    return [path for path in paths if not is_excluded(root, options.exclude, path)]


def _named(name: str, namespace: argparse.Namespace) -> str:
    return namespace.stdin_display_name if name == STDIN else name


def jobs_for(options: Options) -> int:
    """Return how many processes may read files: one in a process that is itself a worker."""
    if is_worker():
        return 1
    if options.jobs is not None:
        return options.jobs
    with suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_worker() -> bool:
    """Say whether this process is a child that some pool started."""
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing is not None and multiprocessing.parent_process() is not None
