"""The page: what the templates show, put together from a report and the tables of the project's checkpoints."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from jinja2 import Environment
from jinja2 import PackageLoader
from jinja2 import StrictUndefined
from markupsafe import Markup

from flake8_ckpt.addresses import REPOSITORY
from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.findings import Position
from flake8_ckpt.reports.diff import changed_lines
from flake8_ckpt.reports.html.checkpoint_map import shortened
from flake8_ckpt.reports.html.checkpoint_view import anchor_of
from flake8_ckpt.reports.html.checkpoint_view import view_of
from flake8_ckpt.reports.html.code import CodeLine
from flake8_ckpt.reports.html.code import Piece
from flake8_ckpt.reports.html.code import around
from flake8_ckpt.reports.html.code import highlighted
from flake8_ckpt.reports.html.code import indent_of
from flake8_ckpt.reports.html.rule_page import page_html
from flake8_ckpt.reports.plain_text import harmless
from flake8_ckpt.reports.plain_text import one_line
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import RuleText
from flake8_ckpt.reports.report import Source

# Beyond so many checkpoints the others are folded.
MAX_OPEN = 4


@dataclass(frozen=True)
class PlaceView:
    """A place with its code."""

    path: str
    position: Position
    message: str
    lines: Sequence[CodeLine]


@dataclass(frozen=True)
class FindingView:
    """A finding as it is shown; `diff` has a sign, a number and pieces for each line, `code` only the pieces."""

    entry: Entry
    rule: RuleText
    place: PlaceView
    related: Sequence[PlaceView]
    diff: Sequence[tuple[str, int, tuple[Piece, ...]]]
    code: Sequence[tuple[Piece, ...]]
    mend_text: str
    evidence_text: str
    anchor: str


@dataclass(frozen=True)
class RuleView:
    """A rule with its page and how often it reports."""

    rule: RuleText
    count: int
    page: Markup


def render(report: Report, tables: Sequence[Table], project: str) -> str:
    """Return the page; `project` is the name of the project's folder."""
    findings = [_finding(each, report) for each in report.entries]
    views = [view_of(table, number, report.entries) for number, table in enumerate(tables, start=1)]
    counts = Counter(each.rule.code for each in findings)
    rules = [
        RuleView(rule, counts[code], page_html(rule.page)) for code, rule in sorted(report.rules.items())
    ]
    agreeing = [each for each in views if not each.broken]
    # Where something is broken nobody came for the rest.
    shown = 0 if len(agreeing) < len(views) else MAX_OPEN
    style, script = _asset("style.css"), _asset("script.js")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            project=one_line(project),
            version=report.version,
            repository=REPOSITORY,
            files=list(_by_file(findings)),
            findings=findings,
            checkpoints=views,
            broken=[each for each in views if each.broken],
            agreeing=agreeing[:shown],
            folded=agreeing[shown:],
            max_open=MAX_OPEN,
            rules=rules,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            policy=_policy(style, script),
        )
    )


def _by_file(findings: Sequence[FindingView]) -> Iterator[tuple[str, list[FindingView]]]:
    for path, group in groupby(findings, key=lambda each: each.place.path):
        yield path, list(group)


def _finding(entry: Entry, report: Report) -> FindingView:
    finding = entry.finding
    source = report.sources[finding.path]
    related = [_place(each.position, report.sources[each.path], each.message) for each in finding.related]
    return FindingView(
        entry,
        report.rule_of(entry),
        _place(finding.position, source, finding.message),
        related,
        list(_diff(entry, source)),
        list(_code(entry)),
        one_line(entry.mend.text) if entry.mend is not None else "",
        one_line(entry.evidence.reason) if entry.evidence is not None else "",
        anchor_of(entry),
    )


def _place(position: Position, source: Source, message: str) -> PlaceView:
    path = one_line(source.printed.removeprefix("./"))
    return PlaceView(path, position, one_line(message), around(position, source))


def _diff(entry: Entry, source: Source) -> Iterator[tuple[str, int, tuple[Piece, ...]]]:
    lines = list(changed_lines(entry.mend.edits, source)) if entry.mend is not None else []
    indent = indent_of([text for _, _, text in lines])
    pieces = highlighted([harmless(text)[indent:] for _, _, text in lines])
    yield from ((sign, number, each) for (sign, number, _), each in zip(lines, pieces))


def _code(entry: Entry) -> Iterator[tuple[Piece, ...]]:
    if entry.mend is not None and entry.mend.code:
        yield from highlighted(harmless(entry.mend.code).rstrip("\n").split("\n"))


def _policy(style: str, script: str) -> str:
    """Return what a browser may run and apply: our own style and script, and nothing that was slipped in."""
    ours = f"style-src {_hash(style)}; script-src {_hash(script)}"
    return f"default-src 'none'; {ours}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("flake8_ckpt.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shortened"] = shortened
    return environment


def _asset(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0]
