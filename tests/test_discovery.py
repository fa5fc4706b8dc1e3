"""Where a project begins, and which files it has."""

from __future__ import annotations

import ntpath
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from pathlib import PureWindowsPath

import pytest

from flake8_ckpt.index.discovery import choose_root
from flake8_ckpt.index.discovery import find_files
from flake8_ckpt.index.discovery import find_root
from flake8_ckpt.index.discovery import is_excluded
from flake8_ckpt.index.discovery import is_lost
from flake8_ckpt.index.discovery import relative_path
from tests.front_end import write


def touch(folder: Path, *names: str) -> Path:
    return write(folder, dict.fromkeys(names, ""))


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder, check=True)


@pytest.mark.parametrize("marker", [".git/HEAD", "pyproject.toml", "setup.cfg", "setup.py"])
def test_root_is_the_nearest_marked_folder(tmp_path: Path, marker: str) -> None:
    touch(tmp_path, "setup.py", f"a/{marker}", "a/b/c.py")
    assert find_root(tmp_path / "a" / "b", None) == tmp_path / "a"


def test_configuration_folder_is_the_root(tmp_path: Path) -> None:
    touch(tmp_path, "a/setup.py")
    assert find_root(tmp_path / "a", tmp_path) == tmp_path
    assert find_root(tmp_path, tmp_path) == tmp_path


def test_configuration_of_another_place_is_not(tmp_path: Path) -> None:
    touch(tmp_path, "a/setup.py", "ci/lint.cfg")
    assert find_root(tmp_path / "a", tmp_path / "ci") == tmp_path / "a"


def test_start_without_any_mark_is_the_root(tmp_path: Path) -> None:
    assert find_root(tmp_path, None) == tmp_path


@pytest.mark.parametrize(
    ("here", "filenames", "root"),
    [
        ("project", [], "project"),
        ("project/pkg", [], "project"),
        ("project", ["pkg/a.py"], "project"),
        ("project", ["pkg/a.py", "../other/b.py"], "project"),
        ("project", ["../other"], "other"),
        ("project", ["../other/b.py", "../other/sub/c.py"], "other"),
        ("project", ["-"], "project"),
        ("", ["project/pkg/a.py"], "project"),
        ("", ["project"], "project"),
        ("", ["bare"], "bare"),
        ("", ["bare/pkg/a.py"], "bare"),
        ("", ["bare/pkg"], "bare/pkg"),
        ("", ["bare/pkg/sub"], "bare/pkg"),
        ("", ["bare/pkg/a.py", "bare/d.py"], "bare"),
        ("", ["nowhere/x.py"], "nowhere"),
    ],
)
def test_root_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str, filenames: list[str], root: str
) -> None:
    touch(tmp_path, "project/setup.cfg", "project/pkg/a.py", "other/setup.py", "other/b.py", "other/sub/c.py")
    touch(tmp_path, "bare/pkg/__init__.py", "bare/pkg/a.py", "bare/pkg/sub/__init__.py", "bare/d.py")
    monkeypatch.chdir(tmp_path / here)
    assert choose_root(filenames, None) == tmp_path / root


def test_configuration_decides_over_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/setup.py", "a/b.py")
    monkeypatch.chdir(tmp_path)
    assert choose_root(["a/b.py"], tmp_path) == tmp_path


def test_paths_are_named_from_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert relative_path(tmp_path, "./a/../b.py") == "b.py"
    assert relative_path(tmp_path / "a", "b.py") == "../b.py"
    assert relative_path(tmp_path / "ab", str(tmp_path / "abc.py")) == "../abc.py"


FILES = ("a.py", "pkg/__init__.py", "pkg/b.py", "tests/c.py")
FOREIGN = (
    "node_modules/x.py",
    "lib/site-packages/x.py",
    "pkg/__pycache__/x.py",
    ".hidden/x.py",
    "pkg/.tox/py/x.py",
    "env/pyvenv.cfg",
    "env/bin/x.py",
)
OTHER = ("a.pyi", "b.txt", "py", "c.PY.bak")


def test_walk_finds_own_files_only(tmp_path: Path) -> None:
    assert find_files(touch(tmp_path, *FILES, *FOREIGN, *OTHER)) == sorted(FILES)


def test_git_finds_own_files_only(tmp_path: Path) -> None:
    touch(tmp_path, *FILES, *FOREIGN, *OTHER, "new.py", "ignored/x.py", "out/y.py")
    write(tmp_path, {".gitignore": "ignored/\n/out/*.py\n"})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", *FILES, "env")
    assert find_files(tmp_path) == sorted([*FILES, "new.py"])
    assert find_files(tmp_path / "pkg") == ["__init__.py", "b.py"]


@pytest.mark.parametrize("location", ["ignored", "lib/python3/site-packages/torchrl"])
def test_root_that_git_ignores_is_walked(tmp_path: Path, location: str) -> None:
    write(touch(tmp_path, f"{location}/a.py"), {".gitignore": "ignored\nlib\n"})
    git(tmp_path, "init", "-q")
    assert find_files(tmp_path / location) == ["a.py"]


def test_conflicting_file_is_listed_once(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    for branch, text in (("main", "x = 0\n"), ("side", "x = 1\n"), ("main", "x = 2\n")):
        git(tmp_path, "checkout", "-q", *(["-b"] if branch == "side" else []), branch) if text[
            4
        ] != "0" else None
        write(tmp_path, {"a.py": text})
        git(tmp_path, "add", "a.py")
        git(tmp_path, "commit", "-qm", text)
    subprocess.run(["git", "merge", "-q", "side"], cwd=tmp_path, capture_output=True)
    assert find_files(tmp_path) == ["a.py"]


@pytest.mark.parametrize("content", [{".git": "gitdir: nowhere\n"}, {".git/HEAD": "broken"}])
def test_git_that_fails_means_a_walk(tmp_path: Path, content: Mapping[str, str]) -> None:
    write(touch(tmp_path, "a.py"), content)
    assert find_files(tmp_path) == ["a.py"]


def test_git_that_is_missing_means_a_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(touch(tmp_path, "a.py"), "init", "-q")
    monkeypatch.setenv("PATH", "")
    assert find_files(tmp_path) == ["a.py"]


def test_environment_of_a_git_hook_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        git(touch(tmp_path, f"{name}/{name}.py") / name, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "b" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")
    assert find_files(tmp_path / "a") == ["a.py"]


def test_repository_cannot_run_a_program(tmp_path: Path) -> None:
    git(touch(tmp_path, "a.py"), "init", "-q")
    git(tmp_path, "config", "core.fsmonitor", "touch pwned; false")
    assert find_files(tmp_path) == ["a.py"]
    assert not (tmp_path / "pwned").exists()


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    touch(tmp_path, "pkg/a.py")
    (tmp_path / "pkg" / "loop").symlink_to("..", target_is_directory=True)
    (tmp_path / "b.py").symlink_to("pkg/a.py")
    (tmp_path / "gone.py").symlink_to("nowhere")
    (tmp_path / "self.py").symlink_to("self.py")
    assert find_files(tmp_path) == ["b.py", "pkg/a.py"]


def test_pipes_and_folders_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(touch(tmp_path, "folder.py/a.py") / "pipe.py")
    assert find_files(tmp_path) == ["folder.py/a.py"]


def test_built_copies_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "setup.py", "build/lib/pkg/a.py", "pkg/build/b.py")
    assert find_files(tmp_path) == ["pkg/build/b.py", "setup.py"]


def test_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert find_files(tmp_path / "nowhere") == []


@pytest.mark.parametrize("in_git", [False, True])
@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("pkg", ["a.py", "tests/c.py"]),
        ("{root}/pkg", ["a.py", "tests/c.py"]),
        ("{root}/pkg/*", ["a.py", "tests/c.py"]),
        ("*b.py", ["a.py", "pkg/__init__.py", "tests/c.py"]),
        ("{root}/b.py", sorted(FILES)),
        ("?.py", ["pkg/__init__.py"]),
        ("*", []),
    ],
)
def test_exclude_patterns_as_in_flake8(tmp_path: Path, in_git: bool, pattern: str, left: list[str]) -> None:
    touch(tmp_path, *FILES)
    if in_git:
        git(tmp_path, "init", "-q")
    exclude = [pattern.format(root=tmp_path)]
    assert find_files(tmp_path, exclude) == left
    assert [path for path in sorted(FILES) if not is_excluded(tmp_path, exclude, path)] == left


def test_packages_of_a_repository_are_one_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, ".git/HEAD", "a/pyproject.toml", "a/src/x.py", "b/setup.py", "b/y.py")
    for here, names in (("", ["a"]), ("a", []), ("a/src", ["x.py"]), ("b", ["y.py", "../a/src/x.py"])):
        monkeypatch.chdir(tmp_path / here)
        assert choose_root(names, None) == tmp_path
    monkeypatch.chdir("/")
    assert choose_root([str(tmp_path / "a/src/x.py"), str(tmp_path / "b/y.py")], None) == tmp_path


def test_home_that_is_a_repository_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, ".git/HEAD", "a/pyproject.toml")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_root(tmp_path / "a", None) == tmp_path / "a"


@pytest.mark.parametrize(
    ("count", "mark", "lost"), [(500, "b.txt", False), (501, "b.txt", True), (501, "setup.py", False)]
)
def test_much_below_nothing_that_marks_a_project(tmp_path: Path, count: int, mark: str, lost: bool) -> None:
    names = [f"{number % 7}/{number}.py" for number in range(count - (mark == "setup.py"))]
    assert is_lost(touch(tmp_path, mark, *names)) == lost


def test_names_that_differ_in_case_are_two_files(tmp_path: Path) -> None:
    assert find_files(touch(tmp_path, "Policy.py", "policy.py", "SRC/a.py", "src/a.py")) == [
        "Policy.py",
        "SRC/a.py",
        "policy.py",
        "src/a.py",
    ]


@pytest.mark.parametrize(
    ("filename", "path"),
    [
        ("C:\\Work\\project\\pkg\\a.py", "pkg/a.py"),
        ("c:\\work\\Project\\pkg\\A.py", "pkg/A.py"),
        ("C:/Work/project/pkg/a.py", "pkg/a.py"),
        ("C:\\Work\\other\\a.py", "../other/a.py"),
        ("D:\\a.py", "D:/a.py"),
    ],
)
def test_paths_of_windows_have_forward_slashes(filename: str, path: str) -> None:
    assert relative_path(PureWindowsPath("C:\\Work\\project"), filename, ntpath) == path
