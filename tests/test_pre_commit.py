"""The real pre-commit runs our hook, on the files that it picks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.front_end import BASE
from tests.front_end import POLICY
from tests.front_end import Run
from tests.front_end import run
from tests.front_end import write

MANIFEST = Path(__file__).parent.parent / ".pre-commit-hooks.yaml"
CONFIG = """\
repos:
-   repo: local
    hooks:
    -   id: flake8-ckpt
        name: flake8-ckpt
        language: system
        entry: {python} -m flake8_ckpt check
        types: [python]
    -   id: flake8
        name: flake8
        language: system
        entry: {python} -m flake8 --select=CKP
        types: [python]
"""


def pre_commit(folder: Path, *arguments: str) -> Run:
    return run(folder, "-m", "pre_commit", *arguments, env={"PRE_COMMIT_HOME": str(folder.parent / "home")})


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository whose hooks are the command and flake8."""
    folder = write(tmp_path / "repository", {"base.py": BASE, "policy.py": POLICY})
    write(folder, {".pre-commit-config.yaml": CONFIG.format(python=sys.executable)})
    git(folder, "init", "-q")
    git(folder, "add", ".")
    return folder


def test_manifest_is_valid(tmp_path: Path) -> None:
    found = pre_commit(tmp_path, "validate-manifest", str(MANIFEST))
    assert (found.code, found.err) == (0, "")


def test_hook_sees_files_that_were_not_passed(repository: Path) -> None:
    found = pre_commit(repository, "run", "--files", "policy.py")
    assert found.code == 1
    assert found.out.count("policy.py:8:9: CKP101 ") == 2


def test_many_files_in_several_batches(repository: Path) -> None:
    names = [f"policy_{number}_{'x' * 180}.py" for number in range(800)]
    write(repository, dict.fromkeys(names[:-1], ""))
    write(repository, {names[-1]: POLICY})
    git(repository, "add", ".")
    found = pre_commit(repository, "run", "flake8-ckpt", "--all-files")
    assert (found.code, found.out.count("CKP101"), found.out.count("Traceback")) == (1, 2, 0)
    assert not [*(repository / ".flake8_ckpt_cache").glob("*.tmp")]


def test_hook_passes_on_files_without_findings(repository: Path) -> None:
    assert pre_commit(repository, "run", "--files", "base.py").code == 0
