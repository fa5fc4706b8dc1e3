"""The benchmarks of robustness notice what they are there to notice."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks import census
from benchmarks import fuzz
from benchmarks import matrix
from benchmarks import roads
from benchmarks.census import Counted
from benchmarks.fuzzing import trial
from benchmarks.fuzzing.trial import lint
from tests.front_end import NORMALIZER
from tests.front_end import write

FILES = {"a.py": NORMALIZER.encode()}


def test_input_without_a_fault_has_none(tmp_path: Path) -> None:
    found, analysis = lint(FILES, tmp_path)
    assert (found.faults, found.findings, analysis is not None) == ((), 1, True)


def test_our_own_fault_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("flake8_ckpt.facts.collect.collect_file", fail)
    assert lint(FILES, tmp_path)[0].faults == ("CKP002 in collect: RuntimeError: boom",)
    monkeypatch.setattr("flake8_ckpt.engine.survey_files", fail)
    assert lint(FILES, tmp_path)[0].faults[0].startswith("RuntimeError: boom at ")


def test_input_that_costs_too_much_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(trial.costs(3, 600)) == ["more than 2 s", "more than 500 MiB"]
    monkeypatch.setattr(trial, "MOST_SECONDS", 0)
    assert lint(FILES, tmp_path)[0].faults == ("more than 0 s",)
    monkeypatch.setattr(trial, "SMALL", 10)
    assert lint(FILES, tmp_path)[0].faults == ()


def test_fix_that_breaks_its_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, analysis = lint(FILES, tmp_path)
    assert analysis is not None and list(trial.broken_by_a_fix(analysis, FILES)) == []
    monkeypatch.setattr("flake8_ckpt.fixes.file_text.FileText.edited", lambda self, edits: "def f(:\n")
    assert [each.startswith("fix: the fixed file") for each in trial.broken_by_a_fix(analysis, FILES)] == [
        True
    ]


def test_each_source_gives_what_was_planned(tmp_path: Path) -> None:
    write(tmp_path, {f"{number}.py": NORMALIZER for number in range(20)})
    sources = [each for each in fuzz.SHARES if each not in ("hypothesmith", "joined")]
    chunks = list(fuzz.plan(sorted(tmp_path.glob("*.py")), 40, 0, sources))
    made = {chunk.source: list(fuzz.inputs_of(chunk)) for chunk in chunks}
    assert {source: len(made[source]) for source in sources} == {
        chunk.source: chunk.count for chunk in chunks
    }
    assert all(data for files in made["lines"] for data in files.values())
    assert made["files"][0] == {"input.py": NORMALIZER.encode()}


def test_lines_of_files_that_flake8_does_not_read_are_left_out() -> None:
    ours = ["./b.py:1:1: CKP101 x", "./a.py:1:1: CKP001 x", "./a.py:2:1: CKP101 x"]
    assert roads.comparable(ours, ["./b.py:1:1: CKP101 x", "./a.py:1:1: E999 x"]) == (ours[:1], ours[:1])
    assert roads.comparable(ours[:1], []) == (ours[:1], [])


def test_roads_that_differ_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = roads.Tree("tree", tmp_path, tmp_path, ["./a.py:1:1: CKP101 x"])
    write(tmp_path, {"a.py": "x = 1\n"})
    assert roads.differences(tree, ["jobs"]) == (1, 1)
    assert capsys.readouterr().out == "tree: four jobs differs\n  - ./a.py:1:1: CKP101 x\n"


def test_other_numbers_than_those_of_the_record(tmp_path: Path) -> None:
    old, new = (Counted("a", 1, 9, 0.1, 30, each) for each in ({"CKP101": 2}, {"CKP101": 1, "CKP204": 1}))
    write(tmp_path, {"record": msgspec.json.encode(old)})
    assert list(census.differences([old], tmp_path / "record")) == []
    assert list(
        census.differences([new, Counted("b", 1, 9, 0.1, 30, {"CKP101": 1})], tmp_path / "record")
    ) == [
        "a: CKP101 2 -> 1",
        "a: CKP204 0 -> 1",
    ]


def test_verdicts_are_counted_by_rule(tmp_path: Path) -> None:
    judged = {"project": "a", "path": "./x.py", "line": 3, "code": "CKP101", "verdict": "right"}
    write(tmp_path, {"judged": msgspec.json.encode(judged)})
    places = [("a", "x.py", 3, "CKP101"), ("a", "x.py", 4, "CKP101")]
    table = census.by_rule(
        [Counted("a", 1, 9, 0.1, 30, {"CKP101": 2})], places, census.read_judged(tmp_path / "judged")
    )
    assert [cell.strip() for cell in table.splitlines()[-1].split("|")[1:-1]] == [
        *("CKP101", "2", "1", "1", "0", "0", "100.0%"),
    ]


def test_lowest_versions_are_those_of_the_setup() -> None:
    assert {each.partition("==")[0] for each in matrix.needed("lowest") if "==" in each} >= {
        "flake8",
        "libcst",
    }
    assert not any("==" in each.partition(";")[0] for each in matrix.needed("newest"))
