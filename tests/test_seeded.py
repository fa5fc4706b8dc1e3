"""The benchmarks that edit projects: what they break, what they leave as it is, and what they count."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks import same
from benchmarks import seeded
from benchmarks.seeding.bug import Bug
from benchmarks.seeding.contract_bugs import contract_bugs
from benchmarks.seeding.module_bugs import module_bugs
from benchmarks.seeding.scratch import Found
from benchmarks.seeding.source_file import Edit
from benchmarks.seeding.source_file import applied
from benchmarks.seeding.source_file import read_sources

TRAINER = """\
import torch


class Trainer:
    def __init__(self, model, optimizer):
        self.model, self.optimizer, self.epoch = model, optimizer, 0

    def step(self):
        self.optimizer.step()
        self.epoch += 1

    def save(self, path):
        torch.save({
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
        }, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.epoch = checkpoint["epoch"]
"""
MODULE = """\
import torch
from torch import nn


class Tracker(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.scale = nn.Parameter(torch.ones(3))
        self.layers = nn.ModuleList([nn.Linear(3, 3)])

    def update(self, x):
        self.mean += x.mean(0)

    def forward(self, x):
        return self.layers[0](x - self.mean) * self.scale
"""


def bugs_in(tmp_path: Path, source: str) -> dict[str, list[str]]:
    """Return by kind what the file of a bug looks like."""
    path = tmp_path / "project.py"
    path.write_text(source, encoding="utf-8")
    files = read_sources(tmp_path, [path])
    found: dict[str, list[str]] = {}
    for bug in (*contract_bugs(files), *module_bugs(files)):
        found.setdefault(bug.kind, []).append(applied(path.read_bytes(), bug.edits).decode())
    return found


def test_file_without_checkpoint_has_no_bug(tmp_path: Path) -> None:
    assert bugs_in(tmp_path, "def save(x):\n    return {'a': x}\n") == {}


def test_file_that_does_not_parse_is_left_out(tmp_path: Path) -> None:
    assert bugs_in(tmp_path, "def save(:\n") == {}


def test_each_kind_of_contract_bug_breaks_one_key(tmp_path: Path) -> None:
    found = bugs_in(tmp_path, TRAINER)
    assert '"epoch": self.epoch,' not in found["key not written"][-1]
    assert '"optimizer": self.optimizer.state_dict()' in found["key not written"][-1]
    assert "'epoch_data': self.epoch" in found["written under another key"][-1]
    assert "checkpoint['epoch_data']" in found["read under another key"][-1]
    assert found["key not restored"][-1].endswith('checkpoint["optimizer"])\n        pass\n')
    assert len(found["object on neither side"]) == 1
    assert "optimizer.state_dict()" not in found["object on neither side"][0]
    assert 'load_state_dict(checkpoint["optimizer"])' not in found["object on neither side"][0]


def test_each_kind_of_module_bug_breaks_one_attribute(tmp_path: Path) -> None:
    found = bugs_in(tmp_path, MODULE)
    assert "self.mean = (torch.zeros(3))" in found["buffer made plain"][0]
    assert (
        'register_buffer("mean", torch.zeros(3), persistent=False)' in found["buffer made non-persistent"][0]
    )
    assert "self.scale = (torch.ones(3)).requires_grad_()" in found["parameter made plain"][0]
    assert "self.layers = [nn.Linear(3, 3)]" in found["module list made a list"][0]


def test_bugs_keep_the_number_of_lines(tmp_path: Path) -> None:
    for source in (TRAINER, MODULE):
        for texts in bugs_in(tmp_path, source).values():
            assert {text.count("\n") for text in texts} == {source.count("\n")}
            assert all(ast.parse(text) for text in texts)


def test_key_that_a_second_writer_still_gives_is_ambiguous(tmp_path: Path) -> None:
    second = TRAINER.replace(
        "    def load",
        "    def save_last(self):\n        torch.save({'epoch': 1, 'model': 2}, 'x')\n\n    def load",
    )
    path = tmp_path / "project.py"
    path.write_text(second, encoding="utf-8")
    bugs = list(contract_bugs(read_sources(tmp_path, [path])))
    assert {bug.names[0] for bug in bugs if bug.ambiguous} == {"epoch", "model"}


@pytest.mark.parametrize(
    ("finding", "reported"),
    [
        (Found("a.py", 40, "CKP202", "load reads 'epoch'"), True),
        (Found("a.py", 40, "CKP202", "load reads 'epochs'"), False),
        (Found("a.py", 12, "CKP201", "another key"), True),
        (Found("b.py", 12, "CKP201", "another key"), False),
        (Found("a.py", 14, "CKP201", "another key"), False),
        (Found("a.py", 10, "CKP205", "'epoch' is replaced"), False),
    ],
)
def test_finding_counts_by_code_and_name_or_place(finding: Found, reported: bool) -> None:
    bug = Bug("key not written", (Edit("a.py", 0, 1, b""),), 10, ("epoch",), "")
    assert bug.is_reported_by(finding) is reported


def test_real_linter_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "trainer.py").write_text(TRAINER, encoding="utf-8")
    use = "from trainer import Trainer\n\nt = Trainer(1, 2)\nt.load('a')\nt.step()\nt.save('a')\n"
    (project / "main.py").write_text(use, encoding="utf-8")
    out = tmp_path / "records.jsonl"
    seeded.main([str(project), "--cap", "1", "--kinds", "key not written", "--output", str(out)])
    printed = capsys.readouterr().out
    assert "| key not written |      1 |" in printed
    assert "trainer.py" in out.read_text(encoding="utf-8")
    assert (project / "trainer.py").read_text(encoding="utf-8") == TRAINER


@pytest.mark.parametrize("edit", list(same.EDITS))
def test_edited_files_still_parse_and_differ(edit: str) -> None:
    source = TRAINER + MODULE + "\n\ndef give(x):\n    x.count += 1\n    return {'a': x}\n"
    after = same.edited(source.encode(), edit).decode()
    assert after != source
    assert ast.parse(after)


@pytest.mark.parametrize(
    ("edit", "source"),
    [
        ("rename self", "class A:\n    def f(self, this):\n        pass\n"),
        ("rename torch", "import torch\nimport torch.nn\nx = torch.nn\n"),
        ("import save", "import torch as t\nt.save(1, 2)\n"),
        ("reverse methods", "class A:\n    def f(self): pass\n    g = f\n    def h(self): pass\n"),
        ("spell out counting", "x += y\n"),
        ("comments", "def f(:\n"),
    ],
)
def test_file_that_an_edit_would_break_stays(edit: str, source: str) -> None:
    assert same.edited(source.encode(), edit).decode() == source


def test_keyword_and_attribute_called_self_stay() -> None:
    source = "class A:\n    def f(self):\n        g(self=self.self)\n"
    assert "g(self=this.self)" in same.edited(source.encode(), "rename self").decode()


def test_unchanged_findings_count_as_none(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    plain = MODULE.replace('self.register_buffer("mean", torch.zeros(3))', "self.mean = torch.zeros(3)")
    (project / "tracker.py").write_text(plain, encoding="utf-8")
    [change] = same.changes_of(project, ["comments"])
    assert (change.before, change.gone, change.new) == (1, (), ())
