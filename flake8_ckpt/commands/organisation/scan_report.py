"""The one report of a scan: what each repository has, and a table of counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flake8_ckpt.commands.adoption.summary import counted
from flake8_ckpt.commands.organisation.one_repository import Outcome
from flake8_ckpt.reports.plain_text import one_line

HEAD = ("repository", "files", "findings", "hidden", "codes")
NUMBERS = range(1, 4)


def text(outcomes: Sequence[Outcome]) -> str:
    """Return the findings as text, and the table below."""
    return "\n\n".join([*(each.report for each in outcomes if each.report), table(outcomes)])


def concise(outcomes: Sequence[Outcome]) -> str:
    """Return a line for each finding."""
    return "\n".join(each.report for each in outcomes if each.report)


def json_list(outcomes: Sequence[Outcome]) -> str:
    """Return a list of repositories, with the findings of each as `check` has them."""
    return json.dumps([_entry(each) for each in outcomes], indent=2)


def sarif(outcomes: Sequence[Outcome]) -> str:
    """Return a log with a run for each repository."""
    from flake8_ckpt import __version__
    from flake8_ckpt.reports import sarif as one_run
    from flake8_ckpt.reports.report import Report

    log = json.loads(one_run.render(Report(__version__, (), {})))
    empty = json.dumps(log["runs"][0])
    log["runs"] = [_run(each, empty) for each in outcomes]
    return json.dumps(log, indent=2)


FORMATS: dict[str, Callable[[Sequence[Outcome]], str]] = {
    "text": text,
    "concise": concise,
    "json": json_list,
    "sarif": sarif,
}


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the counts of the repositories that there is something to say of, and of all."""
    told = [each for each in outcomes if each.error or each.codes or each.hidden or each.unread]
    rows = [HEAD, *map(_row, told)]
    if len(told) < len(outcomes):
        rest = [each for each in outcomes if each not in told]
        rows.append((f"{len(rest)} more", str(sum(each.read for each in rest)), "0", "0", ""))
    rows.append(_total(outcomes))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(map(_cell, row, widths, range(len(HEAD)))).rstrip() for row in rows)


def summary_line(outcomes: Sequence[Outcome]) -> str:
    """Return the line that a scan ends with."""
    findings = sum(sum(each.codes.values()) for each in outcomes)
    found = f"{counted(findings, 'finding')} in {sum(bool(each.codes) for each in outcomes)}"
    failed = sum(bool(each.error) for each in outcomes)
    return "".join(
        (
            f"{found if findings else 'no findings in any'} of {len(outcomes)} repositories",
            f", {failed} not checked" if failed else "",
            f"; {counted(sum(each.read for each in outcomes), 'file')} read",
        )
    )


def _row(outcome: Outcome) -> tuple[str, ...]:
    name = one_line(outcome.repository.name)
    if outcome.error:
        return name, "-", "-", "-", "not checked"
    codes = _codes(outcome.codes)
    unread = f"{counted(len(outcome.unread), 'file')} not read" if outcome.unread else ""
    numbers = (outcome.read, sum(outcome.codes.values()), sum(outcome.hidden.values()))
    return (name, *map(str, numbers), ", ".join(filter(None, (codes, unread))))


def _total(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    codes: Counter[str] = Counter()
    for each in outcomes:
        codes.update(each.codes)
    numbers = (
        sum(each.read for each in outcomes),
        sum(codes.values()),
        sum(sum(each.hidden.values()) for each in outcomes),
    )
    return (f"all {len(outcomes)}", *map(str, numbers), _codes(dict(sorted(codes.items()))))


def _codes(codes: Any) -> str:
    return ", ".join(f"{code} {count}" for code, count in codes.items())


def _cell(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column in NUMBERS else text.ljust(width)


def _entry(outcome: Outcome) -> dict[str, Any]:
    return {
        "repository": outcome.repository.name,
        "place": outcome.repository.place,
        "commit": outcome.commit or None,
        "error": outcome.error or None,
        "files": outcome.read,
        "unread": list(outcome.unread),
        "hidden": dict(outcome.hidden),
        "findings": json.loads(outcome.report or "[]"),
    }


def _run(outcome: Outcome, empty: str) -> dict[str, Any]:
    """Return the run of a repository, which says where it is, and what could not be checked."""
    run: dict[str, Any] = json.loads(outcome.report)["runs"][0] if outcome.report else json.loads(empty)
    run["automationDetails"] = {"id": f"{outcome.repository.name}/"}
    if outcome.repository.address:
        source = {"repositoryUri": outcome.repository.place}
        run["versionControlProvenance"] = [
            {**source, "revisionId": outcome.commit} if outcome.commit else source
        ]
    else:
        run["originalUriBaseIds"]["%SRCROOT%"]["uri"] = f"{Path(outcome.repository.place).as_uri()}/"
    note = {"level": "error", "message": {"text": outcome.error}}
    run["invocations"] = [
        {
            "executionSuccessful": not outcome.error,
            **({"toolExecutionNotifications": [note]} if outcome.error else {}),
        }
    ]
    return run
