"""Findings about two files in the real front ends: the same with one file passed as with all of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import flake8_ckpt
from tests.front_end import both
from tests.front_end import findings
from tests.front_end import flake8
from tests.front_end import run
from tests.front_end import write

DEMO = Path(flake8_ckpt.__file__).parent / "demo"
SAVE = "vectorized_ppo/vectorized.py"
CONFIG = """\
repos:
-   repo: local
    hooks:
    -   id: flake8-ckpt
        name: flake8-ckpt
        language: system
        entry: {python} -m flake8_ckpt check --select=CKP2
        types: [python]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose save call leaves out what its resume block restores."""
    files = {
        path.relative_to(DEMO).as_posix(): path.read_text() for path in (DEMO / "vectorized_ppo").glob("*.py")
    }
    return write(tmp_path / "project", {**files, "setup.cfg": "[flake8]\nselect = CKP2\n"})


def test_both_front_ends_report_the_save_call(project: Path) -> None:
    found = both(project, ".")
    assert found.codes == [f"{SAVE} CKP201"]
    assert "'obs_normalizer_mean', which vectorized_ppo/vectorized.py:23 restores" in found.out


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_flake8_finds_the_same_with_one_file_passed(project: Path, jobs: str) -> None:
    assert flake8(project, jobs, SAVE).codes == [f"{SAVE} CKP201"]


def test_other_end_is_clean_when_it_is_passed_alone(project: Path) -> None:
    assert both(project, "vectorized_ppo/ppo.py").out == ""


def test_editor_buffer_that_passes_metadata_is_clean(project: Path) -> None:
    text = (project / SAVE).read_text()
    keys = [line.split('"')[1] for line in text.splitlines() if '"' in line and " in metadata" in line]
    keys += [line.split('["')[1].split('"')[0] for line in text.splitlines() if 'metadata["' in line]
    metadata = "{" + ", ".join(f'"{key}": 0.0' for key in dict.fromkeys(keys)) + "}"
    mended = text.replace("agent.save(save_path)", f"agent.save(save_path, metadata={metadata})")
    assert mended != text
    found = both(project, "--stdin-display-name", SAVE, "-", stdin=mended)
    assert found.out == ""


def test_json_names_the_other_end(project: Path) -> None:
    (finding,) = findings(project, SAVE)
    assert (finding["code"], finding["path"]) == ("CKP201", SAVE)
    text = (project / SAVE).read_text().splitlines()
    named = {text[each["line"] - 1].strip() for each in finding["related"] if each["path"] == SAVE}
    assert 'reward_normalizer.count = metadata["reward_normalizer_count"]' in named


def test_noqa_at_the_save_call_silences_it(project: Path) -> None:
    text = (project / SAVE).read_text()
    write(project, {SAVE: text.replace("agent.save(save_path)", "agent.save(save_path)  # noqa: CKP201")})
    assert both(project, ".").out == ""


def test_pre_commit_with_one_of_two_files(project: Path) -> None:
    write(project, {".pre-commit-config.yaml": CONFIG.format(python=sys.executable)})
    for arguments in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    environment = {"PRE_COMMIT_HOME": str(project.parent / "home")}
    found = run(project, "-m", "pre_commit", "run", "--files", SAVE, env=environment)
    assert (found.code, found.out.count("CKP201")) == (1, 1)
    found = run(project, "-m", "pre_commit", "run", "--files", "vectorized_ppo/ppo.py", env=environment)
    assert found.code == 0


def test_tests_are_neither_writers_nor_findings(tmp_path: Path) -> None:
    files = {f"tests/{path.name}": path.read_text() for path in (DEMO / "vectorized_ppo").glob("*.py")}
    project = write(tmp_path / "project", {**files, "setup.cfg": "[flake8]\nselect = CKP2\n"})
    assert both(project, ".").out == ""
