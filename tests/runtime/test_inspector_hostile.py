"""Files of a stranger: each is refused in one line, or reported for what it is, and nothing in it runs.

All are looked into by one process of its own, whose memory is measured at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.front_end import Run
from tests.runtime.hostile import CANARY
from tests.runtime.hostile import CASES
from tests.runtime.hostile import Case

# What the process has at most, in bytes, with the interpreter itself.
MOST_MEMORY = 200 * 10**6
INSPECT = """
import json
import resource
import sys
from contextlib import redirect_stderr
from contextlib import redirect_stdout
from io import StringIO

from flake8_ckpt.runtime.inspector.command import show_checkpoint

results = {}
for name, path in json.loads(sys.stdin.read()).items():
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = show_checkpoint([path, "--json"])
    results[name] = code, out.getvalue(), err.getvalue()
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, results]))
"""


@dataclass(frozen=True)
class Outcome:
    """What the process said of each file, how large it became, and what the payloads left behind."""

    runs: Mapping[str, Run]
    memory: int
    canaries: frozenset[str]


# One process looks into all files, once: not once for each worker.
pytestmark = pytest.mark.xdist_group("hostile files")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Look into all files."""
    folders = {name: tmp_path_factory.mktemp("hostile") for name in CASES}
    paths = {name: str(case.make(folders[name])) for name, case in CASES.items()}
    # The process of the tests is large, and its size would count; that of a shell in between is not.
    command = ["sh", "-c", '"$0" "$@"; exit $?', sys.executable, "-c", INSPECT]
    done = subprocess.run(command, input=json.dumps(paths), capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    memory, results = json.loads(done.stdout)
    canaries = frozenset(name for name, folder in folders.items() if (folder / CANARY).exists())
    return Outcome({name: Run(*result) for name, result in results.items()}, memory, canaries)


@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=CASES)
def test_hostile_file_is_refused_or_named(name: str, case: Case, outcome: Outcome) -> None:
    done = outcome.runs[name]
    if case.is_refused:
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
        assert done.err.startswith("flake8-ckpt: error: ") and case.word in done.err
    else:
        assert (done.code, done.err) == (0, "")
        messages = [each["message"] for each in json.loads(done.out)["findings"] if each["kind"] == case.kind]
        assert not case.kind or any(case.word in message for message in messages), done.out


def test_nothing_in_them_was_executed(outcome: Outcome) -> None:
    assert outcome.canaries == frozenset()


def test_memory_stays_small(outcome: Outcome) -> None:
    assert outcome.memory < MOST_MEMORY


@pytest.mark.parametrize("name", ["os.system in a torch archive", "eval in a torch archive", "INST", "OBJ"])
def test_canary_would_have_told(name: str, tmp_path: Path) -> None:
    """Load a file as one should not: its payload works."""
    path = CASES[name].make(tmp_path)
    code = "import pickle, sys, zipfile; path = sys.argv[1]; pickle.loads("
    code += "zipfile.ZipFile(path).read('archive/data.pkl') if zipfile.is_zipfile(path) else open(path, 'rb').read())"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert (tmp_path / CANARY).exists()
