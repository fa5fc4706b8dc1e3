"""Gather what a report is made from: the findings that are kept, their files and their rules."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from flake8_ckpt import __version__
from flake8_ckpt.commands.output import Material
from flake8_ckpt.engine import Analysis
from flake8_ckpt.evidence.records import Evidence as RunEvidence
from flake8_ckpt.evidence.text import message
from flake8_ckpt.evidence.verdicts import speaks_of
from flake8_ckpt.findings import Finding
from flake8_ckpt.fingerprints import fingerprints
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Evidence
from flake8_ckpt.reports.report import Level
from flake8_ckpt.reports.report import Mend
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import RuleText
from flake8_ckpt.reports.report import Source
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode

# Codes of files that could not be checked.
UNCHECKED = "CKP0"


def report_of(kept: Sequence[Finding], material: Material, is_mended: bool) -> Report:
    """Return the report of the findings that are neither ignored nor silenced, with their fixes if a format has them.

    The fingerprints are those among all findings, so that one that is silenced leaves those of the others as they are.
    """
    marks = fingerprints([*material.findings, *kept])
    mends = _mends(kept, material.found) if is_mended else {}
    seen = {} if material.run is None else _evidence(kept, marks, material.run)
    codes = {each.code for each in kept}
    paths = {each.path for each in kept} | {each.path for finding in kept for each in finding.related}
    return Report(
        __version__,
        tuple(Entry(each, marks[each], mends.get(each), seen.get(each)) for each in kept),
        _rules(codes),
        _sources(paths, material),
    )


def _mends(kept: Iterable[Finding], found: Analysis) -> dict[Finding, Mend]:
    """Return how findings are mended; libcst is only imported where some may be."""
    mends = {}
    by_path: dict[str, list[Finding]] = defaultdict(list)
    for each in kept:
        if each.fix.name:
            by_path[each.path].append(each)
    for path, findings in by_path.items():
        from flake8_ckpt.fixes.suggestions import suggestions

        data = found.survey.content_of(path)
        for finding, made in zip(findings, [] if data is None else suggestions(findings, data)):
            if made is not None:
                mends[finding] = Mend(made.title, made.safety, made.note, made.edits, made.code)
    return mends


def _evidence(
    kept: Iterable[Finding], marks: Mapping[Finding, str], run: RunEvidence
) -> dict[Finding, Evidence]:
    """Return what a run says of the findings that it saw, with the values that it saw before and after."""
    judged = {each.fingerprint: each for each in run.findings if each.verdict != "not seen"}
    files = len({each.path for each in run.files})
    seen = {}
    for finding in kept:
        if marks[finding] in judged:
            verdict = judged[marks[finding]]
            lost = [message(each, files) for each in run.losses if speaks_of(finding, each)]
            seen[finding] = Evidence(verdict.verdict, "; ".join(filter(None, [verdict.reason, *lost])))
    return seen


def _rules(codes: Container[str]) -> dict[str, RuleText]:
    return {rule.code: _text_of(rule) for rule in all_rules() if rule.code in codes}


def _text_of(rule: Rule) -> RuleText:
    return RuleText(rule.code, rule.name, rule.summary, rule.page, _level_of(rule))


def _level_of(rule: Rule) -> Level:
    """Return the level: an opt-in rule reports what may be meant so."""
    if rule.code.startswith(UNCHECKED):
        return "error"
    return "note" if rule.check is None else "warning"


def _sources(paths: Iterable[str], material: Material) -> dict[str, Source]:
    root = material.found.root
    top = _top_of(root)
    return {
        path: Source(_printed(path, material), _from(top, root / path), _lines(path, material.found))
        for path in sorted(paths)
    }


def _printed(path: str, material: Material) -> str:
    name = material.names.get(path) or os.path.relpath(material.found.root / path)
    return name.replace(os.sep, "/")


def _from(top: Path, path: Path) -> str:
    """Return the path from a folder with forward slashes, the whole path of a file that is elsewhere."""
    absolute = Path(os.path.abspath(path))
    if top in absolute.parents:
        return absolute.relative_to(top).as_posix()
    return absolute.as_posix()


def _top_of(root: Path) -> Path:
    """Return the top of the repository that a root lies in, the working folder where there is none."""
    whole = Path(os.path.abspath(root))
    return next((each for each in (whole, *whole.parents) if (each / ".git").exists()), Path.cwd())


def _lines(path: str, found: Analysis) -> tuple[str, ...]:
    """Return the lines of a file; none of what a link leads to and is no Python, which may be anybody's secret."""
    if path in found.broken and os.path.islink(found.root / path):
        return ()
    data = found.survey.content_of(path)
    try:
        return () if data is None else tuple(decode(data).split("\n"))
    except Unreadable:
        return ()
