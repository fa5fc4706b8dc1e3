"""The subcommand `inspect`: the inspector of files, and what the linter knows of the checkpoints of a project."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flake8.exceptions import ExecutionError

from flake8_ckpt.runtime.inspector.command import show_checkpoint
from flake8_ckpt.runtime.inspector.contract import KnownCheckpoint
from flake8_ckpt.runtime.inspector.contract import Reader

if TYPE_CHECKING:
    from flake8_ckpt.contract_view.columns import Column
    from flake8_ckpt.contract_view.rows import Table


def inspect_file(arguments: Sequence[str]) -> int:
    """Print what a checkpoint holds; the linter is loaded only for `--project`."""
    return show_checkpoint(arguments, _checkpoints)


def _checkpoints(folder: str) -> list[KnownCheckpoint]:
    """Return the checkpoints in files that the code of a folder saves and loads."""
    from flake8_ckpt.commands.contract import read_tables

    if not os.path.isdir(folder):
        raise ExecutionError(f"--project: not a folder: {folder!r}")
    tables = [each for each in read_tables([folder]) if each.is_file and any(row.keys for row in each.rows)]
    return [_known(each) for each in tables]


def _known(table: Table) -> KnownCheckpoint:
    writers = {each.name for each in table.writers}
    keys = [row.keys for row in table.rows if any(row.states.get(name) != "never" for name in writers)]
    readers = tuple(_reader(each, table) for each in table.readers)
    return KnownCheckpoint(tuple(map(_place, table.writers)), tuple(keys), readers)


def _reader(column: Column, table: Table) -> Reader:
    """Return what one reader needs and takes; one that takes something whole may take any key."""
    states = {row.keys: row.states.get(column.name, "never") for row in table.rows}
    required = tuple(keys for keys, state in states.items() if state == "required")
    taken = tuple(keys for keys, state in states.items() if state != "never")
    return Reader(_place(column), required, ((),) if "whole" in states.values() else taken)


def _place(column: Column) -> str:
    return str(column.places[0].location)
