"""flake8 and the command print the same findings, to the column."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import WARM_UP
from tests.front_end import both
from tests.front_end import check
from tests.front_end import flake8
from tests.front_end import write

ASSIGNMENT = "        self.mean = torch.zeros(size)\n"
MULTILINE = "        self.mean = torch.zeros(\n            size,\n        )\n"


def noqa(comment: str) -> str:
    return NORMALIZER.replace(ASSIGNMENT, f"{ASSIGNMENT.rstrip()}  {comment}\n")


@pytest.mark.parametrize("jobs", ["1", "2", "4"])
def test_same_output_with_any_number_of_jobs(tmp_path: Path, jobs: str) -> None:
    write(tmp_path, {"b.py": NORMALIZER, "a.py": NORMALIZER, "pkg/c.py": NORMALIZER, "clean.py": CLEAN})
    found = both(tmp_path, "--select=CKP", f"--jobs={jobs}")
    assert found.codes == ["a.py CKP101", "b.py CKP101", "pkg/c.py CKP101"]
    assert found.code == 1


def test_finding_stands_at_its_first_character(tmp_path: Path) -> None:
    found = both(write(tmp_path, {"a.py": NORMALIZER}), "--select=CKP")
    assert found.out.startswith("./a.py:8:9: CKP101 ")


def test_column_counts_characters_not_bytes(tmp_path: Path) -> None:
    source = NORMALIZER.replace(ASSIGNMENT, f'        "äöü€"; {ASSIGNMENT.strip()}\n')
    assert both(write(tmp_path, {"a.py": source}), "--select=CKP").out.startswith("./a.py:8:17: CKP101 ")


def test_nothing_found_is_zero(tmp_path: Path) -> None:
    found = both(write(tmp_path, {"a.py": CLEAN}), "--select=CKP")
    assert (found.out, found.code) == ("", 0)


def test_class_of_another_file_counts(tmp_path: Path) -> None:
    write(tmp_path, {"base.py": BASE, "policy.py": POLICY, "setup.cfg": ""})
    assert both(tmp_path, "--select=CKP", "policy.py").codes == ["policy.py CKP101"]


@pytest.mark.parametrize("name", [".", "./", "pkg", "pkg/", "pkg/a.py", "./pkg/../pkg/a.py"])
def test_path_is_printed_as_it_was_given(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"pkg/a.py": NORMALIZER, "setup.cfg": ""})
    assert both(tmp_path, "--select=CKP", name).out.count("CKP101") == 1


def test_absolute_path_is_printed_absolute(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    assert both(tmp_path, "--select=CKP", str(tmp_path / "a.py")).out.startswith(str(tmp_path))


def test_folder_outside_of_the_working_directory(tmp_path: Path) -> None:
    write(tmp_path, {"here/setup.cfg": "", "there/a.py": NORMALIZER, "there/base.py": BASE})
    assert both(tmp_path / "here", "--select=CKP", "../there").out.startswith("../there/a.py:8:9: CKP101")


def test_repeated_path_is_printed_twice(tmp_path: Path) -> None:
    found = both(write(tmp_path, {"a.py": NORMALIZER}), "--select=CKP", "a.py", "a.py")
    assert found.codes == ["a.py CKP101", "a.py CKP101"]


@pytest.mark.parametrize("comment", ["# noqa", "# noqa: CKP101", "# NOQA:CKP1", "# noqa: E501, CKP101"])
def test_noqa_silences(tmp_path: Path, comment: str) -> None:
    assert both(write(tmp_path, {"a.py": noqa(comment)}), "--select=CKP").out == ""


@pytest.mark.parametrize("comment", ["# noqa: E501", "# noqa: CKP102", "# not noqa"])
def test_other_noqa_does_not_silence(tmp_path: Path, comment: str) -> None:
    assert "CKP101" in both(write(tmp_path, {"a.py": noqa(comment)}), "--select=CKP").out


def test_disable_noqa_brings_it_back(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": noqa("# noqa")})
    assert both(tmp_path, "--select=CKP", "--disable-noqa").codes == ["a.py CKP101"]


@pytest.mark.parametrize(("line", "is_silent"), [(0, True), (1, False), (2, False)])
def test_noqa_counts_on_the_first_line_only(tmp_path: Path, line: int, is_silent: bool) -> None:
    lines = MULTILINE.splitlines()
    lines[line] += "  # noqa: CKP101"
    source = NORMALIZER.replace(ASSIGNMENT, "\n".join(lines) + "\n")
    assert (both(write(tmp_path, {"a.py": source}), "--select=CKP").out == "") == is_silent


def test_noqa_after_a_continued_line_silences(tmp_path: Path) -> None:
    continued = "        self.mean = \\\n            torch.zeros(size)  # noqa: CKP101\n"
    write(tmp_path, {"a.py": NORMALIZER.replace(ASSIGNMENT, continued)})
    assert both(tmp_path, "--select=CKP").out == ""


def test_multiline_statement_reports_its_first_line(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER.replace(ASSIGNMENT, MULTILINE)})
    assert both(tmp_path, "--select=CKP").out.startswith("./a.py:8:9: ")


def test_file_level_noqa_silences(tmp_path: Path) -> None:
    assert both(write(tmp_path, {"a.py": f"# flake8: noqa\n{NORMALIZER}"}), "--select=CKP").out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--select=E"],
        ["--select=CKP2"],
        ["--select=CKP", "--ignore=CKP101"],
        ["--select=CKP", "--extend-ignore=CKP1"],
        ["--select=CKP", "--per-file-ignores=a.py:CKP101"],
        ["--select=CKP", "--per-file-ignores=*.py:CKP"],
        ["--select=CKP", "--exclude=a.py"],
        ["--select=CKP", "--extend-exclude=a*"],
        ["--select=CKP", "--filename=b.py"],
        ["--select=CKP", "--ckpt-exclude=a.py"],
    ],
    ids=" ".join,
)
def test_options_that_silence(tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path, {"a.py": NORMALIZER.replace("import torch\n", "import torch\n\n", 1)})
    assert [line for line in both(tmp_path, *arguments).out.splitlines() if "CKP" in line] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--select=C"],
        ["--select=CKP101"],
        ["--extend-select=CKP", "--ignore=E,W,F,B"],
        ["--select=CKP101", "--ignore=CKP"],
        ["--select=E5,CKP", "--ignore=E"],
        ["--select=CKP", "--per-file-ignores=b.py:CKP101"],
        ["--select=CKP", "--exclude=b.py"],
        ["--select=CKP", "--isolated"],
        ["--select=CKP", "--show-source"],
        ["--select=CKP", "--count"],
        ["--select=CKP", "--statistics"],
        ["--select=CKP", "-q"],
        ["--select=CKP", "-qq"],
        ["--select=CKP", "--exit-zero"],
        ["--select=CKP", "--color=always"],
        ["--select=CKP", "--format=pylint"],
        ["--select=CKP", "--format=%(path)s|%(row)d|%(col)d|%(code)s|%(text)s"],
        ["--select=CKP", "--ckpt-no-cache"],
        ["--select=CKP", "--ckpt-jobs=1"],
        ["--select=CKP", "--ckpt-root=."],
    ],
    ids=" ".join,
)
def test_options_print_the_same(tmp_path: Path, arguments: list[str]) -> None:
    found = both(write(tmp_path, {"a.py": NORMALIZER}), *arguments)
    assert found.out or "-qq" in arguments


def test_output_file_holds_the_same(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    check(tmp_path, "--select=CKP", "--output-file=ours.txt")
    flake8(tmp_path, "--select=CKP", "--output-file=theirs.txt")
    assert (tmp_path / "ours.txt").read_text() == (tmp_path / "theirs.txt").read_text() != ""


@pytest.mark.parametrize("name", ["setup.cfg", "tox.ini", ".flake8"])
@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("select = CKP", 2),
        ("select = CKP\nignore = CKP101", 0),
        ("select = CKP\nper-file-ignores =\n    a.py: CKP101, E501\n    c.py: CKP", 1),
        ("select = CKP\nexclude = pkg", 1),
        ("select = CKP\nckpt-exclude = pkg", 1),
        ("select = CKP\nckpt_exclude =\n    pkg/,\n    other", 1),
        ("select = CKP\nckpt-enable = ALL", 3),
        ("select = CKP\nckpt-enable = CKP110\nckpt-no-cache = true\nckpt-jobs = 1", 3),
        ("select = CKP\nmax-complexity = 10\ninline-quotes = double\nformat = default", 2),
        ("ignore = E,F,W,B,C901", 2),
    ],
)
def test_configuration_file(tmp_path: Path, name: str, lines: str, count: int) -> None:
    write(tmp_path, {name: f"[flake8]\n{lines}\n", "a.py": NORMALIZER, "pkg/b.py": NORMALIZER})
    write(tmp_path, {"warm.py": WARM_UP})
    assert len(both(tmp_path).out.splitlines()) == count


def test_configuration_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "ci/lint.cfg": "[flake8]\nselect = CKP\n"})
    write(tmp_path, {"ci/more.cfg": "[flake8]\nckpt-enable = ALL\n", "warm.py": WARM_UP})
    assert both(tmp_path, "--config=ci/lint.cfg").codes == ["a.py CKP101"]
    appended = both(tmp_path, "--config", "ci/lint.cfg", "--append-config", "ci/more.cfg")
    assert appended.codes == ["a.py CKP101", "warm.py CKP110"]


def test_configuration_of_a_parent_folder(tmp_path: Path) -> None:
    write(tmp_path, {"setup.cfg": "[flake8]\nselect = CKP\n", "base.py": BASE, "sub/policy.py": POLICY})
    assert both(tmp_path / "sub").codes == ["policy.py CKP101"]


def test_isolated_forgets_the_configuration(tmp_path: Path) -> None:
    write(tmp_path, {".flake8": "[flake8]\nignore = CKP\n", "a.py": NORMALIZER})
    assert both(tmp_path, "--isolated", "--select=CKP").codes == ["a.py CKP101"]


def test_opt_in_code_needs_our_option(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": WARM_UP})
    assert both(tmp_path, "--select=CKP").out == ""
    assert both(tmp_path, "--select=CKP", "--ckpt-enable=CKP110").codes == ["a.py CKP110"]
    assert both(tmp_path, "--select=CKP", "--ckpt-enable=ALL", "--ignore=CKP110").out == ""


def test_module_base_of_another_package(tmp_path: Path) -> None:
    source = NORMALIZER.replace("from torch import nn", "from acme.nets import Net").replace(
        "nn.Module", "Net"
    )
    write(tmp_path, {"a.py": source})
    assert both(tmp_path, "--select=CKP").out == ""
    assert both(tmp_path, "--select=CKP", "--ckpt-module-bases=acme.nets.Net").codes == ["a.py CKP101"]


@pytest.mark.parametrize("name", ["stdin", "a.py", "new/b.py", "./a.py"])
def test_standard_input(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"a.py": CLEAN, "setup.cfg": ""})
    found = both(tmp_path, "--select=CKP", f"--stdin-display-name={name}", "-", stdin=NORMALIZER)
    assert found.out.startswith(f"{name}:8:9: CKP101")


def test_standard_input_replaces_the_saved_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "setup.cfg": ""})
    assert both(tmp_path, "--select=CKP", "--stdin-display-name=a.py", "-", stdin=CLEAN).out == ""


def test_standard_input_sees_other_files(tmp_path: Path) -> None:
    write(tmp_path, {"base.py": BASE, "setup.cfg": ""})
    found = both(tmp_path, "--select=CKP", "--stdin-display-name=policy.py", "-", stdin=POLICY)
    assert found.codes == ["policy.py CKP101"]


@pytest.mark.parametrize("text", [NORMALIZER.replace("\n", "\r\n"), f"\ufeff{NORMALIZER}", noqa("# noqa")])
def test_standard_input_as_editors_send_it(tmp_path: Path, text: str) -> None:
    found = both(tmp_path, "--select=CKP", "--stdin-display-name=a.py", "-", stdin=text)
    assert found.out.count("CKP101") == ("noqa" not in text)


def test_excluded_standard_input_is_not_checked(tmp_path: Path) -> None:
    arguments = ["--select=CKP", "--exclude=a.py", "--stdin-display-name=a.py", "-"]
    assert both(tmp_path, *arguments, stdin=NORMALIZER).out == ""


@pytest.mark.parametrize(
    "data",
    [
        NORMALIZER.replace("\n", "\r\n").encode(),
        NORMALIZER.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + NORMALIZER.encode(),
        f"# -*- coding: latin-1 -*-\n# \xe4\n{NORMALIZER}".encode("latin-1"),
        NORMALIZER.rstrip("\n").encode(),
        NORMALIZER.replace("    ", "\t").encode(),
        NORMALIZER.replace("\n\n\n", "\n\x0c\n\n").encode(),
    ],
    ids=["crlf", "cr", "bom", "cookie", "no-newline", "tabs", "form-feed"],
)
def test_bytes_that_are_read_the_same(tmp_path: Path, data: bytes) -> None:
    assert both(write(tmp_path, {"a.py": data}), "--select=CKP").codes == ["a.py CKP101"]


def test_file_that_git_ignores_is_checked_when_asked(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "gen.py\n", "gen.py": NORMALIZER, ".git/HEAD": ""})
    assert both(tmp_path, "--select=CKP", "gen.py").codes == ["gen.py CKP101"]


def test_linked_folder_gives_the_same_findings(tmp_path: Path) -> None:
    write(tmp_path, {"src/base.py": BASE, "src/policy.py": POLICY, "setup.cfg": ""})
    (tmp_path / "link").symlink_to("src", target_is_directory=True)
    assert both(tmp_path, "--select=CKP", "link/policy.py").codes == ["link/policy.py CKP101"]
