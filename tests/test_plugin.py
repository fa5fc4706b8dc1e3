"""The plugin inside the real flake8: processes, unsaved text, and wrong options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import flake8
from tests.front_end import run
from tests.front_end import write

DRIVER = """\
import multiprocessing
import sys

from flake8.main.cli import main

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv.pop(1))
    sys.exit(main(sys.argv[1:]))
"""
# What a plugin of flake8 that changes the text sees: the text of one file is not what the disk holds.
UNSAVED = """\
import sys

from flake8.main.cli import main
from flake8.processor import FileProcessor

read = FileProcessor.read_lines_from_filename
FileProcessor.read_lines_from_filename = lambda self: [line.replace("PLAIN", "torch") for line in read(self)]
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project of several files that need each other."""
    files = {f"policy_{number}.py": POLICY for number in range(6)}
    return write(tmp_path, {**files, "base.py": BASE, "clean.py": CLEAN, "setup.cfg": ""})


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("cache", ["--ckpt-jobs=2", "--ckpt-no-cache"])
def test_every_start_method_of_processes(project: Path, tmp_path: Path, method: str, cache: str) -> None:
    driver = write(tmp_path / "bin", {"driver.py": DRIVER}) / "driver.py"
    names = [f"policy_{number}.py" for number in range(6)]
    found = run(project, str(driver), method, "--select=CKP", "-j2", cache, *names)
    assert found.codes == [f"{name} CKP101" for name in names]
    assert (found.code, found.err) == (1, "")


def test_several_flake8_at_once(project: Path) -> None:
    arguments = [sys.executable, "-m", "flake8", "--select=CKP", "-j2"]
    running = [
        subprocess.Popen(arguments, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=120) for process in running]
    assert outputs == [outputs[0]] * 4
    assert (outputs[0][0].count(b"CKP101"), outputs[0][1]) == (6, b"")
    assert [path for path in (project / ".flake8_ckpt_cache").iterdir() if path.suffix == ".tmp"] == []


@pytest.mark.parametrize("argument", ["--version", "--help", "--bug-report"])
def test_questions_about_flake8_do_not_read_the_project(project: Path, argument: str) -> None:
    assert flake8(project, argument).code == 0
    assert not (project / ".flake8_ckpt_cache").exists()


@pytest.mark.parametrize("argument", ["--select=E7", "--extend-ignore=CKP", "--ignore=C,W,E"])
def test_unselected_codes_do_not_read_the_project(project: Path, argument: str) -> None:
    flake8(project, argument)
    assert not (project / ".flake8_ckpt_cache").exists()


def test_version_names_the_plugin(tmp_path: Path) -> None:
    assert "flake8-ckpt: " in flake8(tmp_path, "--version").out


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_text_that_is_not_on_the_disk(tmp_path: Path, jobs: str) -> None:
    write(tmp_path, {"bin/driver.py": UNSAVED, "src/a.py": NORMALIZER.replace("torch.zeros", "PLAIN.zeros")})
    write(tmp_path, {"src/b.py": CLEAN, "src/setup.cfg": ""})
    assert flake8(tmp_path / "src", "--select=CKP").out == ""
    found = run(tmp_path / "src", "../bin/driver.py", "--select=CKP", jobs)
    assert found.codes == ["a.py CKP101"]


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_many_files_outside_of_the_project(tmp_path: Path, jobs: str) -> None:
    write(tmp_path, {".git/HEAD": "", "venv/pyvenv.cfg": "", "venv/base.py": BASE})
    write(tmp_path, {f"venv/policy_{number}.py": POLICY for number in range(3)})
    found = flake8(tmp_path, "--select=CKP", jobs, "venv")
    assert found.codes == [f"venv/policy_{number}.py CKP101" for number in range(3)]


def test_unknown_code_is_one_line(tmp_path: Path) -> None:
    found = flake8(write(tmp_path, {"a.py": CLEAN}), "--ckpt-enable=CKP110,CKP999")
    assert found.code == 1
    assert found.out.splitlines()[1].startswith("--ckpt-enable: unknown code 'CKP999'; the opt-in codes are ")


@pytest.mark.parametrize("argument", ["--ckpt-root=nowhere", "--ckpt-jobs=0"])
def test_wrong_option_is_one_line(tmp_path: Path, argument: str) -> None:
    found = flake8(write(tmp_path, {"a.py": CLEAN}), argument)
    assert (found.code, len(found.out.splitlines()), found.err) == (1, 2, "")
