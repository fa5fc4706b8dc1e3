"""GitLab's Code Quality report: a JSON list whose fingerprints stay when lines move."""

from __future__ import annotations

import json
from typing import Any

from flake8_ckpt.reports.plain_text import harmless
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Report

SEVERITIES = {"error": "critical", "warning": "major", "note": "minor"}


def render(report: Report) -> str:
    """Return the report; GitLab takes paths from the top of the repository, without a leading dot."""
    return json.dumps([_issue(each, report) for each in report.entries], indent=2)


def _issue(entry: Entry, report: Report) -> dict[str, Any]:
    finding, rule = entry.finding, report.rule_of(entry)
    start = finding.position
    return {
        "type": "issue",
        "check_name": f"{rule.code} {rule.name}",
        "description": f"{rule.code} {harmless(finding.message)}",
        "categories": ["Bug Risk"],
        "severity": SEVERITIES[rule.level],
        "fingerprint": entry.fingerprint,
        "location": {
            "path": harmless(report.sources[finding.path].from_top),
            "positions": {
                "begin": {"line": start.line, "column": start.col + 1},
                "end": {"line": start.end_line, "column": start.end_col + 1},
            },
        },
    }
