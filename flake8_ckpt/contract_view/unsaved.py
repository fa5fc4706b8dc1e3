"""The objects that a checkpoint should hold and does not, as rows of its table."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace

from flake8_ckpt.contract_view.columns import LoadState
from flake8_ckpt.contract_view.columns import SaveState
from flake8_ckpt.contract_view.rows import Mismatch
from flake8_ckpt.contract_view.rows import Row
from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.findings import Spot
from flake8_ckpt.linked_project import Project
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject


def with_unsaved(tables: Sequence[Table], project: Project) -> list[Table]:
    """Return the tables, each with a row for every object that its save leaves out and that no key holds."""
    lost: dict[int, list[UnsavedObject]] = {}
    for each in project.losses.unsaved_objects:
        for number in _tables_at(tables, each.location):
            lost.setdefault(number, []).append(each)
    return [
        replace(table, rows=(*table.rows, *_rows(lost.get(number, ()), table)))
        for number, table in enumerate(tables)
    ]


def _tables_at(tables: Sequence[Table], location: Spot) -> list[int]:
    """Return the number of the first table that is saved at a place, or else of the only one of its file."""
    line = (location.path, location.position.line)
    exact = [number for number, table in enumerate(tables) if line in _saved_at(table)]
    within = [number for number, table in enumerate(tables) if table.is_file and location.path in table.paths]
    return exact[:1] or (within if len(within) == 1 else [])


def _saved_at(table: Table) -> set[tuple[str, int]]:
    spots = (spot for each in table.writers for spot in (*each.places, *each.callers))
    return {(each.location.path, each.location.position.line) for each in spots}


def _rows(lost: Sequence[UnsavedObject], table: Table) -> Iterator[Row]:
    states: dict[str, SaveState | LoadState] = {
        each.name: "never" for each in (*table.writers, *table.readers)
    }
    for name, each in {each.name: each for each in lost}.items():
        holds, where = f"the {each.kind}", (("", each.location),)
        yield Row((name,), dict(states), holds, "", Mismatch("in no key"), where)
