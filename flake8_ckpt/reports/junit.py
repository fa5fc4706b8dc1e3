"""JUnit's XML: a failed test for each finding, and one that passed where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

from flake8_ckpt.reports.plain_text import harmless
from flake8_ckpt.reports.report import NAME
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Report

HEADING = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(report: Report) -> str:
    """Return the report, with one suite for each file."""
    count = str(len(report.entries))
    suites = ElementTree.Element(
        "testsuites", name=NAME, tests=str(max(len(report.entries), 1)), failures=count
    )
    for path, entries in groupby(report.entries, key=lambda entry: entry.finding.path):
        _add_suite(suites, report.sources[path].from_top, list(entries), report)
    if not report.entries:
        suite = ElementTree.SubElement(suites, "testsuite", name=NAME, tests="1", failures="0", errors="0")
        ElementTree.SubElement(suite, "testcase", classname=NAME, name="nothing found")
    ElementTree.indent(suites)
    return HEADING + ElementTree.tostring(suites, encoding="unicode")


def _add_suite(suites: ElementTree.Element, path: str, entries: Sequence[Entry], report: Report) -> None:
    count, name = str(len(entries)), harmless(path)
    suite = ElementTree.SubElement(suites, "testsuite", name=name, tests=count, failures=count, errors="0")
    for each in entries:
        finding, rule = each.finding, report.rule_of(each)
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=name.removesuffix(".py").replace("/", "."),
            name=f"{rule.code} {rule.name} at {finding.position.line}:{finding.position.col + 1}",
            file=name,
            line=str(finding.position.line),
        )
        message = harmless(finding.message)
        failure = ElementTree.SubElement(case, "failure", message=message, type=rule.code)
        failure.text = "\n".join([f"{name}:{finding.position.line}: {message}", *_related(each, report)])


def _related(entry: Entry, report: Report) -> list[str]:
    return [
        harmless(f"{report.sources[each.path].from_top}:{each.position.line}: {each.message}")
        for each in entry.finding.related
    ]
