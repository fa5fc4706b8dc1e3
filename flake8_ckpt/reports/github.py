"""GitHub's workflow commands: a line for each finding, which a job shows as an annotation of the changed code."""

from __future__ import annotations

from flake8_ckpt.reports.plain_text import harmless
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import on_first_line

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> str:
    """Return one command for each finding."""
    return "\n".join(_command(each, report) for each in report.entries)


def _command(entry: Entry, report: Report) -> str:
    finding, rule = entry.finding, report.rule_of(entry)
    source = report.sources[finding.path]
    place = on_first_line(finding.position, source)
    properties = {
        "file": source.from_top,
        "line": place.line,
        "endLine": place.line,
        "col": place.col + 1,
        "endColumn": max(place.end_col, place.col + 1),
        "title": f"{rule.code} {rule.name}",
    }
    spelled = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    text = f"{source.from_top}:{place.line}:{place.col + 1}: {rule.code} {finding.message}"
    return f"::{COMMANDS[rule.level]} {spelled}::{_data(text)}"


def _data(text: str) -> str:
    """Escape what stands after the last colons, as GitHub's toolkit does."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return harmless(escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
