"""The tables of the subcommand `contract` as JSON.

JSON is a list of families. Each has `kind` ("file" or "methods"), `writers`, `readers` and `keys`:

- a writer or reader has an `id` ("W1", "R1"), the `places` where it saves or reads, and the places that
  it is `called_from`; a writer is `open` where it may give keys that are not known;
- a key has its `path`, one string per level, what it `holds`, what it `restores`, its `states` by id, the
  places where it is read (`reads`, each with the `reader`), and a `mismatch`: null, "never saved",
  "never restored" or, for example, "not saved by W2";
- states of writers: "always", "maybe", "never", "unknown"; of readers: "required", "default", "guarded",
  "whole" (taken together with all else), "never";
- a place has `function`, `path` (from the root), `line`, `column`, `end_line` and `end_column`; lines and
  columns count from 1.

A path without any level stands for a payload that is one object, such as the state of a model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flake8_ckpt.contract_view.columns import Column
from flake8_ckpt.contract_view.rows import Row
from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.findings import Spot


def as_json(tables: Sequence[Table]) -> str:
    """Return the tables as JSON."""
    return json.dumps([_group_entry(each) for each in tables], indent=2)


def _group_entry(table: Table) -> dict[str, Any]:
    return {
        "kind": "file" if table.is_file else "methods",
        "writers": [{**_column_entry(each), "open": each.is_open} for each in table.writers],
        "readers": [_column_entry(each) for each in table.readers],
        "keys": [_key_entry(each) for each in table.rows],
    }


def _column_entry(column: Column) -> dict[str, Any]:
    return {
        "id": column.name,
        "places": [{"function": each.function, **_spot_entry(each.location)} for each in column.places],
        "called_from": [{"function": each.function, **_spot_entry(each.location)} for each in column.callers],
    }


def _key_entry(row: Row) -> dict[str, Any]:
    return {
        "path": list(row.keys),
        "holds": row.holds,
        "restores": row.restores,
        "states": dict(row.states),
        "reads": [{"reader": name, **_spot_entry(location)} for name, location in row.reads],
        "mismatch": row.mismatch.text if row.mismatch is not None else None,
    }


def _spot_entry(location: Spot) -> dict[str, Any]:
    return {
        "path": location.path,
        "line": location.position.line,
        "column": location.position.col + 1,
        "end_line": location.position.end_line,
        "end_column": location.position.end_col + 1,
    }
