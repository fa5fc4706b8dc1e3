"""Where settings come from, who wins, and how one that makes no sense is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import WARM_UP
from tests.front_end import flake8
from tests.front_end import here
from tests.front_end import run
from tests.front_end import write

BROKEN = "def f(:\n"
TABLE = "[tool.flake8-ckpt]\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a finding that is on, one that is opt-in, and a file that cannot be parsed."""
    return write(tmp_path / "project", {"a.py": NORMALIZER, "warm.py": WARM_UP, "setup.cfg": ""})


def codes(folder: Path, *arguments: str) -> list[str]:
    return here(folder, "check", "--no-summary", *arguments).codes


@pytest.mark.parametrize("asked", ["CKP110", "ckp110", "CKP11", "ckp", "all", "CKP112, ckp110"])
def test_opt_in_codes_are_enabled_by_prefix_in_any_case(project: Path, asked: str) -> None:
    assert codes(project, f"--ckpt-enable={asked}") == ["a.py CKP101", "warm.py CKP110"]


@pytest.mark.parametrize("asked", ["CKP9", "", "x"])
def test_prefix_of_nothing_enables_nothing(project: Path, asked: str) -> None:
    found = here(project, "check", "--no-summary", f"--ckpt-enable={asked}")
    assert "CKP110" not in found.out
    assert (found.code, "unknown code" in found.err) == ((2, True) if asked else (1, False))


def test_path_alone_means_check(project: Path) -> None:
    asked = here(project, "check", "a.py", "--no-summary")
    assert here(project, "a.py", "--no-summary") == asked == here(project, "--no-summary", "a.py")


def test_word_that_is_neither_command_nor_path(project: Path) -> None:
    found = here(project, "chekc")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "flake8-ckpt: error: 'chekc' is neither a command nor a path that exists: did you mean check?\n"
    )
    assert "see flake8-ckpt --help" in here(project, "zzz").err


def test_command_wins_over_a_folder_of_its_name(project: Path) -> None:
    write(project, {"rules/b.py": NORMALIZER})
    assert here(project, "rules").out.startswith("code")
    assert here(project, "./rules", "--no-summary").codes == ["rules/b.py CKP101"]


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"setup.cfg": "[flake8]\n\nckpt-exlude = b\n"}, "setup.cfg:3: unknown option 'ckpt-exlude'"),
        ({"tox.ini": "[flake8]\nckpt_exlude: b\n"}, "tox.ini:2: unknown option 'ckpt-exlude'"),
        (
            {".flake8": "[flake8]\nckpt-jobs = many\n"},
            ".flake8:2: ckpt-jobs: 'many' is not a positive number",
        ),
        ({"setup.cfg": "[flake8]\nckpt-jobs = 0\n"}, "setup.cfg:2: ckpt-jobs: '0' is not a positive number"),
        ({"setup.cfg": "[flake8]\nckpt-no-cache = 2\n"}, "setup.cfg:2: ckpt-no-cache: '2' is neither true"),
        ({"setup.cfg": "[flake8]\nckpt-enable = CKP9\n"}, "setup.cfg:2: ckpt-enable: unknown code 'CKP9'"),
        ({"setup.cfg": "[flake8]\nckpt-root = away\n"}, "setup.cfg:2: ckpt-root: 'away' is not a folder"),
        (
            {"pyproject.toml": f"[a]\njobs=1\n{TABLE}exlude = ['b']\n"},
            "pyproject.toml:4: unknown option 'exlude'",
        ),
        ({"pyproject.toml": f"{TABLE}jobs = 'x'\n"}, "pyproject.toml:2: jobs: 'x' is not a positive number"),
        (
            {"pyproject.toml": f"{TABLE}enable = [1]\n"},
            "pyproject.toml:2: enable: [1] is not a list of texts",
        ),
        ({"pyproject.toml": f"{TABLE}root = ['a']\n"}, "pyproject.toml:2: root: ['a'] is not a text"),
        ({"pyproject.toml": f"{TABLE}no-cache = 3\n"}, "pyproject.toml:2: no-cache: '3' is neither true"),
        (
            {"setup.cfg": "[flake8]\nckpt-output-format = sariff\n"},
            "setup.cfg:2: ckpt-output-format: 'sariff' is none of text, concise, json, ",
        ),
        (
            {"pyproject.toml": f"{TABLE}no-summary = 'perhaps'\n"},
            "pyproject.toml:2: no-summary: 'perhaps' is neither true",
        ),
        ({"pyproject.toml": f"{TABLE}jobs = \n"}, "pyproject.toml: [tool.flake8-ckpt] cannot be read: "),
        (
            {"pyproject.toml": "[tool]\nflake8-ckpt = 3\n"},
            "pyproject.toml: [tool.flake8-ckpt] is not a table",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_setting_that_makes_no_sense_has_a_place(project: Path, files: Mapping[str, str], place: str) -> None:
    found = here(write(project, files), "check")
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert found.err.startswith(f"flake8-ckpt: error: {place}")


def test_setting_of_an_appended_configuration_has_its_place(project: Path) -> None:
    write(project, {"setup.cfg": "[flake8]\nckpt-jobs = 2\n", "ci/more.cfg": "[flake8]\n\nckpt-jobs = 0\n"})
    found = here(project, "check", "--append-config=ci/more.cfg")
    assert found.err == "flake8-ckpt: error: ci/more.cfg:3: ckpt-jobs: '0' is not a positive number\n"


def test_flake8_says_the_same(project: Path) -> None:
    found = flake8(write(project, {"setup.cfg": "[flake8]\nckpt-jobs = many\n"}))
    assert found.out.splitlines()[1] == "setup.cfg:2: ckpt-jobs: 'many' is not a positive number"
    assert (found.code, found.err) == (1, "")


@pytest.mark.parametrize("name", ["pyproject.toml", "sub/pyproject.toml"])
def test_pyproject_that_is_not_for_us_is_left_alone(project: Path, name: str) -> None:
    for text in (
        "[tool.other]\njobs = 'x'\n",
        "dependencies = ['flake8-ckpt'\n",
        "[tool.flake8-ckpt-x]\na = 1\n",
    ):
        write(project, {name: text})
        assert codes(project) == ["a.py CKP101"]


def test_command_line_wins_over_flake8_and_that_over_pyproject(project: Path) -> None:
    write(project, {"pyproject.toml": f"{TABLE}enable = ['CKP110']\nexclude = 'gen/*,old'\n"})
    assert codes(project) == ["a.py CKP101", "warm.py CKP110"]
    assert codes(project, "--isolated") == ["a.py CKP101"]
    write(project, {"setup.cfg": "[flake8]\nckpt-enable = CKP112\n"})
    assert codes(project) == ["a.py CKP101"]
    assert codes(project, "--ckpt-enable=CKP110") == ["a.py CKP101", "warm.py CKP110"]


def test_format_of_the_configuration_is_that_of_check_alone(project: Path) -> None:
    write(project, {"setup.cfg": "[flake8]\nckpt-output-format = github\nckpt-no-summary = true\n"})
    found = here(project, "check")
    assert (found.out[:16], found.err) == ("::warning file=a", "")
    assert here(project, "check", "--output-format=concise").codes == ["a.py CKP101"]
    assert here(project, "contract").out.startswith("No checkpoint found")
    assert "CKP101" in flake8(project).out


def test_format_of_flake8_wins_over_that_of_pyproject(project: Path) -> None:
    write(project, {"pyproject.toml": f"{TABLE}output-format = 'json'\nno-summary = false\n"})
    found = here(project, "check")
    assert found.out.startswith("[") and "flake8-ckpt: " not in found.err
    write(project, {"setup.cfg": "[flake8]\nckpt_output_format: concise\n"})
    found = here(project, "check")
    assert found.codes == ["a.py CKP101"] and found.err


def test_style_of_buffers_is_set_for_fix(project: Path) -> None:
    write(project, {"pyproject.toml": f"{TABLE}buffer-style = 'nn.Buffer'\n"})
    asked = ("fix", "--diff", "--unsafe-fixes", "a.py")
    assert "nn.Buffer(" in here(project, *asked).out
    assert "register_buffer(" in here(project, *asked, "--buffer-style=register_buffer").out


def test_flake8_reads_pyproject_too(project: Path) -> None:
    write(project, {"pyproject.toml": f"{TABLE}enable = ['CKP110']\nexclude = ['a.py']\nno-cache = true\n"})
    assert flake8(project, "--select=CKP").codes == ["warm.py CKP110"] == codes(project)
    assert not (project / ".flake8_ckpt_cache").exists()


def test_paths_of_pyproject_begin_beside_it(project: Path) -> None:
    write(project, {"pyproject.toml": f"{TABLE}root = 'sub'\ncache_dir = 'cache'\nexclude = ['sub/gen/*']\n"})
    write(project, {"sub/deep/a.py": NORMALIZER, "sub/gen/b.py": NORMALIZER})
    assert codes(project / "sub" / "deep") == ["a.py CKP101"]
    assert codes(project, "sub") == ["sub/deep/a.py CKP101"]
    assert len([*(project / "cache").iterdir()]) == 1


def test_folder_of_pyproject_is_the_root(project: Path) -> None:
    write(project, {"pyproject.toml": TABLE, "sub/pyproject.toml": "", "sub/b.py": CLEAN})
    here(project / "sub", "check")
    assert (project / ".flake8_ckpt_cache").exists() and not (project / "sub" / ".flake8_ckpt_cache").exists()


def test_selection_of_other_codes_does_not_silence_our_command(project: Path) -> None:
    write(project, {"setup.cfg": "[flake8]\nselect = E,F\n"})
    assert codes(project) == ["a.py CKP101"]
    assert codes(project, "--select=E") == []
    assert codes(project, "--extend-ignore=CKP1") == []


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--select=CKP"], True),
        (["--select=CKP2"], True),
        (["--select=CKP101", "--ignore=E"], True),
        (["--extend-ignore=E"], True),
        (["--select=CKP", "--ignore=E999,CKP001"], False),
        (["--select=W"], False),
    ],
    ids=str,
)
def test_file_that_cannot_be_parsed_is_always_said_once(
    project: Path, arguments: list[str], shown: bool
) -> None:
    write(project, {"bad.py": BROKEN})
    theirs = flake8(project, *arguments, "bad.py").out
    ours = here(project, "check", "--no-summary", *arguments, "bad.py").out
    assert ("E999" in theirs, "CKP001" in theirs) == (shown, False)
    assert ("CKP001" in ours, "E999" in ours) == (shown, False)


def test_settings_say_where_they_come_from(project: Path) -> None:
    write(
        project,
        {
            "setup.cfg": "[flake8]\nselect = CKP\n",
            "pyproject.toml": f"{TABLE}enable = ['CKP110']\nno-summary = true\n",
        },
    )
    found = here(project, "check", "--show-settings", "--ckpt-jobs=3", "--output-format=text")
    rows = {line.split()[0]: line.split()[1:] for line in found.out.splitlines()}
    assert (found.code, found.err) == (0, "")
    assert rows["project"] == [project.as_posix(), "the", "folder", "of", "the", "configuration"]
    assert rows["ckpt-enable"] == ["CKP110", "pyproject.toml:2"]
    assert rows["ckpt-jobs"] == ["3", "--ckpt-jobs"]
    assert rows["ckpt-output-format"] == ["text", "--output-format"]
    assert rows["ckpt-no-summary"] == ["True", "pyproject.toml:3"]
    assert rows["select"] == ["CKP", "setup.cfg:2"]
    assert (rows["ckpt-exclude"], rows["baseline"]) == (["-", "default"], ["none"])
    here(project, "baseline", "--write")
    (row,) = re.findall(r"^baseline .*$", here(project, "check", "--show-settings").out, re.MULTILINE)
    assert row.split() == ["baseline", ".flake8_ckpt_baseline.json", "2", "known"]


@pytest.mark.parametrize(
    "command", [["rules"], ["explain", "CKP101"], ["demo"], ["check"], ["check", "--output-format=text"]]
)
def test_console_that_cannot_show_every_character(project: Path, command: list[str]) -> None:
    write(project, {"a.py": NORMALIZER.replace("mean", "\u03bcean")})
    found = run(project, "-m", "flake8_ckpt", *command, env={"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"})
    assert found.code in (0, 1) and "Traceback" not in found.err and found.out
