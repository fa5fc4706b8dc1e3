"""`explain` and `demo`: what a rule is, what a line of the user's code loses, and what is unknown of it."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import redirect_stderr
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from flake8_ckpt.cli import main
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.teacher.pages import mend_of
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import WARM_UP
from tests.front_end import Run
from tests.front_end import run
from tests.front_end import write

AGENT = """\
import torch


class Agent:
    def __init__(self, model, optimizer):
        self.model = model
        self.optimizer = optimizer
        self.steps = 0

    def save(self, path):
        torch.save({"model": self.model.state_dict()}, path)

    def load(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
"""
FOREIGN = """\
import lib
import torch


class Net(lib.Base):
    def __init__(self):
        super().__init__()
        self.mean = torch.zeros(3)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
"""


@contextmanager
def chdir(folder: Path) -> Iterator[None]:
    """Work in another folder for a while."""
    here = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)


def explain(folder: Path, *arguments: str) -> Run:
    """Run the command in this process, because all rules are loaded here already."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        code = main(["explain", *arguments])
    return Run(code, out.getvalue(), err.getvalue())


def on_terminal(folder: Path, *arguments: str) -> str:
    """Return what a command prints to a terminal."""
    chunks: list[bytes] = []

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        chunks.append(data)
        return b""

    with chdir(folder):
        pty.spawn([sys.executable, "-m", "flake8_ckpt", *arguments], read)
    return b"".join(chunks).decode()


@pytest.mark.parametrize(
    "name", ["CKP101", "ckp101", "unregistered-tensor-state", "Unregistered_Tensor_State"]
)
def test_page_of_a_rule_begins_with_the_mend(tmp_path: Path, name: str) -> None:
    found = explain(tmp_path, name)
    assert found.code == 0
    assert found.out.startswith("# CKP101 unregistered-tensor-state (on)\n\n")
    headings = re.findall(r"^## (.+)$", found.out, flags=re.MULTILINE)
    assert headings[:2] == ["The mend", "What it does"]
    assert '+        self.register_buffer("mean", torch.zeros(size))' in found.out


def test_every_rule_with_programs_has_a_mend() -> None:
    without = [rule.code for rule in all_rules() if not mend_of(rule)]
    assert without == ["CKP001", "CKP002"]


def test_several_rules_are_explained_in_order(tmp_path: Path) -> None:
    found = run(tmp_path, "-m", "flake8_ckpt", "explain", "CKP204", "CKP101")
    assert re.findall(r"^# (CKP\d+)", found.out, flags=re.MULTILINE) == ["CKP204", "CKP101"]


def test_page_as_json(tmp_path: Path) -> None:
    (page,) = json.loads(explain(tmp_path, "--output-format=json", "CKP101").out)
    assert (page["code"], page["name"], page["default"]) == ("CKP101", "unregistered-tensor-state", "on")
    assert "register_buffer" in page["mend"] and "Why it matters" in page["sections"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CKP108x", "did you mean CKP108 or "),
        ("unregistered-state", "did you mean unregistered-tensor-state"),
        ("zzz", "see flake8-ckpt rules"),
    ],
)
def test_unknown_rule_names_the_nearest(tmp_path: Path, name: str, hint: str) -> None:
    found = explain(tmp_path, name)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"flake8-ckpt: error: unknown rule '{name}': ") and hint in found.err


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ((), "name a rule, such as CKP101, or a line of your code, such as train.py:12"),
        (("gone.py:3",), "path does not exist: 'gone.py'"),
        (("a.py:99",), "a.py has no line 99"),
        (("a.py:0",), "a.py has no line 0"),
        (("broken.py:1",), "broken.py: "),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, asked: tuple[str, ...], error: str) -> None:
    write(tmp_path, {"a.py": CLEAN, "broken.py": "def", "setup.cfg": ""})
    found = explain(tmp_path, *asked)
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert found.err.startswith(f"flake8-ckpt: error: {error}")


def test_finding_is_explained_in_the_names_of_the_code(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "setup.cfg": ""})
    found = explain(tmp_path, "a.py:8")
    assert found.code == 0
    assert found.out.startswith("# CKP101 unregistered-tensor-state at a.py:8\n")
    assert "> 8 |         self.mean = torch.zeros(size)" in found.out.replace("  8", " 8")
    assert "`state_dict()` of `Normalizer` holds nothing of its own" in found.out
    assert "**What is not**: `mean`." in found.out
    assert '+        self.register_buffer("mean", torch.zeros(size))' in found.out


def test_checkpoint_finding_names_saved_and_missing_keys(tmp_path: Path) -> None:
    write(tmp_path, {"agent.py": AGENT, "setup.cfg": ""})
    found = explain(tmp_path, "agent.py:16")
    assert found.out.startswith("# CKP202 ")
    assert "**What is saved** at agent.py:11 (`Agent.save`): `model`." in found.out
    assert "**What is not**: `optimizer` (read at agent.py:16)." in found.out


def test_line_without_a_finding_says_what_is_known_and_near_by(tmp_path: Path) -> None:
    write(tmp_path, {"agent.py": AGENT, "setup.cfg": ""})
    found = explain(tmp_path, "agent.py:14")
    assert found.out.startswith("# Nothing is reported at agent.py:14\n")
    assert "- agent.py:16: CKP202 " in found.out


def test_unknown_base_is_named_with_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": FOREIGN, "setup.cfg": ""})
    silent = explain(tmp_path, "a.py:8").out
    assert "`lib.Base` is not part of the project" in silent and "--ckpt-module-bases=lib.Base" in silent
    assert explain(tmp_path, "--ckpt-module-bases=lib.Base", "a.py:8").out.startswith("# CKP101 ")


def test_save_that_belongs_to_no_load_is_unknown(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": AGENT.partition("    def load")[0], "setup.cfg": ""})
    assert (
        "the save in line 11 belongs to no load of the project that is known"
        in explain(tmp_path, "a.py:11").out
    )


def test_load_that_belongs_to_no_save_is_unknown(tmp_path: Path) -> None:
    text = AGENT.replace("    def save", "    def keep").replace("torch.save(", "print(")
    write(tmp_path, {"a.py": text, "setup.cfg": ""})
    assert "what is loaded in line 15 belongs to no save of the project" in explain(tmp_path, "a.py:15").out


def test_opt_in_hint_says_how_to_turn_it_on(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": WARM_UP, "setup.cfg": ""})
    assert "`--ckpt-enable=CKP110` turns it on" in explain(tmp_path, "a.py:7").out


def test_line_that_no_rule_looks_at(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "x = 1\ny = 2\n", "setup.cfg": ""})
    assert "No rule looks at this line" in explain(tmp_path, "a.py:2").out


def test_test_file_says_that_it_is_one(tmp_path: Path) -> None:
    write(tmp_path, {"test_agent.py": AGENT, "setup.cfg": ""})
    assert "This file is a test" in explain(tmp_path, "test_agent.py:16").out


def test_line_as_json(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "setup.cfg": ""})
    (entry,) = json.loads(explain(tmp_path, "--output-format=json", "a.py:8").out)
    assert (entry["path"], entry["line"]) == ("a.py", 8) and "`mean`" in entry["explanation"]


def test_terminal_shows_colours_and_no_markdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = on_terminal(tmp_path, "explain", "CKP101")
    assert "\x1b[" in shown and "```" not in shown and "## " not in shown


def test_demo_groups_findings_by_system_with_one_reason_for_each_rule(tmp_path: Path) -> None:
    found = run(tmp_path, "-m", "flake8_ckpt", "demo", env={"COLUMNS": "80"})
    assert (found.code, found.err) == (0, "")
    lines = found.out.splitlines()
    systems = [line for line in lines if line in {"Behavior cloning", "Gradient scaling", "Vectorized ppo"}]
    assert len(systems) == 3
    codes = re.findall(r"^    (CKP\d+) ", found.out, flags=re.MULTILINE)
    assert found.out.count("    why: ") == len(set(codes)) > 5
    assert f"{len(codes)} findings." in lines
    assert not [code for code in codes if code.startswith("CKP0")]


def test_demo_names_files_that_can_be_opened(tmp_path: Path) -> None:
    found = run(tmp_path, "-m", "flake8_ckpt", "demo")
    places = re.findall(r"^  (\S+\.py):(\d+):\d+$", found.out, flags=re.MULTILINE)
    assert places and all((tmp_path / path).is_file() for path, _ in places)


def test_demo_is_not_wider_than_the_window(tmp_path: Path) -> None:
    found = run(tmp_path, "-m", "flake8_ckpt", "demo", env={"COLUMNS": "72"})
    wide = [line for line in found.out.splitlines() if len(line) > 72 and ".py:" not in line]
    assert wide == []
