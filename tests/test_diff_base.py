"""`check --diff-base`: what a change has caused, and what it touches; nothing is checked out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from flake8_ckpt.index.revision import Lines
from flake8_ckpt.index.revision import changed_lines
from flake8_ckpt.index.revision import renamed
from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import Run
from tests.front_end import here
from tests.front_end import write


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder, check=True)


def since(folder: Path, *arguments: str, base: str = "HEAD") -> Run:
    return here(folder, "check", f"--diff-base={base}", *arguments)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository whose only commit has one finding, and a policy whose base class is no module."""
    folder = write(
        tmp_path / "project",
        {"old.py": NORMALIZER, "sub/policy.py": POLICY, "sub/base.py": "class Base:\n    pass\n"},
    )
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "All")
    return folder


def test_nothing_has_changed(project: Path) -> None:
    found = since(project)
    assert (found.code, found.out) == (0, "")
    assert found.err == "no findings; 3 files read; hidden: 1 by --diff-base\n"


def test_new_file_and_new_class(project: Path) -> None:
    write(project, {"new.py": NORMALIZER, "old.py": NORMALIZER + NORMALIZER.replace("Normalizer", "Other")})
    assert since(project).out.count("CKP101") == 2
    assert since(project, "old.py").out.startswith("old.py:22:9: CKP101")


def test_finding_in_a_file_that_the_change_left_alone(project: Path) -> None:
    write(project, {"sub/base.py": BASE})
    assert since(project).codes == ["sub/policy.py CKP101"]
    assert since(project / "sub", "policy.py").codes == ["policy.py CKP101"]


def test_moved_lines_and_moved_files_are_no_change(project: Path) -> None:
    write(project, {"old.py": f"# one more line\n\n{NORMALIZER}"})
    assert since(project).out == ""
    (project / "old.py").unlink()
    write(project, {"renamed.py": f"{NORMALIZER}\n\nSIZE = 3\n"})
    assert since(project).out == ""


def test_old_finding_on_a_changed_line(project: Path) -> None:
    write(project, {"old.py": NORMALIZER.replace("zeros(size)", "ones(size)")})
    assert since(project).codes == ["old.py CKP101"]


def test_file_that_cannot_be_parsed_is_always_said(project: Path) -> None:
    write(project, {"bad.py": "def f(:\n"})
    git(project, "add", ".")
    git(project, "commit", "-qm", "Bad")
    assert since(project).codes == ["bad.py CKP001"]


def test_revision_is_read_and_not_checked_out(project: Path) -> None:
    write(project, {"old.py": CLEAN})
    git(project, "commit", "-qam", "Mend")
    write(project, {"old.py": NORMALIZER})
    assert since(project).codes == ["old.py CKP101"]
    assert since(project, base="HEAD~1").out == ""
    assert (project / "old.py").read_text() == NORMALIZER


@pytest.mark.parametrize("base", ["nowhere", "--output=x", "HEAD:old.py", ""])
def test_revision_that_there_is_not(project: Path, base: str) -> None:
    found = since(project, base=base)
    assert (found.code, found.out, found.err.count("\n")) == ((2, "", 1) if base else (1, found.out, 1))
    assert not base or found.err.startswith(f"flake8-ckpt: error: --diff-base: '{base}' is no revision")


def test_folder_without_a_repository(tmp_path: Path) -> None:
    assert since(write(tmp_path, {"a.py": NORMALIZER})).code == 2


def test_git_that_is_missing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = since(project)
    assert (found.code, found.err.count("\n"), "git cannot be run" in found.err) == (2, 1, True)


def test_lines_that_changed() -> None:
    assert changed_lines("a\nb\nc", "a\nB\nc\nd") == Lines(((2, 2), (4, 4)))
    assert changed_lines("a\nb", "a") == Lines(())
    assert [Lines(((2, 3),)).meet(*each) for each in ((1, 1), (1, 2), (3, 9), (4, 5))] == [
        False,
        True,
        True,
        False,
    ]


def test_files_that_moved() -> None:
    old, other = b"import a\nx = 1\ny = 2\n", b"def f():\n    return 3\n"
    assert renamed({"a.py": old, "b.py": other}, {"c.py": old + b"z = 3\n"}) == {"c.py": "a.py"}
    assert renamed({"a.py": old, "e.py": b"\n"}, {"c.py": other, "d.py": b""}) == {}
