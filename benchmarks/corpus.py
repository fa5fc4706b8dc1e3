"""Score the linter against labelled places in public repositories: bugs found, negatives reported."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Optional

from benchmarks.checkout import make_checkouts
from benchmarks.linter import Place
from benchmarks.linter import Report
from benchmarks.linter import lint
from benchmarks.scope import outermost
from benchmarks.scope import parse_file
from benchmarks.table import format_table
from benchmarks.table import percent

MODULE_STATE = (1, 2, 5)
NEAR = 2


@dataclass(frozen=True)
class Case:
    """A labelled place: a bug to find, or code that is right and must stay silent."""

    id: str
    kind: str
    category: int
    checkout: str
    path: str
    line: int
    scope: str
    symbol: str
    is_grey: bool
    note: str


@dataclass(frozen=True)
class Outcome:
    """What the linter said of a case; `report` is None where it was silent."""

    case: Case
    report: Optional[Report]


def read_cases(path: Path, categories: Sequence[int]) -> list[Case]:
    """Read the cases of some categories, of all when none is given."""
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    cases = [read_case(entry) for entry in entries]
    return [case for case in cases if not categories or case.category in categories]


def read_case(entry: dict[str, Any]) -> Case:
    """Read one case."""
    checkout = f"{entry['repo'].replace('/', '+')}@{entry['commit']}"
    grey = "grey" in f"{entry.get('note')} {entry.get('loss')}"
    place = (entry["path"], entry["line"], entry["class_or_func"] or "", entry["symbol"])
    return Case(entry["id"], entry["kind"], entry["category"], checkout, *place, grey, entry["note"])


def find_report(case: Case, reports: Iterable[Report], root: Path) -> Optional[Report]:
    """Return the first finding that is about the case."""
    scope = outermost(parse_file(root / case.path), case.scope)
    lines = (scope.lineno, scope.end_lineno or scope.lineno) if scope else (1, sys.maxsize)
    around = Place(case.path, *lines)
    return next((report for report in reports if is_match(case, report, around)), None)


def is_match(case: Case, report: Report, around: Place) -> bool:
    """Tell whether a finding is about the case: the same name in its scope, or its very line.

    A checkpoint that forgets something has no one place and no one name, so near is enough there.
    """
    family = "CKP1" if case.category in MODULE_STATE else "CKP2"
    if not report.code.startswith(family):
        return False
    if any(place.is_near(case.path, case.line) for place in report.places):
        return True
    near = any(place.is_near(case.path, case.line, NEAR) for place in report.places)
    inside = any(around.is_near(place.path, place.line) for place in report.places)
    return (near and family == "CKP2") or (report.is_about(case.symbol) and (near or inside))


def score(cases: Iterable[Case], checkouts: Path, enable: str) -> list[Outcome]:
    """Lint each checkout once and look for the cases; those without a checkout are left out."""
    reports: dict[str, list[Report]] = {}
    outcomes = []
    for case in cases:
        root = checkouts / case.checkout
        if root.is_dir():
            if case.checkout not in reports:
                reports[case.checkout] = lint(root, enable)
            outcomes.append(Outcome(case, find_report(case, reports[case.checkout], root)))
    return outcomes


def format_scores(runs: dict[str, list[Outcome]], unscored: Sequence[Case]) -> str:
    """Lay out the scores of all runs and what each run missed."""
    head = ["rules", "category", "found", "bugs", "percent", "wrongly reported", "of", "grey", "of"]
    rows = [row for name, outcomes in runs.items() for row in score_rows(name, outcomes)]
    parts = [format_table(head, rows)]
    parts += [format_misses(name, outcomes) for name, outcomes in runs.items()]
    names = ", ".join(case.id for case in unscored)
    return "\n\n".join(part for part in [*parts, names and f"not scored, no checkout: {names}"] if part)


def score_rows(name: str, outcomes: Sequence[Outcome]) -> list[list[object]]:
    """Count one run by category, and in all."""
    categories = sorted({outcome.case.category for outcome in outcomes})
    rows = [[name, c, *count([o for o in outcomes if o.case.category == c])] for c in categories]
    return [*rows, [name, "all", *count(outcomes)]]


def count(outcomes: Sequence[Outcome]) -> list[object]:
    """Count bugs found, bugs, percent, then negatives and grey ones, reported and in all."""
    bugs = [outcome for outcome in outcomes if outcome.case.kind == "bug"]
    negatives = [outcome for outcome in outcomes if outcome.case.kind == "negative"]
    clear = [outcome for outcome in negatives if not outcome.case.is_grey]
    grey = [outcome for outcome in negatives if outcome.case.is_grey]
    found = reported(bugs)
    share = percent(found, len(bugs))
    return [found, len(bugs), share, reported(clear), len(clear), reported(grey), len(grey)]


def reported(outcomes: Iterable[Outcome]) -> int:
    """Count the cases that the linter spoke of."""
    return sum(outcome.report is not None for outcome in outcomes)


def is_miss(outcome: Outcome) -> bool:
    """Tell whether the linter was silent on a bug, or spoke of a negative."""
    return (outcome.case.kind == "bug") == (outcome.report is None)


def format_misses(name: str, outcomes: Iterable[Outcome]) -> str:
    """List what went wrong, one line each."""
    lines = [format_outcome(outcome) for outcome in outcomes if is_miss(outcome)]
    return "\n".join([f"{name}, misses:", *lines]) if lines else f"{name}: no misses"


def format_outcome(outcome: Outcome) -> str:
    """Say of one case where it is and what was reported there."""
    case = outcome.case
    said = outcome.report and f"{outcome.report.code} line {outcome.report.place.line}"
    word = "grey" if case.is_grey else case.kind
    where = f"{case.checkout[:-32]}/{case.path}:{case.line}"
    return f"  {case.id} {word} {case.category} {where} '{case.symbol}': {said or 'silent'} ({case.note})"


def as_json(runs: dict[str, list[Outcome]], unscored: Sequence[Case]) -> str:
    """Give the outcome of every case, for programs."""
    said = {name: {o.case.id: o.report and o.report.code for o in run} for name, run in runs.items()}
    misses = {name: [o.case.id for o in run if is_miss(o)] for name, run in runs.items()}
    counts = {name: score_rows(name, run) for name, run in runs.items()}
    missing = [case.id for case in unscored]
    return json.dumps({"reported": said, "misses": misses, "counts": counts, "unscored": missing}, indent=1)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=__doc__)
    parser.add_argument("cases", type=Path, metavar="CASES.jsonl")
    parser.add_argument("--checkouts", type=Path, required=True, help="working trees OWNER+NAME@COMMIT")
    parser.add_argument("--mirrors", type=Path, help="git directories to make absent working trees from")
    parser.add_argument("--categories", type=lambda text: [int(part) for part in text.split(",")], default=[])
    parser.add_argument("--enable", default="", help="score again with these opt-in rules, or ALL")
    parser.add_argument("--json", action="store_true", help="print every outcome as JSON")
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Score and print."""
    options = build_parser().parse_args(argv)
    cases = read_cases(options.cases, options.categories)
    if options.mirrors:
        make_checkouts([case.checkout for case in cases], options.mirrors, options.checkouts)
    runs = {"default": score(cases, options.checkouts, "")}
    if options.enable:
        runs[f"with {options.enable}"] = score(cases, options.checkouts, options.enable)
    unscored = [case for case in cases if not (options.checkouts / case.checkout).is_dir()]
    print(as_json(runs, unscored) if options.json else format_scores(runs, unscored))
    return 0


if __name__ == "__main__":
    sys.exit(main())
