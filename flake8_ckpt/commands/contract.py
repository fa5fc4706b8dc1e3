"""The subcommand `contract`: what the checkpoints of a project hold, who writes it and who reads it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from flake8.exceptions import ExecutionError
from flake8.options.manager import OptionManager

from flake8_ckpt.checking import link
from flake8_ckpt.commands.arguments import declare_ours
from flake8_ckpt.commands.arguments import read_project
from flake8_ckpt.commands.progress import progress_bar
from flake8_ckpt.contract_view.json_tables import as_json
from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.contract_view.rows import tables_of
from flake8_ckpt.contract_view.text_tables import as_text
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.index.collection import Index
from flake8_ckpt.options import Options
from flake8_ckpt.project_index import paths_of
from flake8_ckpt.project_index import read_index
from flake8_ckpt.selection import asked_paths
from flake8_ckpt.selection import is_under
from flake8_ckpt.selection import jobs_for
from flake8_ckpt.selection import project_path

# Options that mean nothing here: those of flake8's linting, and which rules are on.
UNUSED = frozenset(["--bug-report", "--enable-extensions", "--require-plugins", "--ckpt-enable"])


def show_contract(arguments: Sequence[str]) -> int:
    """Print the tables that the arguments ask for; mismatches are no errors."""
    namespace, options, root = read_project(arguments, _declare)
    index, tables = _tables(namespace, options, root)
    if namespace.only == "mismatches":
        tables = [each for each in tables if each.has_mismatch]
    _note_unread(index, namespace.verbose)
    _print(namespace, tables)
    return 0


def read_tables(arguments: Sequence[str]) -> list[Table]:
    """Return the tables that the arguments ask for."""
    return _tables(*read_project(arguments, _declare))[1]


def _tables(namespace: argparse.Namespace, options: Options, root: Path) -> tuple[Index, list[Table]]:
    with paused_gc():
        index = _read(namespace, options, root)
        tables = tables_of(link(root, options, index))
        return index, _asked(tables, namespace.filenames, index, root)


def _read(namespace: argparse.Namespace, options: Options, root: Path) -> Index:
    """Read the whole project, and the files that are asked about by name."""
    named = [name for name in namespace.filenames if os.path.isfile(name)]
    paths = paths_of(root, options, asked_paths(named, options, root))
    with progress_bar() as progress:
        return read_index(root, options, paths, jobs=jobs_for(options), progress=progress)


def _asked(tables: Sequence[Table], names: Sequence[str], index: Index, root: Path) -> list[Table]:
    """Return the tables in which something under one of the paths takes part; without paths, all."""
    if not names:
        return list(tables)
    asked = [project_path(root, name, index.files) for name in names]
    return [table for table in tables if any(is_under(path, each) for path in table.paths for each in asked)]


def _note_unread(index: Index, verbose: int) -> None:
    """Say on the side what is left out of the project because it could not be read."""
    broken = [(path, facts.error) for path, facts in index.files.items() if facts.error]
    left_out = sorted([*broken, *index.unreadable, *index.failed])
    if verbose:
        for path, reason in left_out:
            print(f"flake8-ckpt: note: {path}: {reason}: left out", file=sys.stderr)
    elif left_out:
        count = f"{len(left_out)} file{'s' if len(left_out) > 1 else ''}"
        print(f"flake8-ckpt: note: {count} could not be read (-v says which and why)", file=sys.stderr)


def _print(namespace: argparse.Namespace, tables: Sequence[Table]) -> None:
    is_file = bool(namespace.output_file)
    if namespace.output_format == "json":
        text = f"{as_json(tables)}\n"
    else:
        text = as_text(tables, sys.stdout.isatty() and not is_file, bool(namespace.filenames))
    if is_file:
        _write_file(namespace.output_file, text)
    else:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _write_file(name: str, text: str) -> None:
    try:
        os.makedirs(os.path.dirname(os.path.abspath(name)), exist_ok=True)
        Path(name).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ExecutionError(f"--output-file: {name!r}: {error.strerror or error}") from error


def _declare(manager: OptionManager) -> None:
    manager.add_option(
        "--only",
        choices=("mismatches",),
        default="",
        help="Leave out the checkpoints on which all writers and readers agree.",
    )
    declare_ours(manager, "contract", "the tables", unused=UNUSED)
    manager.parser.description = (
        "Show what the checkpoints of a project hold, who writes it and who reads it. The whole project is"
        " read; paths choose the checkpoints that code under them writes or reads, and show them in full: without"
        " paths, one on which all agree is a line."
    )
