"""CKP002: a failure of our own is one finding, and loses no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flake8_ckpt.checking import Fault
from flake8_ckpt.checking import report_fault
from flake8_ckpt.checking import run_checks
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.linked_project import Project
from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import flake8
from tests.front_end import run
from tests.front_end import write

# Python runs this at its start: another folder of rules, as a broken release would have.
BROKEN_RULES = """\
import flake8_ckpt.rules

flake8_ckpt.rules.__path__.append({folder!r})
"""
BROKEN_RULE = '''\
"""A rule that fails."""

from flake8_ckpt.rules.base import Rule


def find(project):
    for path in project.files:
        if path == "b.py":
            raise ZeroDivisionError("no\\nluck")
        yield from ()


RULE = Rule(__name__, "CKP199", find)
'''
BROKEN_LINK = """\
import sys

from flake8_ckpt import {module}

del {module}.{name}

from flake8.main.cli import main

sys.exit(main(sys.argv[1:]))
"""
BROKEN_COLLECTOR = """\
import sys

from flake8_ckpt.facts import collect

collect_file = collect.collect_file


def fail_on_policies(data, known):
    if b"Base" in data:
        raise LookupError("policy")
    return collect_file(data, known)


collect.collect_file = fail_on_policies

from flake8_ckpt.cli import main

sys.exit(main(["check"]))
"""


def report(project: Project, name: str) -> Iterator[Finding]:
    for path in project.files:
        yield Finding(path, Position(1, 0, 1, 0), "CKP199", name)


def succeed(project: Project) -> Iterator[Finding]:
    yield from report(project, "on")


def fail(project: Project) -> Iterator[Finding]:
    for finding in report(project, "failing"):
        yield finding
        if finding.path == "b.py":
            raise KeyError(" b\n ")


def fail_at_once(project: Project) -> Iterator[Finding]:
    raise RuntimeError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project of two files that need each other."""
    return write(tmp_path, {"policy.py": POLICY, "base.py": BASE, "setup.cfg": ""})


def test_failing_rule_does_not_stop_the_others() -> None:
    project = Project({path: collect_file(b"") for path in ("a.py", "b.py", "c.py")})
    findings, faults = run_checks(project, [("failing", fail), ("early", fail_at_once), ("on", succeed)])
    assert [finding.message for finding in findings] == ["failing", "failing", "on", "on", "on"]
    assert faults == [Fault("failing", "KeyError: ' b\\n '", "b.py"), Fault("early", "RuntimeError", "")]


def test_fault_is_a_finding_that_asks_for_a_report() -> None:
    finding = report_fault(Fault("some-rule", "KeyError: 'b'"), "a.py")
    assert (finding.path, finding.code) == ("a.py", "CKP002")
    assert finding.message == "internal error in 'some-rule': KeyError: 'b'; please report it to flake8-ckpt"


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_rule_that_fails_is_one_finding(tmp_path: Path, jobs: str) -> None:
    rules = write(tmp_path / "rules", {"broken_rule.py": BROKEN_RULE})
    start = write(tmp_path / "start", {"sitecustomize.py": BROKEN_RULES.format(folder=str(rules))})
    source = write(tmp_path / "src", {"a.py": NORMALIZER, "b.py": CLEAN, "c.py": NORMALIZER, "setup.cfg": ""})
    env = {"PYTHONPATH": os.pathsep.join([str(start), os.environ.get("PYTHONPATH", "")])}
    found = flake8(source, "--select=CKP", jobs, env=env)
    assert found.codes == ["a.py CKP101", "b.py CKP002", "c.py CKP101"]
    assert "b.py:1:1: CKP002 internal error in 'broken-rule': ZeroDivisionError: no luck;" in found.out
    assert found.err == ""


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_linking_that_fails_is_one_finding(project: Path, jobs: str) -> None:
    code = BROKEN_LINK.format(module="checking", name="Project")
    found = run(project, "-c", code, "--select=CKP", jobs)
    assert (found.codes, found.code, found.err) == (["base.py CKP002"], 1, "")
    assert "internal error in 'link': NameError" in found.out


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_failure_of_the_plugin_loses_no_other_finding(project: Path, jobs: str) -> None:
    write(project, {"style.py": "import os\n"})
    code = BROKEN_LINK.format(module="engine", name="analyze")
    found = run(project, "-c", code, "--select=CKP,F4", jobs, "base.py", "style.py")
    assert found.codes == ["base.py CKP002", "style.py CKP002", "style.py F401"]
    assert (found.code, found.err) == (1, "")


def test_collector_that_fails_is_one_finding(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.py": NORMALIZER, "b.py": POLICY, "c.py": CLEAN})
    for _ in range(2):
        found = run(root, "-c", BROKEN_COLLECTOR)
        assert found.codes == ["a.py CKP101", "b.py CKP002"]
        assert "internal error in 'collect': LookupError: policy; please report" in found.out
