"""Write a report as JSON, piece by piece: a record on a line, so that it reads well and takes little memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import fields

from flake8_ckpt.runtime.inspector.report import Report

RECORDS = ("entries", "findings")


def as_json(report: Report) -> Iterator[str]:
    """Yield the text of one JSON object with the fields of the report."""
    before = "{"
    for field in fields(report):
        if field.name == "keys":
            continue
        yield f"{before}\n  {json.dumps(field.name)}: "
        value = getattr(report, field.name)
        yield from _records(value) if field.name in RECORDS else [json.dumps(value)]
        before = ","
    yield "\n}\n"


def _records(values: tuple[object, ...]) -> Iterator[str]:
    before = "["
    for value in values:
        yield f"{before}\n    {json.dumps(asdict(value))}"  # type: ignore[call-overload]  # a dataclass
        before = ","
    yield "\n  ]" if values else "[]"
