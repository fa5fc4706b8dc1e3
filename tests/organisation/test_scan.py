"""`flake8-ckpt scan`: many repositories, each as `check` sees it, in one report."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from flake8_ckpt.commands.organisation import processes
from flake8_ckpt.commands.organisation.one_repository import Outcome
from flake8_ckpt.commands.organisation.one_repository import Request
from flake8_ckpt.commands.organisation.one_repository import check_repository
from flake8_ckpt.commands.organisation.repositories import Repository
from flake8_ckpt.commands.organisation.repositories import repositories
from flake8_ckpt.index.signature import KEY_VARIABLE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import Run
from tests.front_end import check
from tests.front_end import command
from tests.front_end import here
from tests.front_end import write
from tests.reports.test_formats import sarif_schema

# A module of this name in a repository must not be imported from it.
CANARY = "from pathlib import Path\n\nPath(__file__).with_name('ran').touch()\n"
GIT = ("git", "-c", "user.name=me", "-c", "user.email=me@localhost", "-c", "init.defaultBranch=main")


def scan(folder: Path, lines: str, *arguments: str) -> Run:
    """Run the command with a list that is called LIST."""
    return here(write(folder, {"LIST": lines}), "scan", "LIST", *arguments)


def scan_anew(folder: Path, lines: str, *arguments: str, **options: Any) -> Run:
    """Run the command as a user does, in a process whose environment it may say."""
    return command(write(folder, {"LIST": lines}), "scan", "LIST", *arguments, **options)


def commit(folder: Path) -> str:
    """Make a folder a repository with one commit, and return that."""
    for step in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "all")):
        subprocess.run([*GIT, *step], cwd=folder, check=True)
    done = subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Return a folder with repositories of all kinds."""
    files = {
        "lossy/a.py": NORMALIZER,
        "lossy/sub/b.py": NORMALIZER,
        "clean/a.py": CLEAN,
        "quiet/a.py": NORMALIZER,
        "quiet/setup.cfg": "[flake8]\nextend-ignore = CKP101\n",
        "hiding/a.py": NORMALIZER.replace("zeros(size)", "zeros(size)  # noqa: CKP101"),
        "broken/setup.cfg": "[flake8]\nckpt-jobs = many\n",
        "unread/a.py": "def\n",
        "canary/a.py": CLEAN,
        "file": "",
    }
    canaries = {f"canary/{name}.py": CANARY for name in ("fsspec", "distributed", "libcst", "json", "rich")}
    return write(tmp_path, {**files, **canaries})


LINES = """\
# Ours.
lossy

./lossy/
clean
quiet
hiding
broken
unread
canary
file
nowhere
file:///nowhere/at/all
"""
REFUSED = {
    "broken": "setup.cfg:2: ckpt-jobs: 'many' is not a positive number",
    "file": "is not a folder",
    "nowhere": "there is no such folder",
    "at/all": "cannot be cloned: fatal: '/nowhere/at/all' does not appear to be a git repository",
}
TABLE = """\
repository  files  findings  hidden  codes
lossy           2         2       0  CKP101 2
quiet           1         0       1
hiding          1         0       1
broken          -         -       -  not checked
unread          0         1       0  CKP001 1, 1 file not read
file            -         -       -  not checked
nowhere         -         -       -  not checked
at/all          -         -       -  not checked
2 more          7         0       0
all 10         11         3       2  CKP001 1, CKP101 2
3 findings in 2 of 10 repositories, 4 not checked; 11 files read
"""


def test_those_that_fail_get_a_line_and_the_others_go_on(several: Path) -> None:
    done = scan_anew(several, LINES)
    errors, _, rest = done.err.partition("repository  files")
    assert errors == "".join(f"flake8-ckpt: error: {name}: {why}\n" for name, why in REFUSED.items())
    assert f"repository  files{rest}" == TABLE
    places = [line.split(": ")[0] for line in done.out.splitlines()]
    assert places == ["lossy/a.py:8:9", "lossy/sub/b.py:8:9", "unread/a.py:1:1"]
    assert done.code == 2
    assert not (several / "canary" / "ran").exists()


@pytest.mark.parametrize(
    ("lines", "arguments", "code"),
    [
        ("clean\nquiet\n", [], 0),
        ("clean\nlossy\n", [], 1),
        ("clean\nlossy\n", ["--exit-zero"], 0),
        ("lossy\n", ["--extend-ignore=CKP101"], 0),
        ("quiet\n", ["--isolated", "--jobs=1"], 1),
        ("hiding\n", ["--disable-noqa"], 1),
    ],
)
def test_exit_code_is_that_of_check(several: Path, lines: str, arguments: list[str], code: int) -> None:
    write(several, {"LIST": lines})
    assert here(several, "scan", "LIST", "-q", *arguments).code == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere: No such file or directory"),
        (["empty"], "empty: names no repository"),
        (["binary"], "binary: is not text in UTF-8"),
        (["LIST", "--ckpt-enable=XYZ"], "--ckpt-enable: unknown code 'XYZ'"),
        (["LIST", "--output-file=no/such/folder"], "--output-file: 'no/such/folder': No such file"),
        (["LIST", "--cluster=tcp://nowhere"], "--cluster: tcp://nowhere cannot be reached"),
        (["LIST", "--jobs=0"], "'0' is not a positive number"),
    ],
)
def test_what_makes_no_sense_is_said_at_once(tmp_path: Path, arguments: list[str], said: str) -> None:
    write(tmp_path, {"LIST": "root\n", "root/a.py": NORMALIZER, "empty": "# none\n\n", "binary": b"\xff\xfe"})
    done = here(tmp_path, "scan", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err.splitlines()[-1]


def test_process_that_dies_takes_nobody_with_it(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "check_repository", lambda request: os.kill(os.getpid(), 9))
    requests = [
        Request(Repository(name, str(several / name)), "", (), "concise") for name in ("lossy", "clean")
    ]
    monkeypatch.setattr(processes, "_context", lambda is_clustered: multiprocessing.get_context("fork"))
    outcomes = list(processes.check_all(requests, 1))
    assert ["was killed" in each.error for each in outcomes] == [True, True]


def test_address_names_no_program(tmp_path: Path) -> None:
    done = scan(tmp_path, "ext::sh -c touch% canary\n--upload-pack=touch canary\next://touch\n")
    assert done.code == 2 and not (tmp_path / "canary").exists()


def test_list_of_addresses_and_folders() -> None:
    found = repositories(
        [
            "https://me:secret@host/owner/name.git",
            "git@host:owner/name.git",
            "ssh://git@host/owner/other/",
            "C:\\code",
            "../name/",
        ]
    )
    assert [each.name for each in found] == [
        "owner/name",
        "owner/name (2)",
        "owner/other",
        "C:\\code",
        "../name",
    ]
    assert found[0].place == "https://***@host/owner/name.git"
    assert [bool(each.address) for each in found] == [True, True, True, False, False]


def test_clone_is_checked_and_removed(tmp_path: Path) -> None:
    at = commit(write(tmp_path / "mine" / "project", {"a.py": NORMALIZER}))
    env = {"XDG_CACHE_HOME": str(tmp_path / "caches")}
    address = f"file://{tmp_path}/mine/project"
    lines = f"{address}\nfile://{tmp_path}/mine/./project\n"
    done = scan_anew(tmp_path, lines, "--output-format=json", "--jobs=1", env=env)
    entry, again = json.loads(done.out)
    assert (again["error"], again["commit"]) == (None, at)
    assert (entry["repository"], entry["place"], entry["commit"]) == ("mine/project", address, at)
    assert [each["path"] for each in entry["findings"]] == ["mine/project/a.py"]
    assert os.listdir(tmp_path / "caches" / "flake8-ckpt") == ["key"]


def test_findings_are_those_of_check(several: Path) -> None:
    alone = check(several / "lossy", "--output-format=json", "--ckpt-no-cache")
    done = scan(several, "lossy\nclean\nfile\n", "--output-format=json", "--output-file=report.json")
    assert done.out == "" and done.err.count("lossy") == 1
    lossy, clean, file = json.loads((several / "report.json").read_text())
    theirs = [{**each, "path": f"lossy/{each['path'].removeprefix('./')}"} for each in json.loads(alone.out)]
    assert lossy["findings"] == theirs
    assert (lossy["files"], lossy["error"]) == (2, None)
    assert (clean["findings"], clean["commit"]) == ([], None)
    assert (file["error"], file["files"]) == ("is not a folder", 0)


def test_sarif_has_a_run_for_each(several: Path) -> None:
    log = json.loads(scan(several, "lossy\nclean\nnowhere\n", "--output-format=sarif").out)
    Draft7Validator(sarif_schema()).validate(log)
    assert [len(each["results"]) for each in log["runs"]] == [2, 0, 0]
    assert [each["invocations"][0]["executionSuccessful"] for each in log["runs"]] == [True, True, False]
    base = log["runs"][0]["originalUriBaseIds"]["%SRCROOT%"]["uri"]
    place = log["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert base + place == (several / "lossy" / "sub" / "b.py").as_uri()


def test_text_ends_with_the_table(several: Path) -> None:
    done = scan(several, "lossy\n", "--output-format=text")
    assert " --> lossy/a.py:8:9" in done.out and done.out.endswith(
        "\nall 1           2         2       0  CKP101 2\n"
    )
    assert done.err == "2 findings in 1 of 1 repositories; 2 files read\n"


def test_folder_of_a_larger_project_is_its_own_root(tmp_path: Path) -> None:
    """What its configuration says of the root counts."""
    base = {"setup.cfg": "", "base.py": "from torch import nn\n\nclass Base(nn.Module):\n    pass\n"}
    policy = NORMALIZER.replace("from torch import nn\n", "from base import Base\n").replace(
        "nn.Module", "Base"
    )
    write(tmp_path, {**base, "inner/policy.py": policy})
    assert scan(tmp_path, "inner\n").code == 0
    write(tmp_path, {"inner/setup.cfg": "[flake8]\nckpt-root = ..\n"})
    assert "outside of" in scan(tmp_path, "inner\n").err


def test_standard_input_gives_the_list(several: Path) -> None:
    done = command(several, "scan", "-", "--jobs=2", stdin="clean\nlossy\n")
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["lossy/a.py", "lossy/sub/b.py"]


def test_store_that_is_no_use_is_said_once(several: Path) -> None:
    options = ("--ckpt-cache-dir=memory://x", "-q")
    done = scan_anew(several, "lossy\nclean\nquiet\n", *options, env={KEY_VARIABLE: ""})
    assert done.err.count("is not set") == done.err.count("\n") == 1


def test_cluster_that_goes_meanwhile_is_said(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(several)
    request = Request(Repository("lossy", str(several / "lossy")), "", (), "concise", cluster="tcp://gone")
    outcome = check_repository(request)
    assert outcome.codes == {"CKP101": 2}
    (note,) = outcome.notes
    assert "tcp://gone cannot be reached" in note and note.endswith("what is left is read here")


def test_outcome_crosses_processes(several: Path) -> None:
    request = Request(Repository("lossy", str(several / "lossy")), "", (), "concise")
    (outcome,) = processes.check_all([request], 1)
    assert isinstance(outcome, Outcome) and outcome.codes == {"CKP101": 2}
