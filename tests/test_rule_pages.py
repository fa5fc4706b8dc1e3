"""Every rule has a page and tests, and what the page's programs claim is true."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules
from tests.rule_cases import Case
from tests.rule_cases import lint

HEADINGS = [
    "What it does",
    "Why it matters",
    "Bad",
    "Good",
    "Fix safety",
    "When it stays silent",
    "References",
]
FOLDER = Path(__file__).parent / "rules"
ANALYSIS = {"CKP001", "CKP002"}
RULES = [rule for rule in all_rules() if rule.code not in ANALYSIS]
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SAFETY = re.compile(r"Safe: |Unsafe: |Shown, not applied: ")

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def sections(rule: Rule) -> dict[str, str]:
    """Return the sections of a page by heading."""
    parts = re.split(r"^## (.+)$", rule.page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2])))


def program(rule: Rule, heading: str) -> str:
    """Return the one program of a section."""
    blocks: list[str] = PROGRAM.findall(sections(rule)[heading])
    (block,) = blocks
    return block


def rule_tests(rule: Rule) -> ModuleType:
    """Import the test file of a rule."""
    return importlib.import_module(f"tests.rules.test_{rule.name.replace('-', '_')}")


def tables(module: ModuleType, *, silent: bool) -> list[Case]:
    """Return the cases of the tables that are named SILENT..., or of all others."""
    return [
        case
        for name, table in vars(module).items()
        if name.isupper() and isinstance(table, dict) and name.startswith("SILENT") == silent
        for case in table.values()
    ]


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in all_rules()}) == len(all_rules())
    assert len({rule.name for rule in all_rules()}) == len(all_rules())


def test_every_file_of_the_package_is_a_rule() -> None:
    folder = Path(importlib.import_module("flake8_ckpt.rules").__path__[0])
    files = {path.stem.replace("_", "-") for path in folder.glob("*.py")} - {"--init--", "base"}
    assert files == {rule.name for rule in all_rules()}


def test_every_test_file_belongs_to_a_rule() -> None:
    files = {path.stem.removeprefix("test_") for path in FOLDER.glob("test_*.py")}
    assert files >= {rule.name.replace("-", "_") for rule in RULES}


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
def test_page_has_a_summary_of_one_line(rule: Rule) -> None:
    summary, blank, *_ = rule.page.splitlines()
    assert summary.endswith(".") and len(summary) <= 110
    assert blank == ""


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
def test_page_has_its_headings_in_order(rule: Rule) -> None:
    found = list(sections(rule))
    optional = {"Fix safety"} | ({"Bad", "Good"} if rule.code in ANALYSIS else set())
    assert found == [heading for heading in HEADINGS if heading in found]
    assert set(HEADINGS) - set(found) <= optional
    assert all(sections(rule).values())


@each_rule
def test_fix_safety_begins_with_the_level(rule: Rule) -> None:
    assert SAFETY.match(sections(rule).get("Fix safety", "Safe: there is no fix"))


@each_rule
def test_bad_gives_only_its_own_code(rule: Rule) -> None:
    enable = [rule.code] if rule.check is None else []
    assert {finding.code for finding in lint(program(rule, "Bad"), enable=enable)} == {rule.code}


@each_rule
def test_good_gives_nothing(rule: Rule) -> None:
    assert lint(program(rule, "Good"), enable=["ALL"]) == []


@each_rule
@pytest.mark.parametrize("heading", ["Bad", "Good"])
def test_program_shows_what_it_claims(rule: Rule, heading: str) -> None:
    source = program(rule, heading)
    assert "\nassert " in source
    exec(compile(source, f"{rule.name} {heading}", "exec"), {"__name__": heading})


@each_rule
def test_silent_cases_are_two_in_five(rule: Rule) -> None:
    module = rule_tests(rule)
    silent, others = tables(module, silent=True), tables(module, silent=False)
    assert silent and others
    assert len(silent) >= 0.4 * (len(silent) + len(others))


@each_rule
def test_silent_cases_come_first(rule: Rule) -> None:
    tested = vars(rule_tests(rule)).items()
    names = [name for name, table in tested if name.isupper() and isinstance(table, dict)]
    order = ["SILENT", "FOUND", "REGRESSIONS"]
    ranks = [order.index(name.partition("_")[0]) for name in names]
    assert ranks == sorted(ranks)
