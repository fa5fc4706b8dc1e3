"""The files that are asked about are those that flake8 would lint, in its order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flake8 import discover_files

from flake8_ckpt.asked_files import expand_paths
from tests.front_end import write

FILES = [
    "a.py",
    "b.txt",
    "build/c.py",
    "src/build/d.py",
    "src/e.py",
    "src/deep/f.py",
    "src/deep/[g].py",
    ".git/h.py",
    "names with spaces/i.pyi",
    "Upper/J.PY",
]
DEFAULT = [".svn", "CVS", ".bzr", ".hg", ".git", "__pycache__", ".tox", ".nox", ".eggs", "*.egg"]


@pytest.mark.parametrize(
    "paths", [[], ["."], ["src"], ["src/"], ["./src/deep"], ["src", "a.py"], ["b.txt"], ["gone"]]
)
@pytest.mark.parametrize(
    "exclude",
    [[], DEFAULT, ["build"], ["{root}/build"], ["{root}/src/*"], ["*/deep", "a.py"], ["[[]g].py"], ["."]],
)
@pytest.mark.parametrize("patterns", [["*.py"], [], ["e.py", "*/f.py"], ["*.PY", "*.pyi"]])
def test_same_files_as_flake8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], exclude: list[str], patterns: list[str]
) -> None:
    write(tmp_path, dict.fromkeys(FILES, ""))
    monkeypatch.chdir(tmp_path)
    asked: dict[str, Any] = {
        "paths": paths,
        "stdin_display_name": "stdin",
        "filename_patterns": patterns,
        "exclude": [each.replace("{root}", str(tmp_path)) for each in exclude],
    }
    assert list(expand_paths(**asked)) == list(discover_files.expand_paths(**asked))


@pytest.mark.parametrize("name", ["stdin", "a.py", "build/c.py"])
def test_standard_input_goes_by_its_display_name(name: str) -> None:
    asked: dict[str, Any] = {
        "paths": ["-"],
        "stdin_display_name": name,
        "filename_patterns": ["*.py"],
        "exclude": ["build", "c.py"],
    }
    assert list(expand_paths(**asked)) == list(discover_files.expand_paths(**asked))


def test_absolute_paths(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(FILES, ""))
    asked: dict[str, Any] = {
        "paths": [str(tmp_path)],
        "stdin_display_name": "stdin",
        "filename_patterns": ["*.py"],
        "exclude": [f"{tmp_path}/src", "build"],
    }
    assert list(expand_paths(**asked)) == list(discover_files.expand_paths(**asked)) != []
