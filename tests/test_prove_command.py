"""`flake8-ckpt prove` as a user runs it: its words, its exit codes, and the limits of the process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flake8_ckpt.evidence.evidence_file import encode
from flake8_ckpt.evidence.records import Evidence
from flake8_ckpt.evidence.records import Loss
from flake8_ckpt.evidence.records import Made
from flake8_ckpt.runtime.prove.launch import ask
from flake8_ckpt.runtime.prove.records import Question
from flake8_ckpt.runtime.prove.records import Request
from tests.front_end import NORMALIZER
from tests.front_end import command
from tests.front_end import write

PAGE = Path(__file__).parent.parent / "docs" / "prove.md"
PROGRAM = """
import torch

def save(model, optimizer, step):
    torch.save({"model": model.state_dict(), "step": step}, "run.pt")

def load(model, optimizer):
    payload = torch.load("run.pt")
    model.load_state_dict(payload["model"])
    return payload["step"], payload["obs_rms"]["mean"]
"""
LIMITS = """
import socket
import time
from pathlib import Path

import torch
from torch import nn

class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        time.sleep(60)

class Large(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.zeros(3 * 2**28)

class Nosy(nn.Module):
    def __init__(self):
        super().__init__()
        said = []
        for act in (
            lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
            lambda: (Path(__file__).parent / "canary").write_text(""),
            Path(__file__).unlink,
        ):
            try:
                act()
            except PermissionError as error:
                said.append(str(error))
        raise RuntimeError("; ".join(said))
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a finding as FILE:LINE or by its code, or give --all PATH"),
        (["nonsense"], "'nonsense' is neither FILE:LINE of a file that exists nor a code such as CKP101"),
        (["gone.py:3"], "'gone.py:3' is neither FILE:LINE of a file that exists"),
        (["agent.py:9", "agent.py:2"], "give one FILE:LINE at a time, without 'agent.py:2'"),
        (["CKP999"], "there is no rule CKP999; `flake8-ckpt rules` lists them"),
        (["CKP101", "gone"], "path does not exist: 'gone'"),
        (["CKP103"], "there is no finding of CKP103 to prove"),
        (["agent.py:2"], "there is no finding at agent.py:2; those of this file stand at"),
        (["CKP101", "--evidence", "gone.json"], "--evidence: 'gone.json': No such file or directory"),
        (
            ["CKP101", "--evidence", "agent.py"],
            "--evidence: 'agent.py' is no evidence file of `flake8-ckpt watch --output`",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_error_of_use_is_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    write(tmp_path, {"agent.py": NORMALIZER})
    done = command(tmp_path, "prove", *arguments)
    assert (done.code, done.out) == (2, "") and words in done.err and done.err.count("\n") == 1


def test_finding_of_a_program_is_left_to_watch(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": PROGRAM})
    done = command(tmp_path, "prove", "--all", ".")
    assert done.code == 2
    assert "not built: CKP201 is about a program here, not a class: `flake8-ckpt watch` sees it" in done.out
    done = command(tmp_path, "prove", "CKP201", ".", "--output-format", "json")
    (proof,) = json.loads(done.out)
    assert (done.code, proof["code"], proof["line"], proof["verdict"]) == (2, "CKP201", 5, "not built")
    assert proof["fix"] is None


def test_page_shows_what_the_command_says(tmp_path: Path) -> None:
    program, shown = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```console\n")
    program, shown = program.split("```")[0], shown.split("```")[0]
    write(tmp_path, {"agent.py": program})
    loss = Loss("CKP101", "state", "agent.py", 9, "Normalizer", "Normalizer", ("mean",), (0.0,), (1.5,))
    (tmp_path / "run.json").write_bytes(encode(Evidence(1, (), 0, 1, True, (), (), (loss,), (), {}, {})))
    done = command(tmp_path, *shown.splitlines()[0].split()[2:], "--evidence", "run.json")
    *lines, seen, summary = done.out.splitlines()
    assert (done.code, [*lines, summary]) == (0, shown.splitlines()[1:])
    assert seen == "  seen in the watched run: [0.0] -> [1.5]"
    assert "prove imports and runs this project's code, as you asked" in done.err
    assert (tmp_path / "agent.py").read_text() == program


LAYOUT = """
import torch
from torch import nn

class Whitener(nn.Module):
    def __init__(self, layout, mode):
        super().__init__()
        if mode not in ("running", "fixed") or layout[1] % 7:
            raise ValueError("a layout is (batch, size)")
        self.mean = torch.zeros(layout[1])

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
"""


def test_objects_are_made_as_a_watched_run_made_them(tmp_path: Path) -> None:
    write(tmp_path, {"agent.py": LAYOUT})
    ways = [{"0": "print('ran') or (4, 14)", "mode": "'running'"}, {"0": "(4, 14)", "mode": "'running'"}]
    made = tuple(Made("agent.py", "Whitener", tuple(way.items())) for way in ways)
    (tmp_path / "run.json").write_bytes(encode(Evidence(1, (), 0, 1, True, (), (), (), (), {}, {}, made)))
    assert "not built" in command(tmp_path, "prove", "agent.py:10").out
    done = command(tmp_path, "prove", "agent.py:10", "--evidence", "run.json")
    assert (done.code, "ran" in done.out.split()) == (0, False)
    assert "made: Whitener(layout=(4, 14), mode='running'), then update(" in done.out


@pytest.mark.parametrize(
    ("name", "seconds", "reason"),
    [
        ("Slow", 3, "stopped at the limit of 3 s"),
        ("Large", 30, "stopped at the limit of 2 GB of memory"),
        (
            "Nosy",
            30,
            "the network is not used by prove; prove writes nothing outside of a temporary folder: ",
        ),
    ],
)
def test_limit_that_stops_the_code_is_named(tmp_path: Path, name: str, seconds: float, reason: str) -> None:
    path = tmp_path / "limits.py"
    path.write_text(LIMITS)
    (answer,) = ask(Request(str(tmp_path), str(path), name, (Question("CKP101", "table"),)), seconds).answers
    assert answer.verdict == "not built" and reason in answer.reason
    assert sorted(each.name for each in tmp_path.iterdir()) == ["limits.py"]
