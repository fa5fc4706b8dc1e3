"""The benchmarks score what they claim to score, on made-up code."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from benchmarks import agreement
from benchmarks import checkout
from benchmarks import corpus
from benchmarks import edits
from benchmarks import growth
from benchmarks import linking
from benchmarks import linter
from benchmarks import linters
from benchmarks import measure
from benchmarks import normalizer
from benchmarks import oracle
from benchmarks import peers
from benchmarks import precision
from benchmarks import rounds
from benchmarks import speed
from benchmarks import stress
from benchmarks.linter import Place
from benchmarks.linter import Report
from benchmarks.measure import Usage
from benchmarks.scope import ClassId
from benchmarks.scope import read_hierarchy
from benchmarks.table import format_table
from benchmarks.table import percent

SOURCE = """\
class Base(Module):
    def __init__(self, size, weight=None):
        self.mean = zeros(size)
        self.weight = weight
        self.scale = 2.0


class Tracker(Base):
    def __init__(self, size):
        super().__init__(size)
        if size > 3:
            self.mask = ones(size)
        self.parts = [Linear(size)]

    def forward(self, x):
        return self.mean, self.mask
"""
FILE = "pkg/tracker.py"


def report(name: str, line: int, code: str = "CKP101", path: str = FILE) -> Report:
    """Make a finding about an attribute."""
    return Report(code, Place(path, line, line), 9, f"tensor '{name}' is not saved")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Write the made-up package."""
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(SOURCE, "utf-8")
    return tmp_path


def lint_as(reports: Sequence[Report]) -> Callable[..., list[Report]]:
    """Return a linter that finds the same everywhere."""
    return lambda root, enable="": list(reports)


def read_cells(table: str) -> list[list[str]]:
    """Take a printed table apart."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]


# What the command prints.


def test_command_output_is_read_relative_to_root(tmp_path: Path) -> None:
    place = {"line": 3, "end_line": 4, "column": 9, "end_column": 2}
    related = [{"path": str(tmp_path / "b.py"), **place, "message": "here"}]
    path = str(tmp_path / "pkg" / ".." / "a.py")
    message = "tensor 'self.x' is lost"
    entry = {"code": "CKP101", "path": path, **place, "message": message, "related": related}
    found = linter.read_reports(json.dumps([entry]), tmp_path)
    assert found == [Report("CKP101", Place("a.py", 3, 4), 9, message, (Place("b.py", 3, 4),))]
    assert found[0].names == ("x",)
    assert linter.read_reports("", tmp_path) == []


def test_failing_linter_is_not_silence(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the linter failed"):
        linter.lint(tmp_path / "absent")


def test_mangled_attribute_is_recognised() -> None:
    assert report("__cached", 1).is_about("_Kernel__cached")
    assert not report("cached", 1).is_about("_Kernel__cached")


# Labelled places.


def case(category: int = 1) -> corpus.Case:
    """Make a case in the class `Base`."""
    entry = {"id": "X1", "kind": "bug", "category": category, "repo": "o/n", "commit": "abc", "path": FILE}
    rest = {"line": 3, "class_or_func": "Base.__init__", "symbol": "mean", "note": ""}
    return corpus.read_case({**entry, **rest})


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(report("mean", 5), id="same name elsewhere in the class"),
        pytest.param(report("mean", 3), id="same name at the line"),
        pytest.param(report("other", 3), id="other name at the line"),
    ],
)
def test_case_is_found(root: Path, found: Report) -> None:
    assert corpus.find_report(case(), [found], root) == found


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(report("mean", 12), id="same name in another class"),
        pytest.param(report("weight", 4), id="other name beside the line"),
        pytest.param(report("mean", 3, "CKP203"), id="rule of another family"),
        pytest.param(report("mean", 3, path="pkg/other.py"), id="other file"),
    ],
)
def test_case_is_missed(root: Path, found: Report) -> None:
    assert corpus.find_report(case(), [found], root) is None


def test_related_line_finds_case(root: Path) -> None:
    found = Report("CKP101", Place("pkg/a.py", 1, 1), 1, "tensor 'mean' is lost", (Place(FILE, 5, 5),))
    assert corpus.find_report(case(), [found], root) == found


def test_checkpoint_case_needs_no_name(root: Path) -> None:
    found = report("frame", 5, "CKP203")
    assert corpus.find_report(case(category=3), [found], root) == found


def test_scope_of_unparsable_file_is_all_of_it(root: Path) -> None:
    (root / FILE).write_text("print 'old'\n", "utf-8")
    assert corpus.find_report(case(), [report("mean", 99)], root)


def write_cases(path: Path, cases: Sequence[dict[str, object]]) -> Path:
    """Write a file of cases."""
    common = {"category": 1, "repo": "o/n", "commit": "abc", "path": FILE, "class_or_func": "Base"}
    path.write_text("\n".join(json.dumps({**common, **one}) for one in cases), "utf-8")
    return path


CASES: list[dict[str, object]] = [
    {"id": "B1", "kind": "bug", "line": 3, "symbol": "mean", "note": "state"},
    {"id": "B2", "kind": "bug", "line": 5, "symbol": "scale", "note": "missed"},
    {"id": "N1", "kind": "negative", "line": 4, "symbol": "weight", "note": "grey: a hint"},
    {"id": "B3", "kind": "bug", "line": 3, "symbol": "mean", "note": "", "commit": "gone"},
    {"id": "B4", "kind": "bug", "line": 3, "symbol": "mean", "note": "", "category": 3},
]


@pytest.fixture
def checkouts(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Turn the package into a checkout on which the linter finds two things."""
    directory = root / "checkouts"
    (directory / "o+n@abc").mkdir(parents=True)
    (root / "pkg").rename(directory / "o+n@abc" / "pkg")
    monkeypatch.setattr(corpus, "lint", lint_as([report("mean", 3), report("weight", 4)]))
    return directory


def test_corpus_counts_by_category(checkouts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_cases(checkouts / "cases.jsonl", CASES)
    arguments = [str(path), "--checkouts", str(checkouts), "--categories", "1,2", "--enable", "ALL"]
    assert corpus.main(arguments) == 0
    printed = capsys.readouterr().out
    cells = read_cells(printed)
    assert ["default", "1", "1", "2", "50.0%", "0", "0", "1", "1"] in cells
    assert ["with ALL", "all", "1", "2", "50.0%", "0", "0", "1", "1"] in cells
    assert "B2 bug 1" in printed
    assert printed.endswith("not scored, no checkout: B3\n")


def test_corpus_json_names_what_was_reported(checkouts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_cases(checkouts / "cases.jsonl", CASES[:1])
    corpus.main([str(path), "--checkouts", str(checkouts), "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["reported"] == {"default": {"B1": "CKP101"}}
    assert printed["misses"] == {"default": []}


def test_corpus_without_misses_says_so() -> None:
    outcome = corpus.Outcome(case(), report("mean", 3))
    assert corpus.format_misses("default", [outcome]) == "default: no misses"


# Checkouts.


def run_git(directory: Path, *arguments: str) -> str:
    """Run git as somebody."""
    name = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *name, *arguments]
    done = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def mirrors(tmp_path: Path) -> Path:
    """Make a repository `o+n` with one commit."""
    repository = tmp_path / "mirrors" / "o+n"
    (repository / "sub").mkdir(parents=True)
    (repository / "sub" / "a.py").write_bytes(b"x = 1\r\n")
    (repository / "notes.txt").write_text("not code", "utf-8")
    (repository / "link.py").symlink_to("sub/a.py")
    run_git(repository, "init", "-q")
    run_git(repository, "-c", "core.autocrlf=false", "add", ".")
    run_git(repository, "commit", "-qm", "first")
    return tmp_path / "mirrors"


def test_checkout_holds_python_files_only(mirrors: Path, tmp_path: Path) -> None:
    name = f"o+n@{run_git(mirrors / 'o+n', 'rev-parse', 'HEAD')}"
    checkout.make_checkouts([name, name, "no+mirror@abc"], mirrors, tmp_path / "trees")
    checkout.make_checkouts([name], mirrors, tmp_path / "trees")
    written = [path for path in (tmp_path / "trees").rglob("*") if path.is_file()]
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [f"trees/{name}/sub/a.py"]
    assert written[0].read_bytes() == b"x = 1\r\n"


def test_absent_object_becomes_empty_file(mirrors: Path, tmp_path: Path) -> None:
    blob = run_git(mirrors / "o+n", "rev-parse", "HEAD:sub/a.py")
    (mirrors / "o+n" / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    checkout.extract(mirrors / "o+n" / ".git", "HEAD", tmp_path / "tree")
    assert (tmp_path / "tree" / "sub" / "a.py").read_bytes() == b""


# Agreement with real objects.


def record(**held: object) -> dict[str, object]:
    """Make a line of the record; the class holds only what is given."""
    head = {"package": "my-pkg", "version": "1", "class": "pkg.tracker.Tracker", "file": FILE, "line": 8}
    return {**head, "registered": [], "scalars": [], **held}


def plain(attribute: str, *lines: int) -> list[dict[str, object]]:
    """Make the entry of a plain tensor that the made-up file sets."""
    return [{"attr": attribute, "at": [[FILE, line] for line in lines]}]


def package(root: Path, reports: Sequence[Report], *records: dict[str, object]) -> agreement.Package:
    """Make the made-up package."""
    objects = tuple(agreement.read_object(one) for one in records)
    return agreement.Package("my-pkg", objects, read_hierarchy(root), tuple(reports))


@pytest.mark.parametrize(
    ("held", "found"),
    [
        pytest.param(plain("mean", 3), report("mean", 3), id="at a line that sets it"),
        pytest.param(plain("mean", 99), report("mean", 5), id="in a base class"),
        pytest.param(plain("_Tracker__mask", 12), report("__mask", 12), id="mangled name"),
    ],
)
def test_plain_tensor_is_found(root: Path, held: list[dict[str, object]], found: Report) -> None:
    given = package(root, [found], record(plain=held))
    assert agreement.is_found(given.objects[0].plain[0], given.objects[0], given)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(report("weight", 3), id="other name at the line"),
        pytest.param(report("mean", 3, path="pkg/other.py"), id="other file"),
    ],
)
def test_plain_tensor_is_missed(root: Path, found: Report) -> None:
    given = package(root, [found], record(plain=plain("mean", 3)))
    assert not agreement.is_found(given.objects[0].plain[0], given.objects[0], given)


def test_tensor_set_by_another_package_is_out_of_reach(root: Path) -> None:
    given = package(root, [], record(plain=[{"attr": "mean", "at": [["torch/x.py", 1]]}]))
    assert not agreement.is_reachable(given.objects[0].plain[0], given)


PARTS = {"attr": "parts", "kind": "container_of_modules", "at": []}
LOST, ALIAS = {"containers": [{**PARTS, "alias": False}]}, {"containers": [{**PARTS, "alias": True}]}


@pytest.mark.parametrize(
    ("held", "found", "word"),
    [
        pytest.param({"plain": plain("mean", 3)}, report("mean", 3), "right", id="plain tensor"),
        pytest.param(LOST, report("parts", 13, "CKP105"), "right", id="list"),
        pytest.param(ALIAS, report("parts", 13, "CKP105"), "arguable", id="alias"),
        pytest.param({"other": ["mean"]}, report("mean", 3), "arguable", id="moved by _apply"),
        pytest.param({"registered": ["mask"]}, report("mask", 12), "wrong", id="registered"),
        pytest.param({"scalars": ["scale"]}, report("scale", 5), "wrong", id="number"),
        pytest.param({}, report("mean", 3), "wrong", id="no tensor"),
        pytest.param({}, report("mask", 12), "not judged", id="behind a condition"),
        pytest.param({}, report("weight", 4), "not judged", id="argument that may be None"),
        pytest.param({}, report("mean", 3, "CKP109"), "not judged", id="rule about later calls"),
    ],
)
def test_objects_judge_finding(root: Path, held: dict[str, object], found: Report, word: str) -> None:
    verdicts = list(agreement.judge(package(root, [found], record(**held))))
    assert [verdict.word for verdict in verdicts] == [word]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(report("mean", 3), id="base of no constructed class"),
        pytest.param(report("mean", 7), id="outside of classes"),
    ],
)
def test_finding_elsewhere_is_not_counted(root: Path, found: Report) -> None:
    other = {**record(), "file": "pkg/other.py", "class": "pkg.other.Other"}
    assert not list(agreement.judge(package(root, [found], other)))


@pytest.mark.parametrize(
    ("statement", "always"),
    [
        ("self.x: Tensor = zeros(1)", True),
        ("self.y, self.x = a, b", True),
        ("self.x = a", True),
        ("self.x = None", False),
        ("self.x: Tensor", False),
        ("self.x = b", False),
        ("self.x = c", False),
        ("self.x += 1", False),
    ],
)
def test_attribute_is_always_set(statement: str, always: bool) -> None:
    init = f"    def __init__(self, a, b=None, *, c=1, d):\n        {statement}"
    scope = ast.parse(f"class A:\n{init}").body[0]
    assert isinstance(scope, ast.ClassDef)
    assert agreement.is_always_set(scope, "x") is always


def test_imported_base_is_resolved(root: Path) -> None:
    (root / "pkg" / "twin.py").write_text("class Base: pass\n", "utf-8")
    classes = "class Wide(B[int], other.Unknown, f()): pass\nclass Lost(Base): pass\n"
    text = f"from .tracker import Base as B\n{classes}"
    (root / "pkg" / "wide.py").write_text(text, "utf-8")
    hierarchy = read_hierarchy(root)
    assert hierarchy.bases(ClassId("pkg/wide.py", "Wide")) == [ClassId(FILE, "Base")]
    assert hierarchy.bases(ClassId("pkg/wide.py", "Lost")) == []
    assert hierarchy.bases(ClassId("pkg/wide.py", "Absent")) == []


def test_oracle_prints_both_scores(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = [report("mean", 3), report("scale", 5), report("mask", 12)]
    monkeypatch.setattr(oracle, "lint", lint_as(reports))
    (root / "wheels" / "My_Pkg").mkdir(parents=True)
    (root / "pkg").rename(root / "wheels" / "My_Pkg" / "pkg")
    held = plain("mean", 3) + [{"attr": "lost", "at": [["torch/x.py", 1]]}]
    lines = [record(plain=held, scalars=["scale"]), {**record(), "package": "absent"}]
    (root / "oracle.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    assert oracle.main(["score", str(root / "oracle.jsonl"), "--packages", str(root / "wheels")]) == 0
    printed, error = capsys.readouterr()
    cells = read_cells(printed)
    assert ["my-pkg", "2", "1", "50.0%", "1", "100.0%"] in cells
    assert ["all", "3", "1", "0", "1", "1", "50.0%", "66.7%"] in cells
    assert "3 findings, 3 of them on the 1 constructed classes" in printed
    assert "pkg.tracker.Tracker.lost torch/x.py:1" in printed
    assert "absent: not in" in error


# Making a record.


def test_dead_process_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"0": 'at 0\n{"a": 1}\nat 1\n', "2": 'at 2\n{"b": 2}\ndone\n'}
    monkeypatch.setattr(oracle, "output_of", lambda command, limit: texts[command[-1]])
    assert list(oracle.construct("pkg", 1.0)) == ['{"a": 1}', '{"b": 2}']


def test_hanging_process_keeps_its_lines() -> None:
    script = "import time; print('at 0', flush=True); time.sleep(60)"
    assert oracle.output_of([sys.executable, "-c", script], 3.0) == "at 0\n"


def test_broken_process_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert oracle.output_of([sys.executable, "-c", "raise OSError('no disk')"], 60.0) == ""
    assert "no disk" in capsys.readouterr().err


MODULES = """\
import numpy as np
import torch
from torch import nn


class Held(nn.Module):
    def __init__(self, size: int, weight: torch.Tensor, inner: nn.Module):
        super().__init__()
        self.register_buffer("kept", torch.zeros(size))
        self.alias = self.kept
        self.__hidden = torch.ones(size)
        self.hidden = torch.ones(
            size
        )
        self.hidden[0] = 2
        self.numbers = np.zeros(2)
        self.parts = [nn.Linear(2, 2)]
        self.inner = inner
        self.again = [inner]
        self.rate = 0.5
        self.weight = weight

    def _apply(self, fn, recurse=True):
        self.weight = fn(self.weight)
        return super()._apply(fn, recurse)


class Broken(nn.Module):
    def __init__(self):
        raise RuntimeError


class Deadly(nn.Module):
    def __init__(self):
        import os
        os._exit(3)


class Zero(nn.Module):
    pass
"""


def test_made_record_has_the_format_it_is_scored_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_up").mkdir()
    (tmp_path / "made_up" / "__init__.py").write_text("", "utf-8")
    (tmp_path / "made_up" / "parts.py").write_text(MODULES, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(linters.PROJECT)
    assert oracle.main(["make", "made_up", "--output", str(tmp_path / "made.jsonl")]) == 0
    held, zero = map(json.loads, (tmp_path / "made.jsonl").read_text("utf-8").splitlines())
    path = "made_up/parts.py"
    assert held == {
        "package": "made_up",
        "version": "",
        "class": "made_up.parts.Held",
        "file": path,
        "line": 6,
        "plain": [
            {"attr": "_Held__hidden", "at": [[path, 11]]},
            {"attr": "hidden", "at": [[path, 12], [path, 15]]},
        ],
        "containers": [
            {"attr": "again", "kind": "container_of_modules", "alias": True, "at": [[path, 19]]},
            {"attr": "parts", "kind": "container_of_modules", "alias": False, "at": [[path, 17]]},
        ],
        "other": ["alias", "numbers", "weight"],
        "registered": ["kept"],
        "scalars": ["rate"],
    }
    assert (zero["class"], zero["registered"]) == ("made_up.parts.Zero", [])


# Cost.


def test_command_is_measured() -> None:
    script = "import sys; x = bytearray(64 << 20); sys.exit(1)"
    used = measure.measure([sys.executable, "-c", script], 60.0)
    assert 0 < used.cpu < 30 and used.wall > 0 and used.peak > 64 and not used.is_cut


def test_time_limit_ends_command() -> None:
    assert measure.measure([sys.executable, "-c", "import time; time.sleep(60)"], 0.2).is_cut


def test_broken_command_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match="exit code 2"):
        measure.measure([sys.executable, "-c", "import sys; sys.exit(2)"], 60.0)


def test_entrants_keep_to_their_environments(tmp_path: Path) -> None:
    entrants = linters.list_entrants(tmp_path, tmp_path / "tools", ["torchfix"])
    names = [one.name for one in entrants]
    assert names[:3] == ["flake8", "flake8 + bugbear", "ruff"]
    assert names[3:5] == ["flake8 + ckpt, cold", "flake8 + ckpt, warm"]
    assert names[5:] == ["flake8-ckpt check, cold", "flake8-ckpt check, warm"]
    assert all(one.command[0].startswith(str(tmp_path / "tools" / one.tool)) for one in entrants)
    assert entrants[3].cache == entrants[4].cache != entrants[5].cache


def test_copy_for_a_build_holds_package_and_metadata(tmp_path: Path) -> None:
    copied = linters.copy_project(tmp_path)
    assert (copied / "flake8_ckpt" / "__init__.py").is_file() and (copied / "setup.cfg").is_file()
    assert not (copied / "tests").exists()


def test_slow_tool_runs_once() -> None:
    entrants = [linters.Entrant(tool, tool, ()) for tool in ("flake8", "torchfix")]
    results = linters.run_rounds(entrants, 3, lambda one: Usage(1.0, 1.0, 1.0))
    assert {name: len(runs) for name, runs in results.items()} == {"flake8": 3, "torchfix": 1}


def test_cold_run_loses_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linters, "measure", lambda command, limit: Usage(1.0, 1.0, 1.0))
    (tmp_path / "cache").mkdir()
    warm = linters.Entrant("warm", "ckpt", (), tmp_path / "cache")
    linters.run_once(warm, 1.0)
    assert (tmp_path / "cache").is_dir()
    linters.run_once(linters.Entrant("cold", "ckpt", (), tmp_path / "cache", True), 1.0)
    assert not (tmp_path / "cache").exists()


def test_ratios_are_paired_by_round() -> None:
    def usages(*seconds: float) -> list[Usage]:
        return [Usage(cpu, cpu, 50.0) for cpu in seconds]

    results = {
        "flake8": usages(10, 20, 10),
        "flake8 + bugbear": usages(14, 24, 14),
        "flake8 + ckpt, warm": usages(11, 22, 11),
        "ruff": [Usage(1, 1, 50.0, is_cut=True)],
    }
    rows = read_cells(linters.format_results(results))
    assert rows[3] == ["flake8 + bugbear", "14.00", "14.00", "50", "1.40x", "+4.00", "+40.0%", "1.00x"]
    assert rows[4] == ["flake8 + ckpt, warm", "11.00", "11.00", "50", "1.10x", "+1.00", "+10.0%", "0.25x"]
    assert rows[5] == ["ruff", ">1.00", ">1.00", "50", "0.10x", "", "", ""]
    assert linters.format_ratios("ruff", {"ruff": results["ruff"]}) == ["", "", "", ""]


def test_generated_tree_is_python_and_repeatable(tmp_path: Path) -> None:
    files = dict(growth.generate(205))
    assert len(files) == 205 and files == dict(growth.generate(205))
    assert all(ast.parse(text) is not None for text in files.values())
    assert growth.write_tree(tmp_path, 12) == sum(text.count("\n") for _, text in growth.generate(12))
    text = (tmp_path / "package_0" / "part_2.py").read_text("utf-8")
    assert "from package_0.part_1 import Tracker1" in text


def test_growth_measures_four_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "measure", lambda command, limit: Usage(0.5, 0.25, 40.0))
    runs = growth.measure_size(10, tmp_path, [], 1.0)
    assert growth.row(10, runs) == ["10", *["0.50", "0.25", "40"] * 4, *["50000"] * 2]
    assert not list(tmp_path.iterdir())


def test_growth_is_drawn(tmp_path: Path) -> None:
    growth.draw(tmp_path / "curve.svg", {size: [Usage(size / 100, 1.0, 40.0)] * 4 for size in (10, 100)})
    assert "<svg" in (tmp_path / "curve.svg").read_text("utf-8")


# One changed file, and what is unchanged.


def test_speed_compares_within_a_round() -> None:
    used = {"ours": [Usage(1.0, 1.0, 40.0), Usage(4.0, 1.0, 40.0)], "theirs": [Usage(0.5, 1.0, 40.0)] * 2}
    asked = speed.Comparison("what", "ours", "theirs", speed.cpu, "+0.35")
    assert speed.row(asked, used) == ("what", "2.500", "0.500", "5.00x", "+2.000", "+0.35")


def test_file_is_another_one_before_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    seen: list[bytes] = []

    def look(argv: Sequence[str], limit: float) -> Usage:
        seen.append((tmp_path / "a.py").read_bytes())
        return Usage(1.0, 1.0, 1.0)

    monkeypatch.setattr(speed, "measure", look)
    speed.run_rounds(list(speed.changes_for(tmp_path, ["a.py"])), 2)
    assert len(seen) == 8 and len(set(seen)) == 4


def test_edited_file_still_parses(tmp_path: Path) -> None:
    source = "def f(x):\n    y = x\n    if y:\n        y += 1\n    return y\n\n\ndef g():\n    return 1\n"
    texts = set()
    for seed in range(20):
        (tmp_path / "a.py").write_text(source)
        edits.edit(tmp_path / "a.py", Random(seed))
        texts.add((tmp_path / "a.py").read_text())
    assert len(texts) > 4 and all(ast.parse(text) for text in texts)


def test_asked_and_whole_runs_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = Path(linters.PROJECT) / "flake8_ckpt" / "demo" / "motion_tracking"
    shutil.copytree(demo, tmp_path / "demo")
    assert edits.main([str(tmp_path / "demo"), "--edits", "3"]) == 0
    assert "| demo" in capsys.readouterr().out


# Reading sheets.


def test_sheet_is_read_back(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    related = Report("CKP104", Place(FILE, 13, 13), 9, "list 'parts' is lost", (Place(FILE, 16, 16),))
    outside = Report("CKP104", Place(FILE, 7, 7), 1, "something is lost")
    monkeypatch.setattr(precision, "lint", lint_as([report("mean", 3), report("mask", 12), related, outside]))
    sheet = root / "sheet.md"
    assert precision.main(["sheet", str(root), "--output", str(sheet)]) == 0
    text = sheet.read_text("utf-8")
    assert ">    3         self.mean = zeros(size)" in text
    assert f"related: {FILE}:16" in text
    words = iter(["right", "Wrong: a reason", "arguable", ""])
    lines = [line + f" {next(words)}" if line == "verdict:" else line for line in text.splitlines()]
    sheet.write_text("\n".join(lines), "utf-8")
    capsys.readouterr()
    assert precision.main(["tally", str(sheet)]) == 0
    rows = read_cells(capsys.readouterr().out)
    assert rows[3] == ["CKP101", "all", "2", "1", "1", "0", "0", "50.0%"]
    assert rows[5] == ["CKP104", "all", "2", "0", "0", "1", "1", "0.0%"]


def test_sheet_with_judgements_is_not_overwritten(root: Path) -> None:
    (root / "sheet.md").write_text("judged", "utf-8")
    with pytest.raises(FileExistsError):
        precision.write_sheet("", [], root / "sheet.md")


def test_mention_outside_context_is_listed(root: Path) -> None:
    text = SOURCE.replace("    def forward", "\n" * 9 + "    def forward")
    (root / FILE).write_text(text, "utf-8")
    item = precision.Item("pkg", root, report("mask", 12))
    assert "   25         return self.mean, self.mask" in precision.format_item(item)


def test_sample_is_repeatable_and_small(root: Path) -> None:
    reports = [report("x", line, code) for line in range(9) for code in ("CKP101", "CKP104")]
    items = [precision.Item("pkg", root, one) for one in reports]
    chosen = precision.sample(items, 2, 7)
    assert [item.report.code for item in chosen] == ["CKP101"] * 2 + ["CKP104"] * 2
    assert chosen == precision.sample(items[::-1], 2, 7)
    assert len(precision.sample(items, 0, 7)) == len(items)


def test_package_without_findings_is_counted(root: Path) -> None:
    item = precision.Item("loud", root, report("x", 3))
    rows = read_cells(precision.format_counts([item], [Path("quiet"), Path("loud")]))
    assert rows[2:] == [["loud", "1"], ["quiet", "0"], ["all", "1"]]


# Tables.


def test_table_aligns_numbers_to_the_right() -> None:
    table = format_table(["rule", "share"], [["CKP101", percent(1, 3)], ["all", percent(0, 0)]])
    assert table.splitlines() == [
        "| rule   | share |",
        "| ------ | ----: |",
        "| CKP101 | 33.3% |",
        "| all    |     - |",
    ]


def test_linking_is_measured_step_by_step() -> None:
    row = linking.measure_linking(200)
    assert len(row) == len(linking.HEAD)
    assert (row[0], int(row[1]) >= 20) == ("200", True)


@pytest.mark.parametrize("name", stress.PROGRAMS)
def test_program_of_twice_the_size_is_measured(name: str) -> None:
    row = stress.row(name, 0.02)
    assert len(row) == len(stress.HEAD) and row[0] == name


# Normalizers side by side.


def test_normalizer_tables_have_all_entrants(capsys: pytest.CaptureFixture[str]) -> None:
    assert normalizer.main(["--small", "--rounds", "2", "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    cells = read_cells(printed)
    listed = [row for row in cells if row and row[0] in {source.name for source in peers.SOURCES}]
    present = [row[0] for row in listed[: len(peers.SOURCES)] if not row[1].startswith("absent: ")]
    heads = [row for row in cells if row and row[0] == "case"]
    assert heads == [["case", "ours", "ours, float64", *present, "bar", "met"]] * 3
    assert len([row for row in cells if row and row[0] == "N(1e6,1)" and row[-1] == "yes"]) == 3
    counted, *timed = [row for row in cells if row and row[0] == "ours"]
    assert counted == ["ours", "20", "20", "met"] and len(timed) == 2 * len(normalizer.SMALL)
    assert "compiled: not measured, " in printed


def test_absent_peer_is_named_with_its_reason() -> None:
    absent = peers.Source("gone", "gone", "no_such_package.module", peers.make_rsl_rl)
    broken = peers.Source("broken", "pytest", "json", peers.make_rsl_rl)
    numpy = peers.Source("numpy", "numpy", "json", peers.make_gymnasium, ("cpu",))
    assert peers.find_peers("cpu", (absent, broken))[1] == {
        "gone": "ModuleNotFoundError: No module named 'no_such_package'",
        "broken": "AttributeError: module 'json' has no attribute 'EmpiricalNormalization'",
    }
    assert peers.find_peers("cuda", (numpy,)) == ([], {"numpy": "computes with numpy, so not on cuda"})


def test_file_of_broken_package_is_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heavy" / "parts").mkdir(parents=True)
    (tmp_path / "heavy" / "__init__.py").write_text("", "utf-8")
    (tmp_path / "heavy" / "parts" / "__init__.py").write_text("import no_such_package", "utf-8")
    (tmp_path / "heavy" / "parts" / "light.py").write_text("answer = 42", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module, note = peers.load_module("heavy.parts.light")
    assert module.answer == 42
    assert note == ", only light.py: the package as installed fails with No module named 'no_such_package'"
    with pytest.raises(ImportError):
        peers.load_module("heavy.parts.dark")


def test_bar_is_met_by_both_ratios_or_open() -> None:
    bars = [rounds.Bar("ours", "theirs", most) for most in (2.0, 1.5, 1.0, None)]
    race = rounds.Race("update", {}, "theirs", [*bars, rounds.Bar("ours", "gone", 1.0)], 1)
    seconds = {"ours": [2.0, 4.0, 8.0], "theirs": [1.0, 4.0, 4.0]}
    verdicts = [row[-1] for row in rounds.judge(race, seconds)]
    assert verdicts == ["yes", "NO", "NO", "-", "not measured: gone absent"]
    assert rounds.judge(race, {**seconds, "theirs": [1.0, 4.0, 8.0]})[1][-3:] == ["1.00x", "1.50x", "open"]


def test_bad_normalizer_options_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit) as stopped:
        normalizer.main(["--device", "cuda"])
    assert stopped.value.code == 2
    assert "torch finds no CUDA device here" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        normalizer.main(["--rounds", "0"])
    assert "at least 1" in capsys.readouterr().err
