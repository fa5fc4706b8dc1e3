"""Bad input, through both front ends: never a traceback, never a lost run, and nothing else is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Union

import pytest

from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import both
from tests.front_end import check
from tests.front_end import command
from tests.front_end import flake8
from tests.front_end import flake8_without_plugins
from tests.front_end import is_restricted
from tests.front_end import run
from tests.front_end import write

CACHE = ".flake8_ckpt_cache"
# A disk that takes 64 bytes of a file, and no more, while the command runs.
FULL_DISK = """\
import resource
import sys

from flake8_ckpt.cli import main

_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
code = main(["check", "--no-summary"])
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
sys.exit(code)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with one finding in it."""
    return write(tmp_path / "project", {"good.py": NORMALIZER, "setup.cfg": ""})


@pytest.mark.parametrize("terms", [300, 1000, 2000])
def test_long_expression_in_a_module(folder: Path, terms: int) -> None:
    write(folder, {"odd.py": NORMALIZER.replace("(size)", "(size" + " + 1" * terms + ")")})
    found = check(folder)
    assert "good.py CKP101" in found.codes and found.err == ""
    assert flake8_without_plugins(folder, "--select=CKP").out == found.out


def test_expression_that_flake8_gives_up_on(folder: Path) -> None:
    write(folder, {"odd.py": NORMALIZER.replace("(size)", "(size" + " + 1" * 4000 + ")")})
    found = check(folder)
    assert "good.py CKP101" in found.codes and found.err == ""


def test_generated_file_of_two_megabytes(folder: Path) -> None:
    table = "".join(f"KEY_{number} = {{'a': [{number}, 'text'], 'b': None}}\n" for number in range(44_000))
    write(folder, {"odd.py": f"{NORMALIZER}\n\n{table}"})
    assert check(folder).codes == ["good.py CKP101", "odd.py CKP101"]


@pytest.fixture
def locked(folder: Path) -> Iterator[Path]:
    """Return the project with a folder and a file in it that may not be read."""
    if not is_restricted():
        pytest.skip("nothing is unreadable for this user")
    write(folder, {"closed/a.py": CLEAN, "closed.py": CLEAN})
    (folder / "closed").chmod(0)
    (folder / "closed.py").chmod(0)
    yield folder
    (folder / "closed").chmod(0o700)


def test_unreadable_folder_and_file(locked: Path) -> None:
    assert both(locked, "--select=CKP", "good.py").codes == ["good.py CKP101"]
    assert check(locked).codes == ["closed.py CKP001", "good.py CKP101"]
    assert "good.py:8:9: CKP101" in flake8(locked, "--select=CKP").out


def test_links_that_loop_or_dangle(folder: Path) -> None:
    (folder / "loop").symlink_to(".", target_is_directory=True)
    (folder / "self.py").symlink_to("self.py")
    (folder / "gone.py").symlink_to("nowhere.py")
    assert both(folder, "--select=CKP", "good.py").codes == ["good.py CKP101"]
    assert "good.py CKP101" in check(folder).codes
    assert "good.py:8:9: CKP101" in flake8(folder, "--select=CKP").out


def test_dangling_link_that_was_asked_about(folder: Path) -> None:
    (folder / "gone.py").symlink_to("nowhere.py")
    assert check(folder, "gone.py").codes == ["gone.py CKP001"]


def test_pipe_and_folder_named_like_a_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe.py")
    write(folder, {"folder.py/a.py": NORMALIZER})
    assert both(folder, "--select=CKP", "good.py", "folder.py").codes == [
        "folder.py/a.py CKP101",
        "good.py CKP101",
    ]
    assert "pipe.py CKP001" in check(folder).codes


def test_file_name_that_is_no_text(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/\xff.py", "wb") as file:
        file.write(CLEAN.encode())
    assert both(folder, "--select=CKP").codes == ["good.py CKP101"]


def test_file_name_with_a_colon_is_said_by_both(folder: Path) -> None:
    write(folder, {"a:b.py": NORMALIZER, "x:y.py": CLEAN})
    said = "CKP001 file cannot be read (its name has a colon): nothing in it was checked"
    found = both(folder, "--select=CKP")
    assert found.out.splitlines()[0] == f"./a:b.py:1:1: {said}"
    assert found.codes == ["a CKP001", "good.py CKP101", "x CKP001"]
    piped = both(folder, "--select=CKP", "--stdin-display-name=c:d.py", "-", stdin=CLEAN)
    assert piped.out == f"c:d.py:1:1: {said}\n"


def test_file_that_git_lists_but_is_gone(folder: Path) -> None:
    write(folder, {"gone.py": NORMALIZER})
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    (folder / "gone.py").unlink()
    assert both(folder, "--select=CKP").codes == ["good.py CKP101"]


def test_path_that_does_not_exist(folder: Path) -> None:
    found = check(folder, "good.py", "nowhere.py")
    assert (found.code, found.out) == (2, "")
    assert found.err == "flake8-ckpt: error: path does not exist: 'nowhere.py'\n"
    assert "E902" in flake8(folder, "nowhere.py").out


@pytest.mark.parametrize(
    "content",
    [b"", b"short", b"\0" * 4096, b"\x92\xa1x\x80" * 100, "not a cache"],
    ids=["empty", "short", "zeros", "foreign", "text"],
)
@pytest.mark.parametrize("name", ["index.bin", "facts-*.bin"])
def test_damaged_cache(folder: Path, name: str, content: Union[str, bytes]) -> None:
    both(folder, "--select=CKP")
    (path,) = (folder / CACHE).glob(name) if name != "index.bin" else [folder / CACHE / name]
    write(folder, {str(path.relative_to(folder)): content})
    assert both(folder, "--select=CKP").codes == ["good.py CKP101"]


def test_truncated_cache(folder: Path) -> None:
    both(folder, "--select=CKP")
    for path in (folder / CACHE).glob("*.bin"):
        os.truncate(path, path.stat().st_size - 1)
    assert both(folder, "--select=CKP").codes == ["good.py CKP101"]


@pytest.mark.parametrize("name", ["", "/facts", "/index.bin"])
def test_cache_whose_place_is_taken(folder: Path, name: str) -> None:
    both(folder, "--select=CKP")
    taken = [*(folder / CACHE).glob("facts-*.bin")][0] if name == "/facts" else folder / f"{CACHE}{name}"
    if name == "":
        shutil.rmtree(taken)
        write(folder, {CACHE: "a file"})
    else:
        taken.unlink(missing_ok=True)
        os.mkfifo(taken)
    assert both(folder, "--select=CKP").codes == ["good.py CKP101"]


def test_cache_on_a_full_disk(folder: Path) -> None:
    found = run(folder, "-c", FULL_DISK)
    assert (found.codes, found.code, found.err) == (["good.py CKP101"], 1, "")
    assert [path for path in (folder / CACHE).iterdir() if path.suffix in (".bin", ".tmp")] == []


def test_cache_that_cannot_be_written(folder: Path) -> None:
    found = both(folder, "--select=CKP", "--ckpt-cache-dir=/proc/nowhere")
    assert found.codes == ["good.py CKP101"]


def test_read_only_cache(folder: Path) -> None:
    if not is_restricted():
        pytest.skip("everything can be written by this user")
    both(folder, "--select=CKP")
    write(folder, {"more.py": NORMALIZER})
    (folder / CACHE).chmod(0o500)
    assert both(folder, "--select=CKP").codes == ["good.py CKP101", "more.py CKP101"]
    (folder / CACHE).chmod(0o700)


@pytest.mark.parametrize(
    "config", ["select = CKP\nignore = what?\n", "ckpt-jobs = many\n", "per-file-ignores = a\n"]
)
def test_configuration_that_makes_no_sense(folder: Path, config: str) -> None:
    found = check(write(folder, {"setup.cfg": f"[flake8]\n{config}"}))
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert found.err.startswith("flake8-ckpt: error: ")


def test_configuration_that_is_no_configuration(folder: Path) -> None:
    found = check(write(folder, {"bad.cfg": "no section\n"}), "--config=bad.cfg")
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    missing = check(folder, "--config=nowhere.cfg")
    assert (missing.code, missing.err.count("\n")) == (2, 1)


def test_class_of_an_unreadable_file_is_unknown(folder: Path) -> None:
    write(folder, {"base.py": f"{BASE}\ndef f(:\n", "policy.py": POLICY})
    assert both(folder, "--select=CKP", "policy.py").out == ""


def test_interrupted_run_is_quiet(folder: Path) -> None:
    code = "import signal, sys\nfrom flake8_ckpt import cli\nfrom flake8_ckpt.commands import check\n"
    code += "check.check_files = lambda arguments: signal.raise_signal(signal.SIGINT)\n"
    found = run(folder, "-c", f"{code}sys.exit(cli.main(['check']))")
    assert (found.code, found.out, found.err) == (130, "", "")


def test_reader_that_goes_away(folder: Path) -> None:
    write(folder, {f"file_{number}.py": NORMALIZER for number in range(5)})
    reading, writing = os.pipe()
    os.close(reading)
    for arguments, code in (["check"], 1), (["rules"], 0):
        done = subprocess.run(
            [sys.executable, "-m", "flake8_ckpt", *arguments],
            cwd=folder,
            stdout=writing,
            stderr=subprocess.PIPE,
        )
        assert (done.returncode, done.stderr) == (code, b"")
    os.close(writing)


def test_internal_error_is_one_line(folder: Path) -> None:
    code = "import sys\nfrom flake8_ckpt import cli\nfrom flake8_ckpt.commands import check\n"
    code += "del check.read_project\nsys.exit(cli.main(sys.argv[1:]))"
    found = run(folder, "-c", code, "check")
    assert (found.code, found.err.count("\n")) == (2, 1)
    assert found.err.startswith("flake8-ckpt: error: internal error: NameError")
    assert "Traceback" in run(folder, "-c", code, "check", "-vv").err


def test_usage_error(folder: Path) -> None:
    assert command(folder, "check", "--nonsense").code == 2
    assert command(folder).code == 2
