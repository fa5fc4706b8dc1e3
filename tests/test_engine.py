"""The library's entry point: which files are read, and which rules run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flake8_ckpt.checking import active_checks
from flake8_ckpt.engine import check
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.linked_project import Project
from flake8_ckpt.options import Options
from flake8_ckpt.rules.base import Rule
from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import WARM_UP
from tests.front_end import write

OPTIONS = Options(no_cache=True)


def found(root: Path, options: Options = OPTIONS, **arguments: Any) -> list[tuple[str, str]]:
    return [(finding.path, finding.code) for finding in check(root, options, **arguments)]


def test_findings_of_a_folder(tmp_path: Path) -> None:
    write(tmp_path, {"base.py": BASE, "sub/policy.py": POLICY, "a.py": NORMALIZER})
    assert found(tmp_path) == [("a.py", "CKP101"), ("sub/policy.py", "CKP101")]


def test_replaced_and_additional_files(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, ".hidden/b.py": NORMALIZER})
    assert found(tmp_path, replaced={"a.py": CLEAN.encode()}) == []
    assert found(tmp_path, paths=[".hidden/b.py"]) == [(".hidden/b.py", "CKP101"), ("a.py", "CKP101")]


def test_executor_of_the_caller(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    with ThreadPoolExecutor(1) as executor:
        assert found(tmp_path, executor=executor) == [("a.py", "CKP101")]


def test_opt_in_rule_is_enabled(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": WARM_UP})
    assert found(tmp_path) == []
    assert found(tmp_path, Options(no_cache=True, enable=("CKP110",))) == [("a.py", "CKP110")]


def report(project: Project, name: str) -> Iterator[Finding]:
    for path in project.files:
        yield Finding(path, Position(1, 0, 1, 0), "CKP199", name)


def on(project: Project) -> Iterator[Finding]:
    yield from report(project, "on")


def opt_in(project: Project) -> Iterator[Finding]:
    yield from report(project, "opt-in")


RULES = [
    Rule("rules.on", "CKP198", on),
    Rule("rules.both_ways", "CKP199", on, opt_in),
    Rule("rules.opt_in", "CKP200", opt_in=opt_in),
    Rule("rules.page_only", "CKP201"),
]


def test_checks_that_run() -> None:
    assert [name for name, _ in active_checks(RULES, ())] == ["on", "both-ways"]
    assert [name for name, _ in active_checks(RULES, ("CKP200",))] == ["on", "both-ways", "opt-in"]
    project = Project({"a.py": FileFacts()})
    checks = active_checks(RULES, ("ALL",))
    said = [(name, [each.message for each in check(project)]) for name, check in checks]
    assert said == [("on", ["on"]), ("both-ways", ["on"]), ("both-ways", ["opt-in"]), ("opt-in", [])]
