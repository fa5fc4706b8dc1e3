"""One root for a run, and the same findings of a file from whichever folder it is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.front_end import BASE
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import both
from tests.front_end import here
from tests.front_end import write

MANY = {f"heap/{number}.py": "" for number in range(501)}


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    """Return a repository of two packages, one of which derives from the other."""
    write(tmp_path, {".git/HEAD": "", "a/pyproject.toml": "", "a/base.py": BASE, "b/pyproject.toml": ""})
    return write(tmp_path, {"b/policy.py": POLICY})


def test_findings_do_not_depend_on_the_folder(monorepo: Path) -> None:
    expected = "policy.py:8:9: CKP101 "
    for folder, name in (
        ("", "b/policy.py"),
        ("b", "policy.py"),
        ("a", "../b/policy.py"),
        ("", "b"),
        ("b", "."),
    ):
        assert expected in here(monorepo / folder, "check", "--no-summary", name).out
    assert expected in here(Path("/"), "check", "--no-summary", str(monorepo / "b/policy.py")).out
    assert both(monorepo / "a", "--select=CKP", "../b/policy.py", ".").codes == ["../b/policy.py CKP101"]


def test_root_is_said_when_asked(monorepo: Path) -> None:
    assert f"note: the project is {monorepo}: it has .git\n" in here(monorepo / "b", "check", "-v").err
    write(monorepo, {"b/setup.cfg": "[flake8]\n"})
    found = here(monorepo / "b", "check", "-v")
    assert (found.out, found.code) == ("", 0)
    assert f"note: the project is {monorepo / 'b'}: the folder of the configuration\n" in found.err
    assert f"{monorepo}: --ckpt-root\n" in here(monorepo / "b", "check", "-v", "--ckpt-root=..").err


def test_file_that_belongs_to_no_project_is_checked_alone(tmp_path: Path) -> None:
    write(tmp_path, {**MANY, "base.py": BASE, "policy.py": POLICY, "a.py": NORMALIZER})
    found = here(tmp_path, "check", "policy.py", "a.py")
    assert found.codes == ["a.py CKP101"]
    note, line = found.err.splitlines()
    assert note.startswith(
        f"flake8-ckpt: note: nothing around {tmp_path} marks a project (.git, pyproject.toml, "
    )
    assert line == "1 finding in 1 file; 2 files read"
    assert here(tmp_path, "check", "-q", "policy.py").err == ""
    assert not (tmp_path / ".flake8_ckpt_cache").exists()


def test_folder_that_was_named_is_read_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path, {**MANY, "base.py": BASE, "policy.py": POLICY})
    assert here(tmp_path, "check").err == "1 finding in 1 file; 503 files read\n"
    assert here(tmp_path, "check", "--ckpt-root=.", "policy.py").err.endswith("503 files read\n")
