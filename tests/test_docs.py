"""The README and CONTRIBUTING say what is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flake8_ckpt.rules.base import all_rules
from tests import docs
from tests import rule_cases
from tests.tutorial import with_outputs

ROOT = Path(__file__).parent.parent
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
BLOCK = re.DOTALL | re.MULTILINE
TABLE = {docs.RULES: docs.with_table}

each_page = pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        *sorted(page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md")),
    ],
)


def test_table_of_rules_is_current() -> None:
    assert docs.main(["--check"], TABLE) == 0


def test_changed_table_is_noticed(tmp_path: Path) -> None:
    copy = tmp_path / "rules.md"
    text = docs.RULES.read_text(encoding="utf-8")
    copy.write_text(text.replace("| CKP101 |", "| CKP100 |"), encoding="utf-8")
    table = {copy: docs.with_table}
    assert docs.main(["--check"], table) == 1
    assert docs.main(["--write"], table) == 0
    assert docs.main(["--check"], table) == 0


def test_output_of_the_example_is_current() -> None:
    assert docs.main(["--check"], {docs.README: with_outputs}) == 0


def test_changed_output_is_noticed(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    text = docs.README.read_text(encoding="utf-8")
    copy.write_text(text.replace("CKP101 'mean'", "CKP101 'var'"), encoding="utf-8")
    assert docs.main(["--check"], {copy: with_outputs}) == 1


def test_readme_is_short() -> None:
    assert len(docs.README.read_text(encoding="utf-8").splitlines()) <= 150


def test_unknown_argument_is_refused() -> None:
    assert docs.main(["--fix"], TABLE) == 2


@each_page
def test_pages_name_only_files_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert all(((ROOT / name).parent / link).exists() for link in links)


@each_page
def test_pages_name_only_codes_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    known = {rule.code for rule in all_rules()}
    assert set(re.findall(r"CKP\d{3}", text)) <= known | {"CKP199"}


@each_page
def test_prose_has_one_sentence_per_line(name: str) -> None:
    prose = re.sub(r"^(```+).*?^\1$", "", (ROOT / name).read_text(encoding="utf-8"), flags=BLOCK)
    lines = [line for line in prose.splitlines() if not line.startswith(("|", "#"))]
    assert [line for line in lines if re.search(r"[a-z)`]\. [A-Z]", line)] == []


def test_table_of_codes_knows_those_that_are_taken() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `CKP\d` \| [^|]+ \| ([^|]+) \| from (\d+)", text, re.MULTILINE)
    taken = [code for listed, _ in rows for part in listed.split(", ") for code in codes(part)]
    assert [rule.code for rule in all_rules()] == [f"CKP{code:03}" for code in taken]
    assert all(codes(listed.split(", ")[-1])[-1] < int(free) for listed, free in rows)


def codes(part: str) -> range:
    """Return the codes that a part of a list names: `201 to 214`, or `216`."""
    first, _, last = part.partition(" to ")
    return range(int(first), int(last or first) + 1)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the rule that CONTRIBUTING shows, as one of all rules."""
    (source,) = re.findall(r"^````python\n(.*?)^````$", CONTRIBUTING.read_text(encoding="utf-8"), BLOCK)
    module = ModuleType("flake8_ckpt.rules.dot_in_buffer_name")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, "dot_in_buffer_name.py", "exec"), vars(module))
    monkeypatch.setattr(rule_cases, "all_rules", lambda: (*all_rules(), module.RULE))
    return module


def test_example_rule_passes_its_tests(example: ModuleType) -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    (source,) = re.findall(r"^```python\n(\"\"\"CKP199.*?)^```$", text, BLOCK)
    tables: dict[str, Any] = {"__name__": "test_dot_in_buffer_name"}
    exec(compile(source, "test_dot_in_buffer_name.py", "exec"), tables)
    for case in tables["SILENT"].values():
        rule_cases.check_silent(case)
    for case in tables["FOUND"].values():
        rule_cases.check_findings(case)


def test_example_page_is_true(example: ModuleType) -> None:
    bad, good = re.findall(r"^```python\n(.*?)^```$", example.RULE.page, BLOCK)
    assert {finding.code for finding in rule_cases.lint(bad)} == {"CKP199"}
    assert rule_cases.lint(good) == []
    for source in (bad, good):
        exec(compile(source, "page", "exec"), {"__name__": "page"})
