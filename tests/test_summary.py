"""The line that `check` ends with: clean means clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import here
from tests.front_end import write

BROKEN = "def f(:\n"


def silenced(comment: str) -> str:
    return NORMALIZER.replace("zeros(size)", f"zeros(size)  # {comment}")


def last_line(folder: Path, *arguments: str) -> str:
    return here(folder, "check", *arguments).err.splitlines()[-1]


def test_nothing_found(tmp_path: Path) -> None:
    found = here(write(tmp_path, {"a.py": CLEAN, "b.py": ""}), "check")
    assert (found.code, found.out, found.err) == (0, "", "no findings; 2 files read\n")


def test_nothing_found_in_what_was_asked_about(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": CLEAN, "b.py": NORMALIZER, "docs/c.txt": ""})
    assert last_line(tmp_path, "a.py") == "no findings in 1 file; 2 files read"
    assert last_line(tmp_path, "docs", "--ckpt-root=.") == "no files to check; 2 files read"


def test_found_in_some_of_the_files(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.py": NORMALIZER, "b.py": NORMALIZER + NORMALIZER.replace("Normalizer", "Other"), "c.py": CLEAN},
    )
    assert last_line(tmp_path, "a.py", "b.py") == "3 findings in 2 files; 3 files read"
    assert last_line(tmp_path, "a.py") == "1 finding in 1 file; 3 files read"


def test_files_that_were_not_read_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": CLEAN, "bad.py": BROKEN})
    assert last_line(tmp_path, "a.py") == "no findings in 1 file; 1 file read, 1 not: bad.py"
    write(tmp_path, {f"bad_{number}.py": BROKEN for number in range(4)})
    line = last_line(tmp_path, "a.py")
    assert (
        line
        == "no findings in 1 file; 1 file read, 5 not: bad.py, bad_0.py, bad_1.py and 2 more (-v names them)"
    )
    assert "flake8-ckpt: note: bad_3.py cannot be parsed" in here(tmp_path, "check", "-v", "a.py").err


def test_what_is_hidden_is_counted_by_cause(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "b.py": silenced("noqa"), "c.py": silenced("ckpt: ignore[CKP101]")})
    write(tmp_path, {"d.py": f"# flake8: noqa\n{NORMALIZER}", "e.py": NORMALIZER})
    assert here(tmp_path, "baseline", "--write", "a.py").code == 0
    line = last_line(tmp_path, "--per-file-ignores=e.py:CKP1")
    hidden = "2 by noqa, 1 by ckpt: ignore, 1 by configuration, 1 by the baseline"
    assert line == f"no findings; 5 files read; hidden: {hidden}"
    assert (
        last_line(tmp_path, "--disable-noqa", "--ckpt-no-baseline") == "5 findings in 5 files; 5 files read"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("exclude = gen", "no findings in 1 file; 3 files read, 2 excluded"),
        ("extend-exclude = gen/a.py", "1 finding in 1 file; 3 files read, 1 excluded"),
        ("ckpt-exclude = gen/*", "no findings; 1 file read, 2 excluded"),
        ("filename = *c.py", "no findings in 1 file; 3 files read, 2 excluded"),
        ("max-line-length = 100", "2 findings in 2 files; 3 files read"),
    ],
)
def test_files_that_a_configuration_leaves_out_are_counted(tmp_path: Path, line: str, said: str) -> None:
    write(tmp_path, {"gen/a.py": NORMALIZER, "gen/b.py": NORMALIZER, "c.py": CLEAN})
    write(tmp_path, {"setup.cfg": f"[flake8]\n{line}\n"})
    assert last_line(tmp_path) == said


def test_files_elsewhere_are_not_counted(tmp_path: Path) -> None:
    write(tmp_path, {"gen/a.py": NORMALIZER, "src/c.py": CLEAN, "setup.cfg": "[flake8]\nexclude = gen\n"})
    assert last_line(tmp_path, "src") == "no findings in 1 file; 2 files read"


def test_names_that_would_reach_the_terminal_are_harmless(tmp_path: Path) -> None:
    write(tmp_path, {"\x1b[31mred.py": BROKEN})
    assert last_line(tmp_path).endswith("0 files read, 1 not: \\x1b[31mred.py")


@pytest.mark.parametrize(
    "arguments",
    [["--no-summary"], ["-q"], ["-qq"], ["--output-format=json"], ["--output-format=sarif"]],
    ids=" ".join,
)
def test_line_is_for_people_who_want_it(tmp_path: Path, arguments: list[str]) -> None:
    assert here(write(tmp_path, {"a.py": NORMALIZER}), "check", *arguments).err == ""


@pytest.mark.parametrize("name", ["text", "concise"])
def test_both_formats_for_people_have_it(tmp_path: Path, name: str) -> None:
    found = here(write(tmp_path, {"a.py": NORMALIZER}), "check", f"--output-format={name}")
    assert found.err == "1 finding in 1 file; 1 file read\n"


RESUME = """\
import torch
from acme import write_rest


def save(policy, path):
    torch.save({"policy": policy.state_dict()}, path)


def save_all(policy, scaler, path):
    write_rest({"policy": policy.state_dict(), "scaler": scaler.state_dict()}, path)


def load(policy, scaler, path):
    state = torch.load(path)
    policy.load_state_dict(state["policy"])
    scaler.load_state_dict(state["scaler"])
"""
RECORDS = 'save = [{names = ["acme.write_rest"], payload = "state", payload_at = 0}]\n'


def test_what_framework_records_hide_is_counted_when_asked(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": RESUME, "records.toml": RECORDS})
    assert last_line(tmp_path, "-v") == "1 finding in 1 file; 1 file read"
    assert last_line(tmp_path, "--ckpt-frameworks=records.toml") == "no findings; 1 file read"
    hidden = last_line(tmp_path, "--ckpt-frameworks=records.toml", "-v")
    assert hidden == "no findings; 1 file read; hidden: 1 by framework records"
