"""The options of both front ends: declared once, on flake8's own option manager."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Optional

from flake8.exceptions import ExecutionError

from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks

ALL = "ALL"


@dataclass(frozen=True)
class Options:
    """What a run needs to know; `jobs` is None where the number of cores decides."""

    root: Optional[Path] = None
    exclude: tuple[str, ...] = ()
    enable: tuple[str, ...] = ()
    module_bases: tuple[str, ...] = ()
    frameworks: Frameworks = DEFAULT
    cache_dir: Optional[Path] = None
    no_cache: bool = False
    jobs: Optional[int] = None


# flake8 has no types, so its option manager is Any here.
def add_options(option_manager: Any) -> None:
    """Declare the options, on the command line and in the configuration file."""
    add = option_manager.add_option
    add("--ckpt-root", metavar="folder", parse_from_config=True, normalize_paths=True, help=ROOT_HELP)
    add(
        "--ckpt-exclude",
        metavar="patterns",
        default="",
        parse_from_config=True,
        normalize_paths=True,
        comma_separated_list=True,
        help=EXCLUDE_HELP,
    )
    add(
        "--ckpt-enable",
        metavar="codes",
        default="",
        parse_from_config=True,
        comma_separated_list=True,
        help=ENABLE_HELP,
    )
    add(
        "--ckpt-module-bases",
        metavar="classes",
        default="",
        parse_from_config=True,
        comma_separated_list=True,
        help=MODULE_BASES_HELP,
    )
    add(
        "--ckpt-frameworks",
        metavar="files",
        default="",
        parse_from_config=True,
        normalize_paths=True,
        comma_separated_list=True,
        help=FRAMEWORKS_HELP,
    )
    add(
        "--ckpt-cache-dir",
        metavar="folder",
        parse_from_config=True,
        normalize_paths=True,
        help=CACHE_DIR_HELP,
    )
    add("--ckpt-no-cache", action="store_true", default=False, parse_from_config=True, help=NO_CACHE_HELP)
    add("--ckpt-jobs", metavar="n", type=int, parse_from_config=True, help=JOBS_HELP)


ROOT_HELP = (
    "Folder of the project that is read as a whole. (Default: the folder of the configuration "
    "file, else the nearest one with .git, pyproject.toml, setup.cfg or setup.py)"
)
EXCLUDE_HELP = "Comma-separated list of files or folders that are no part of the project."
ENABLE_HELP = "Comma-separated list of opt-in codes to report, or ALL."
MODULE_BASES_HELP = (
    "Comma-separated list of classes outside of the project that are torch modules, as dotted names."
)
FRAMEWORKS_HELP = (
    "Comma-separated list of TOML files that tell how your own libraries save and load "
    "(docs/frameworks.md; flake8-ckpt frameworks shows what is known)."
)
CACHE_DIR_HELP = "Folder for the cache. (Default: .flake8_ckpt_cache in the root)"
NO_CACHE_HELP = "Neither read nor write the cache."
JOBS_HELP = "Number of processes that read new files. (Default: the number of cores)"


def from_namespace(namespace: argparse.Namespace, config_dir: Optional[Path] = None) -> Options:
    """Return the options that a parsed command line and configuration give.

    Raises flake8's ExecutionError, in one line, for values that make no sense.
    """
    return Options(
        root=_existing_folder(namespace.ckpt_root, config_dir),
        exclude=tuple(namespace.ckpt_exclude),
        enable=_known_codes(namespace.ckpt_enable),
        module_bases=tuple(namespace.ckpt_module_bases),
        frameworks=_frameworks(namespace.ckpt_frameworks, config_dir),
        cache_dir=_absolute(namespace.ckpt_cache_dir, config_dir),
        no_cache=bool(namespace.ckpt_no_cache),
        jobs=_positive(namespace.ckpt_jobs),
    )


def _absolute(value: Optional[str], config_dir: Optional[Path]) -> Optional[Path]:
    """Return an absolute path; a bare name in a configuration file is relative to that file."""
    if not value:
        return None
    expanded = os.path.expanduser(value)
    if config_dir is not None and not os.path.exists(expanded):
        return Path(os.path.abspath(config_dir / expanded))
    return Path(os.path.abspath(expanded))


def _existing_folder(value: Optional[str], config_dir: Optional[Path]) -> Optional[Path]:
    folder = _absolute(value, config_dir)
    if folder is not None and not folder.is_dir():
        raise ExecutionError(f"--ckpt-root: {value!r} is not a folder")
    return folder


def _frameworks(names: Sequence[str], config_dir: Optional[Path]) -> Frameworks:
    """Return what is known of libraries; the reader of TOML is only imported where there is a file."""
    paths = [path for name in names if (path := _absolute(name, config_dir)) is not None]
    if not paths:
        return DEFAULT
    from flake8_ckpt.frameworks.user_file import RefusedFile
    from flake8_ckpt.frameworks.user_file import read_records

    try:
        return Frameworks(read_records(dict.fromkeys(paths)))
    except RefusedFile as error:
        raise ExecutionError(f"--ckpt-frameworks: {error}") from error


def _positive(jobs: Optional[int]) -> Optional[int]:
    if jobs is not None and jobs < 1:
        raise ExecutionError(f"--ckpt-jobs: {jobs} is not a positive number")
    return jobs


def _known_codes(codes: Sequence[str]) -> tuple[str, ...]:
    """Check the codes of --ckpt-enable; the rules are only imported where there are any."""
    if not codes:
        return ()
    from flake8_ckpt.rules.base import all_rules

    known = {ALL, *(rule.code for rule in all_rules())}
    unknown = [code for code in codes if code not in known]
    if unknown:
        opt_in = ", ".join(rule.code for rule in all_rules() if rule.opt_in is not None)
        raise ExecutionError(f"--ckpt-enable: unknown code {unknown[0]!r}; the opt-in codes are {opt_in}")
    return tuple(codes)
