"""Agents in the shapes of real ones: what each loses is named, and those that lose nothing get no problem."""

from __future__ import annotations

import pytest

from benchmarks.verifier import report_of
from tests.runtime.lossy_agents import LOSSES
from tests.runtime.lossy_agents import Case
from tests.runtime.lossy_agents import is_part
from tests.runtime.whole_agents import WHOLE

# No walk reaches these: that the copies part is all that can be said.
OUT_OF_REACH = {"counter in a closure", "counter in an iterator"}
# What takes a new process is tested with others of its kind.
IN_REACH = [name for name, case in LOSSES.items() if name not in OUT_OF_REACH and not case.is_isolated]


@pytest.mark.parametrize("name", WHOLE)
def test_whole_agent_has_no_problem(name: str) -> None:
    report = report_of(Case(WHOLE[name]))
    assert report.ok, str(report)


@pytest.mark.parametrize("name", IN_REACH)
def test_lossy_agent_is_told_what_it_loses(name: str) -> None:
    report, lost = report_of(LOSSES[name]), LOSSES[name].lost
    found = [problem.path for problem in report.problems if problem.kind != "diverged"]
    assert all(any(is_part(each, path) for each in found) for path in lost), str(report)
    assert all(any(is_part(path, each) for each in lost) for path in found), str(report)


@pytest.mark.parametrize("name", sorted(OUT_OF_REACH))
def test_loss_out_of_reach_shows_in_what_follows(name: str) -> None:
    assert [problem.kind for problem in report_of(LOSSES[name]).problems] == ["diverged"]
