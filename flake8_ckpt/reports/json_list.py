"""JSON: a list of findings with all that is known of each, for other programs.

An entry has `code`, `rule`, `path`, `line`, `column`, `end_line`, `end_column`, `message`, `class`, `attribute`, `key`,
`symbol`, `fingerprint`, `related`, `fix` and `evidence`. Lines and columns count from 1; what there is none of is null.
A fix has `title`, `safety` ("safe", "unsafe" or "shown"), `note`, `edits` (each a range and its `text`) and `code`; the
evidence of a watched run has a `verdict` ("confirmed" or "refuted") and a `reason`.
"""

from __future__ import annotations

import json
from typing import Any
from typing import Optional

from flake8_ckpt.findings import Position
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Evidence
from flake8_ckpt.reports.report import Mend
from flake8_ckpt.reports.report import Report


def render(report: Report) -> str:
    """Return the findings as JSON, in ASCII."""
    return json.dumps([_entry(each, report) for each in report.entries], indent=2)


def _entry(entry: Entry, report: Report) -> dict[str, Any]:
    finding = entry.finding
    return {
        "code": finding.code,
        "rule": report.rule_of(entry).name,
        "path": report.sources[finding.path].printed,
        **_span(finding.position),
        "message": finding.message,
        "class": finding.class_name or None,
        "attribute": finding.attribute or None,
        "key": finding.key or None,
        "symbol": finding.symbol or None,
        "fingerprint": entry.fingerprint,
        "related": [
            {"path": report.sources[each.path].printed, **_span(each.position), "message": each.message}
            for each in finding.related
        ],
        "fix": _fix(entry.mend),
        "evidence": _evidence(entry.evidence),
    }


def _fix(mend: Optional[Mend]) -> Optional[dict[str, Any]]:
    if mend is None:
        return None
    edits = [{**_span(each.position), "text": each.text} for each in mend.edits]
    return {
        "title": mend.title,
        "safety": mend.safety,
        "note": mend.note or None,
        "edits": edits,
        "code": mend.code or None,
    }


def _evidence(evidence: Optional[Evidence]) -> Optional[dict[str, Any]]:
    return None if evidence is None else {"verdict": evidence.verdict, "reason": evidence.reason or None}


def _span(position: Position) -> dict[str, int]:
    return {
        "line": position.line,
        "column": position.col + 1,
        "end_line": position.end_line,
        "end_column": position.end_col + 1,
    }
