"""The real pre-commit runs our hook, on the files that it picks."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

from tests.front_end import BASE
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import Run
from tests.front_end import run
from tests.front_end import write

ROOT = Path(__file__).parent.parent
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
# What an installation of this repository needs of it.
PARTS = (MANIFEST.name, "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
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


# Has a safe fix.
WINDOW = """\
import torch
from torch import nn


class Window(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.taps = self.register_buffer("taps", torch.hann_window(5), persistent=False)
"""
# An environment that installs nothing from elsewhere: what we need is where this test found it.
OFFLINE = {
    "PYTHONPATH": os.pathsep.join(site.getsitepackages()),
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
}


def pre_commit(folder: Path, *arguments: str) -> Run:
    return run(
        folder,
        "-m",
        "pre_commit",
        *arguments,
        env={**OFFLINE, "PRE_COMMIT_HOME": str(folder.parent / "home")},
    )


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder, check=True)


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


def test_hooks_of_this_repository(tmp_path: Path) -> None:
    """Two files lose state; one of them is in the commit."""
    ours = tmp_path / "ours"
    shutil.copytree(ROOT / "flake8_ckpt", ours / "flake8_ckpt", ignore=shutil.ignore_patterns("__pycache__"))
    for name in PARTS:
        shutil.copy(ROOT / name, ours / name)
    folder = write(tmp_path / "project", {"old.py": NORMALIZER})
    for each in (ours, folder):
        git(each, "init", "-q")
        git(each, "add", ".")
        git(each, "commit", "-qm", "All")
    write(folder, {"new.py": NORMALIZER, "window.py": WINDOW})
    git(folder, "add", "new.py", "window.py")
    found = pre_commit(folder, "try-repo", str(ours), "--ref", "HEAD", "--verbose")
    _, files, fix, project = found.out.split("- hook id: ")
    assert (found.code, found.out.count("Failed")) == (1, 3), found
    assert [name in files for name in ("new.py:8:9: CKP101", "old.py:8:9: CKP101")] == [True, False]
    assert [name in project for name in ("new.py:8:9: CKP101", "old.py:8:9: CKP101")] == [True, True]
    assert "files were modified by this hook" in fix
    assert '\n        self.register_buffer("taps", ' in (folder / "window.py").read_text()
    assert (folder / "old.py").read_text() == NORMALIZER
