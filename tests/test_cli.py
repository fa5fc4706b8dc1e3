"""The command: its subcommands, JSON, and the options it adds."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import WARM_UP
from tests.front_end import check
from tests.front_end import command
from tests.front_end import findings
from tests.front_end import write


def test_json_holds_the_whole_finding(tmp_path: Path) -> None:
    (found,) = findings(write(tmp_path, {"pkg/a.py": NORMALIZER}), "pkg")
    assert (found["code"], found["path"]) == ("CKP101", "pkg/a.py")
    assert (found["line"], found["column"], found["end_line"]) == (8, 9, 8)
    assert found["end_column"] > found["column"]
    assert "'mean'" in found["message"] and "CKP" not in found["message"]
    for related in found["related"]:
        assert set(related) == {"path", "line", "column", "end_line", "end_column", "message"}
        assert related["path"] == "pkg/a.py"


def test_json_of_nothing_is_an_empty_list(tmp_path: Path) -> None:
    assert findings(write(tmp_path, {"a.py": CLEAN})) == []


def test_json_obeys_noqa_and_select(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER.replace("zeros(size)", "zeros(size)  # noqa"), "b.py": NORMALIZER})
    assert [found["path"] for found in findings(tmp_path)] == ["./b.py"]
    assert findings(tmp_path, "--ignore=CKP101") == []


def test_json_names_other_files_as_they_are_seen_from_here(tmp_path: Path) -> None:
    write(tmp_path, {"base.py": BASE, "sub/policy.py": POLICY, "setup.cfg": ""})
    (found,) = findings(tmp_path / "sub", "policy.py")
    assert found["path"] == "policy.py"
    assert {related["path"] for related in found["related"]} <= {"policy.py", "../base.py"}


@pytest.mark.parametrize("asked", ["statistics", "count"])
def test_json_stays_json_where_a_configuration_asks_for_numbers(tmp_path: Path, asked: str) -> None:
    write(tmp_path, {"a.py": NORMALIZER, ".flake8": f"[flake8]\n{asked} = true\n"})
    assert [each["code"] for each in findings(tmp_path)] == ["CKP101"]
    assert "1" in check(tmp_path).out.splitlines()[-1].split()


def test_json_into_a_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": CLEAN})
    assert check(tmp_path, "--output-format=json", "--output-file=out.json").out == ""
    assert (tmp_path / "out.json").read_text() == "[]\n"


def test_json_of_standard_input(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "--stdin-display-name=x/a.py", "-", stdin=NORMALIZER)
    assert found["path"] == "x/a.py"


def test_finding_depends_on_the_root(tmp_path: Path) -> None:
    write(tmp_path, {"base.py": BASE, "sub/policy.py": POLICY, "sub/setup.cfg": ""})
    assert check(tmp_path / "sub").out == ""
    assert check(tmp_path / "sub", "--ckpt-root=..").codes == ["policy.py CKP101"]


def test_excluded_file_is_no_part_of_the_project(tmp_path: Path) -> None:
    write(tmp_path, {"base.py": BASE, "policy.py": POLICY, "setup.cfg": ""})
    assert check(tmp_path, "--ckpt-exclude=base.py").out == ""
    assert check(tmp_path, "--exclude=base.py").codes == ["policy.py CKP101"]


def test_cache_folder_of_several_roots(tmp_path: Path) -> None:
    for name in "ab":
        folder = write(tmp_path / name, {"a.py": NORMALIZER, "setup.cfg": ""})
        assert check(folder, "--ckpt-cache-dir=../cache").codes == ["a.py CKP101"]
        assert not (folder / ".flake8_ckpt_cache").exists()
    assert sorted(path.name[:2] for path in (tmp_path / "cache").iterdir()) == ["a-", "b-"]


def test_cache_folder_of_the_configuration(tmp_path: Path) -> None:
    write(tmp_path, {"setup.cfg": "[flake8]\nckpt-cache-dir = cache\n", "sub/a.py": NORMALIZER})
    assert check(tmp_path / "sub").codes == ["a.py CKP101"]
    assert len([*(tmp_path / "cache").iterdir()]) == 1


def test_no_cache_leaves_nothing(tmp_path: Path) -> None:
    check(write(tmp_path, {"a.py": NORMALIZER}), "--ckpt-no-cache")
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]


@pytest.mark.parametrize("option", ["--ckpt-enable=CKP999", "--ckpt-root=nowhere", "--ckpt-jobs=0"])
def test_wrong_option_is_one_line(tmp_path: Path, option: str) -> None:
    found = check(write(tmp_path, {"a.py": NORMALIZER}), option)
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert found.err.startswith(f"flake8-ckpt: error: {option.partition('=')[0]}: ")


def test_help_names_our_options(tmp_path: Path) -> None:
    found = check(tmp_path, "--help")
    assert found.out.startswith("usage: flake8-ckpt check [options] [path ...]")
    assert "--ckpt-enable" in found.out and "--output-format" in found.out
    assert "--max-doc-length" not in found.out


def test_rules_are_listed(tmp_path: Path) -> None:
    lines = command(tmp_path, "rules").out.splitlines()
    assert lines[0].split() == ["code", "name", "default", "summary"]
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    assert rows["CKP101"][1:3] == ["unregistered-tensor-state", "on"]
    assert rows["CKP110"][1] == "python-number-state" and rows["CKP110"][2] in ("partly", "opt-in")
    assert list(rows) == sorted(rows)


def test_opt_in_code_is_enabled(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": WARM_UP})
    assert (check(tmp_path).out, check(tmp_path, "--ckpt-enable=ALL").codes) == ("", ["a.py CKP110"])


def on_terminal(folder: Path, files: int) -> bytes:
    """Return what a cold run prints to the terminal that its errors go to."""
    write(folder, {f"file_{number}.py": f"{NORMALIZER}\nx = {number}\n" for number in range(files)})
    ours, theirs = pty.openpty()
    code = "import sys\nfrom flake8_ckpt import cli\nfrom flake8_ckpt.commands import progress\n"
    code += "progress.PATIENCE_SECONDS = 0.0\n"
    code += "progress.LONG_SECONDS = progress.REFRESH_SECONDS = 0.0\nsys.exit(cli.main(['check', '--no-summary']))"
    subprocess.run([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    printed = b""
    while chunk := _read(ours):
        printed += chunk
    os.close(ours)
    return printed


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_progress_is_drawn_on_a_terminal_and_erased(tmp_path: Path) -> None:
    printed = on_terminal(tmp_path, 5)
    assert b"reading files" in printed
    assert printed.rstrip().endswith(b"\x1b[2K")


def test_progress_is_not_drawn_for_short_runs(tmp_path: Path) -> None:
    assert on_terminal(tmp_path, 0) == b""
