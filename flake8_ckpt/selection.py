"""What a flake8 run asks for: its configuration's folder, its files, its codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Container
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Optional

from flake8.main.options import stage1_arg_parser
from flake8.options.config import load_config

from flake8_ckpt.asked_files import expand_paths
from flake8_ckpt.index.discovery import choose_root
from flake8_ckpt.index.discovery import is_excluded
from flake8_ckpt.index.discovery import relative_path
from flake8_ckpt.options import Options

PREFIX = "CKP"
STDIN = "-"
CONFIG_SECTIONS = ("flake8", "flake8:local-plugins")


def config_directory(argv: Sequence[str]) -> Optional[Path]:
    """Return the folder of the configuration file that flake8 reads for this command line.

    flake8 does not tell its plugins, so ask it again.
    """
    try:
        args, _ = stage1_arg_parser().parse_known_args(argv)
        config, folder = load_config(args.config, [], isolated=args.isolated)
    # argparse exits; a configuration that cannot be read is flake8's to report.
    except (SystemExit, Exception):
        return None
    is_used = any(section in config for section in CONFIG_SECTIONS)
    return Path(os.path.abspath(folder)) if is_used else None


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


def is_selected(namespace: argparse.Namespace) -> bool:
    """Say whether flake8 can report any of our codes, as far as select and ignore tell."""
    chosen = [*(namespace.select or ()), *(namespace.extend_select or ())]
    if any(_overlaps(code) for code in chosen):
        return True
    ignored = [*(namespace.ignore or ()), *(namespace.extend_ignore or ())]
    return namespace.select is None and not any(PREFIX.startswith(code) for code in ignored)


def _overlaps(code: str) -> bool:
    return code.startswith(PREFIX) or PREFIX.startswith(code)


def root_for(namespace: argparse.Namespace, options: Options, config_dir: Optional[Path]) -> Path:
    """Return the root of the project that a run belongs to."""
    named = [_named(name, namespace) for name in namespace.filenames]
    return options.root or choose_root(named, config_dir)


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
