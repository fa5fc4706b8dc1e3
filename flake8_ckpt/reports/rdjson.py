"""reviewdog's diagnostic format: JSON with columns in bytes, and fixes as suggestions for a review.

reviewdog refuses a field that its version does not know, so related places stand in the message.
"""

from __future__ import annotations

import json
from typing import Any

from flake8_ckpt.addresses import REPOSITORY
from flake8_ckpt.addresses import page_of
from flake8_ckpt.findings import Position
from flake8_ckpt.reports.plain_text import harmless
from flake8_ckpt.reports.report import NAME
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import Source
from flake8_ckpt.reports.report import merged

SEVERITIES = {"error": "ERROR", "warning": "WARNING", "note": "INFO"}
# A review shows a suggestion as a block of code; a larger one nobody reads.
MAX_LINES = 40


def render(report: Report) -> str:
    """Return the report; paths are those from the working folder, in which reviewdog runs."""
    source = {"name": NAME, **({"url": REPOSITORY} if REPOSITORY else {})}
    diagnostics = [_diagnostic(each, report) for each in report.entries]
    return json.dumps({"source": source, "severity": "WARNING", "diagnostics": diagnostics}, indent=2)


def _diagnostic(entry: Entry, report: Report) -> dict[str, Any]:
    finding, rule = entry.finding, report.rule_of(entry)
    source = report.sources[finding.path]
    page = page_of(rule.name)
    return {
        "message": harmless("\n".join([finding.message, *_related(entry, report)])),
        "location": {"path": _path(source), "range": _range(finding.position, source)},
        "severity": SEVERITIES[rule.level],
        "code": {"value": rule.code, **({"url": page} if page else {})},
        "suggestions": _suggestions(entry, source),
    }


def _related(entry: Entry, report: Report) -> list[str]:
    return [
        f"{_path(report.sources[each.path])}:{each.position.line}: {each.message}"
        for each in entry.finding.related
    ]


def _suggestions(entry: Entry, source: Source) -> list[dict[str, Any]]:
    """Return the edits as one suggestion: reviewdog takes several for as many choices."""
    if entry.mend is None or not entry.mend.edits or entry.mend.safety == "shown":
        return []
    edit = merged(entry.mend.edits, source)
    if edit.position.end_line - edit.position.line >= MAX_LINES:
        return []
    return [{"range": _range(edit.position, source), "text": edit.text}]


def _range(position: Position, source: Source) -> dict[str, Any]:
    return {
        "start": _place(position.line, position.col, source),
        "end": _place(position.end_line, position.end_col, source),
    }


def _place(line: int, column: int, source: Source) -> dict[str, int]:
    before = source.line(line)[:column]
    return {"line": line, "column": len(before.encode("utf-8", "surrogatepass")) + 1}


def _path(source: Source) -> str:
    return harmless(source.printed.removeprefix("./"))
