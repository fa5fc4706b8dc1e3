"""Count what the verifier names: agents that lose something, and agents that only look as if they did."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.table import format_table
from flake8_ckpt.runtime.verifier import Report
from flake8_ckpt.runtime.verifier import verify_roundtrip
from tests.runtime.lossy_agents import LOSSES
from tests.runtime.lossy_agents import Case
from tests.runtime.lossy_agents import is_part
from tests.runtime.lossy_agents import load
from tests.runtime.lossy_agents import save
from tests.runtime.lossy_agents import train
from tests.runtime.lossy_agents import train_on
from tests.runtime.whole_agents import WHOLE

HEAD = ("agent", "lost", "named", "missed", "false", "what the report says of it")


def report_of(case: Case) -> Report:
    """Return the report on an agent, trained from one seed."""
    torch.manual_seed(0)
    return verify_roundtrip(
        case.make, exercise=train, continue_with=train_on, save=save, load=load, isolated=case.is_isolated
    )


def row_of(name: str, case: Case) -> tuple[Any, ...]:
    """Return what was lost, named, missed and named by mistake, and the first line of the report."""
    report = report_of(case)
    found = [problem.path for problem in report.problems if problem.kind != "diverged"]
    named = [path for path in case.lost if any(is_part(each, path) for each in found)]
    false = [path for path in found if not any(is_part(path, each) for each in case.lost)]
    said = "no problem" if report.ok else report.problems[0].kind
    return name, len(case.lost), len(named), len(case.lost) - len(named), len(false), said


def rows() -> list[tuple[Any, ...]]:
    """Return a row for each agent, and one for all."""
    cases = LOSSES | {name: Case(make) for name, make in WHOLE.items()}
    found = [row_of(name, case) for name, case in cases.items()]
    totals = [sum(row[column] for row in found) for column in range(1, 5)]
    return [*found, (f"{len(LOSSES)} lossy and {len(WHOLE)} whole agents", *totals, "")]


if __name__ == "__main__":
    print(format_table(HEAD, [tuple(map(str, row)) for row in rows()]))
