"""The tables of `contract` and the findings of `check` say the same: a key is marked where it is reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from flake8_ckpt.contract_view.rows import Row
from flake8_ckpt.contract_view.rows import tables_of
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules import key_read_but_never_saved
from flake8_ckpt.rules import key_saved_but_never_restored
from flake8_ckpt.rules import normalizer_missing_from_save
from flake8_ckpt.rules import unpaired_state_hooks
from tests.rule_cases import Case
from tests.rules import test_key_read_but_never_saved
from tests.rules import test_key_saved_but_never_restored
from tests.rules import test_normalizer_missing_from_save
from tests.rules import test_unpaired_state_hooks

DEMO = Path(__file__).parent.parent / "flake8_ckpt" / "demo"
DEMOS = {
    folder.name: {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    for folder in sorted(DEMO.iterdir())
    if any(folder.glob("*.py"))
}
CODES = {
    "read": test_key_read_but_never_saved,
    "saved": test_key_saved_but_never_restored,
    "normalizer": test_normalizer_missing_from_save,
    "hooks": test_unpaired_state_hooks,
}
CASES: dict[str, Case] = {
    f"{kind} {name}": case
    for kind, module in CODES.items()
    for name, case in {**module.SILENT, **module.FOUND}.items()
}
RULES = (
    key_read_but_never_saved,
    key_saved_but_never_restored,
    normalizer_missing_from_save,
    unpaired_state_hooks,
)


def linked(files: Mapping[str, str]) -> Project:
    """Link the files of a small project."""
    return Project({path: collect_file(source.encode()) for path, source in files.items()})


def marked(project: Project) -> list[Row]:
    """Return the rows of all tables that do not match."""
    return [row for table in tables_of(project) for row in table.rows if row.mismatch is not None]


def told(project: Project) -> set[str]:
    """Return all that is said in the findings about keys: their messages, and the other places that they name."""
    found = [finding for rule in RULES for finding in rule.check(project)]
    return {text for each in found for text in (each.message, *(one.message for one in each.related))}


@pytest.mark.parametrize("case", CASES.values(), ids=[name.replace(" ", "-") for name in CASES])
def test_marked_keys_are_reported(case: Case) -> None:
    project = linked({"model.py": case} if isinstance(case, str) else case)
    texts = told(project)
    rows = marked(project)
    for row in rows:
        below = {key for each in rows for key in each.keys if each.keys[: len(row.keys)] == row.keys}
        assert any(f"'{key}'" in text for text in texts for key in below), row


@pytest.mark.parametrize("case", CASES.values(), ids=[name.replace(" ", "-") for name in CASES])
def test_reported_keys_are_marked(case: Case) -> None:
    project = linked({"model.py": case} if isinstance(case, str) else case)
    keys = {key for row in marked(project) for key in row.keys}
    for lost in project.contract.unrestored:
        assert lost.is_framework_hook or lost.keys[-1] in keys
    for missing in project.contract.missing:
        if not missing.is_framework_hook and project.contract.matters(missing):
            assert missing.keys[-1] in keys


@pytest.mark.parametrize("name", DEMOS)
def test_demo_has_the_same_story(name: str) -> None:
    project = linked(DEMOS[name])
    texts = told(project)
    rows = marked(project)
    assert bool(rows) == any("CKP" for _ in texts)
    assert all(any(f"'{key}'" in text for text in texts for key in row.keys) for row in rows)
