"""What the formats do with too much: long lines, far changes, many keys, one helper for all."""

from __future__ import annotations

import json

from flake8_ckpt.contract_view.columns import Column
from flake8_ckpt.contract_view.columns import FunctionSpot
from flake8_ckpt.contract_view.rows import Mismatch
from flake8_ckpt.contract_view.rows import Row
from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Related
from flake8_ckpt.findings import Spot
from flake8_ckpt.reports import rdjson
from flake8_ckpt.reports import sarif
from flake8_ckpt.reports import text
from flake8_ckpt.reports.diff import changed_lines
from flake8_ckpt.reports.html.checkpoint_map import MAX_KEYS
from flake8_ckpt.reports.html.checkpoint_map import WIDE
from flake8_ckpt.reports.html.checkpoint_map import draw
from flake8_ckpt.reports.html.checkpoint_map import shortened
from flake8_ckpt.reports.html.code import around
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Mend
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import RuleText
from flake8_ckpt.reports.report import Source

RULE = RuleText("CKP101", "unregistered-tensor-state", "summary", "page", "warning")


def at(line: int, start: int, end: int) -> Position:
    return Position(line, start, line, end)


def report_of(finding: Finding, lines: list[str], mend: Mend | None = None) -> Report:
    entry = Entry(finding, "0123456789abcdef", mend)
    return Report("1.0", [entry], {"CKP101": RULE}, {"a.py": Source("a.py", "a.py", tuple(lines))})


def test_line_without_end_is_cut_around_the_range() -> None:
    finding = Finding("a.py", at(1, 5_000, 5_004), "CKP101", "m")
    _, _, code, marks = text.render(report_of(finding, ["x" * 5_000 + "here" + "y" * 5_000])).splitlines()
    assert len(code) < 180 and code[marks.index("^") :].startswith("here" + "y")
    assert marks.count("^") == 4


def test_file_that_has_gone_shows_no_code() -> None:
    assert text.render(report_of(Finding("a.py", at(3, 0, 4), "CKP101", "m"), [])).count("\n") == 1
    assert around(at(3, 0, 4), Source("a.py", "a.py")) == []


def test_many_related_places_are_counted() -> None:
    related = tuple(Related("a.py", at(number, 0, 1), "here too") for number in range(1, 8))
    shown = text.render(report_of(Finding("a.py", at(9, 0, 1), "CKP101", "m", related), ["x"] * 9))
    assert shown.count(":::") == 4 and shown.endswith("= and 3 more places")


def test_far_changes_are_told_apart() -> None:
    source = Source("a.py", "a.py", tuple(f"line {number}" for number in range(1, 31)))
    lines = list(changed_lines([Edit(at(2, 0, 4), "first"), Edit(at(28, 0, 4), "last")], source))
    assert [(sign, number) for sign, number, _ in lines if sign != " "] == [
        ("-", 2),
        ("+", 1),
        ("~", 26),
        ("-", 28),
        ("+", 27),
    ]
    assert [line for sign, _, line in lines if sign == "+"] == ["first 2", "last 28"]


def test_large_suggestion_is_left_out() -> None:
    finding, lines = Finding("a.py", at(1, 0, 1), "CKP101", "m"), ["x"] * 60
    for last, count in [(40, 1), (41, 0)]:
        mend = Mend("t", "safe", edits=(Edit(Position(1, 0, last, 1), "y"),))
        (shown,) = json.loads(rdjson.render(report_of(finding, lines, mend)))["diagnostics"]
        assert len(shown["suggestions"]) == count


def test_what_is_only_shown_is_no_fix() -> None:
    mend = Mend("t", "shown", edits=(Edit(at(1, 0, 1), "y"),))
    made = report_of(Finding("a.py", at(1, 0, 1), "CKP101", "m"), ["x"], mend)
    assert json.loads(rdjson.render(made))["diagnostics"][0]["suggestions"] == []
    assert "fixes" not in json.loads(sarif.render(made))["runs"][0]["results"][0]


def test_range_of_several_lines_is_marked_in_each() -> None:
    source = Source("a.py", "a.py", ("def f():", "    x = [", "        1,", "    ]"))
    marked = [
        "".join(each.text for each in line.pieces if each.is_marked)
        for line in around(Position(2, 4, 4, 5), source)
    ]
    assert marked == ["", "x = [", "1,", "]"]


def column(name: str, *functions: str) -> Column:
    places = tuple(FunctionSpot(each, Spot(f"{each}.py", at(1, 0, 1))) for each in functions)
    return Column(name, places, ())


def table(keys: int, *readers: Column) -> Table:
    rows = [Row((f"key{number}",), {"W1": "always", "R1": "required"}, "", "") for number in range(keys)]
    lost = Row(("lost",), {"W1": "always", "R1": "never"}, "", "", Mismatch("never restored"))
    return Table(True, (column("W1", "save"),), readers or (column("R1", "load"),), (*rows, lost))


def test_picture_has_room_for_what_is_broken() -> None:
    drawn = draw(table(80), WIDE)
    assert len(drawn.keys) == MAX_KEYS and [each.text for each in drawn.keys if each.is_broken] == ["lost"]
    assert [each.kind for each in drawn.lines if each.is_broken] == ["always", "left-out"]
    assert all(0 <= each.y and each.y + 24 <= drawn.height for each in drawn.keys)


def test_reader_is_named_after_what_is_its_own() -> None:
    readers = (
        column("R1", "read_file", "evaluate"),
        column("R2", "read_file", "resume"),
        column("R3", "read_file"),
    )
    titles = [each.title for each in draw(table(1, *readers), WIDE).boxes if each.side == "reader"]
    assert titles == ["evaluate +1", "resume +1", "read_file"]


def test_long_name_keeps_its_end() -> None:
    assert shortened("agent.normalizer.running_mean", 100) == "…running_mean"
    assert shortened("mean", 100) == "mean"
