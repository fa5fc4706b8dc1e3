"""SARIF 2.1.0, with what GitHub's code scanning asks for beyond the standard.

That is: paths from the top of the repository under `%SRCROOT%`, ranges of one line, the page of each rule as Markdown,
fingerprints that stay when code moves, and related places that the message links to.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from flake8_ckpt.addresses import REPOSITORY
from flake8_ckpt.addresses import page_of
from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Position
from flake8_ckpt.reports.plain_text import harmless
from flake8_ckpt.reports.report import NAME
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Mend
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import RuleText
from flake8_ckpt.reports.report import Source
from flake8_ckpt.reports.report import on_first_line

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
# What GitHub calls the chance that a finding is right.
PRECISIONS = {"error": "very-high", "warning": "high", "note": "medium"}
# Brackets in the text of a link would end it.
BRACKETS = str.maketrans("[]", "()")
SEVERITIES = {"error": "error", "warning": "warning", "note": "recommendation"}


def render(report: Report) -> str:
    """Return a log with one run."""
    codes = sorted({each.finding.code for each in report.entries})
    rules = [_descriptor(report.rules[code]) for code in codes]
    driver = {
        "name": NAME,
        "version": report.version,
        "semanticVersion": report.version,
        **({"informationUri": REPOSITORY} if REPOSITORY else {}),
        "rules": rules,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The top of the repository."}}},
        "results": [_result(each, codes.index(each.finding.code), report) for each in report.entries],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _descriptor(rule: RuleText) -> dict[str, Any]:
    page = page_of(rule.name)
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.page, "markdown": rule.page},
        **({"helpUri": page} if page else {}),
        "defaultConfiguration": {"level": rule.level},
        "properties": {
            "tags": ["pytorch", "checkpoint"],
            "precision": PRECISIONS[rule.level],
            "problem.severity": SEVERITIES[rule.level],
        },
    }


def _result(entry: Entry, index: int, report: Report) -> dict[str, Any]:
    finding, rule = entry.finding, report.rule_of(entry)
    source = report.sources[finding.path]
    related = [
        {"id": number, **_location(report.sources[each.path], each.position), "message": {"text": text}}
        for number, each in enumerate(finding.related, start=1)
        for text in [harmless(each.message)]
    ]
    return {
        "ruleId": rule.code,
        "ruleIndex": index,
        "level": rule.level,
        "message": {"text": _linked(entry)},
        "locations": [_location(source, finding.position)],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{entry.fingerprint}:1",
            "flake8Ckpt/v1": entry.fingerprint,
        },
        **({"relatedLocations": related} if related else {}),
        **_fixes(entry.mend, source),
    }


def _linked(entry: Entry) -> str:
    """Return the message, with a link to each related place."""
    message = harmless(entry.finding.message).replace("](", "] (")
    links = [
        f"[{harmless(each.message).translate(BRACKETS)}]({number})"
        for number, each in enumerate(entry.finding.related, start=1)
    ]
    return f"{message} ({', '.join(links)})" if links else message


def _location(source: Source, position: Position) -> dict[str, Any]:
    place = on_first_line(position, source)
    snippet = source.line(place.line)[place.col : place.end_col]
    region = {**_region(place), **({"snippet": {"text": harmless(snippet)}} if snippet else {})}
    return {"physicalLocation": {"artifactLocation": _artifact(source), "region": region}}


def _artifact(source: Source) -> dict[str, str]:
    path = quote(source.from_top.encode("utf-8", "surrogateescape"))
    if source.from_top.startswith("/"):
        return {"uri": f"file://{path}"}
    return {"uri": path, "uriBaseId": ROOT}


def _region(position: Position) -> dict[str, int]:
    return {
        "startLine": position.line,
        "startColumn": position.col + 1,
        "endLine": position.end_line,
        "endColumn": position.end_col + 1,
    }


def _fixes(mend: Mend | None, source: Source) -> dict[str, Any]:
    if mend is None or not mend.edits or mend.safety == "shown":
        return {}
    change = {
        "artifactLocation": _artifact(source),
        "replacements": [_replacement(each) for each in sorted(mend.edits)],
    }
    return {"fixes": [{"description": {"text": harmless(mend.text)}, "artifactChanges": [change]}]}


def _replacement(edit: Edit) -> dict[str, Any]:
    return {"deletedRegion": _region(edit.position), "insertedContent": {"text": edit.text}}
