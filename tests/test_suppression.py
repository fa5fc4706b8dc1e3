"""Comments and the baseline hide what they name, in both front ends, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.front_end import NORMALIZER
from tests.front_end import Run
from tests.front_end import both
from tests.front_end import flake8
from tests.front_end import here
from tests.front_end import run
from tests.front_end import write
from tests.test_plugin import DRIVER

ASSIGNMENT = "        self.mean = torch.zeros(size)\n"
CONTINUED = "        self.mean = \\\n            torch.zeros(size)\n"
NAME = ".flake8_ckpt_baseline.json"


def commented(comment: str, text: str = NORMALIZER) -> str:
    return text.replace("zeros(size)", f"zeros(size)  # {comment}")


def check(folder: Path, *arguments: str) -> Run:
    return here(folder, "check", "--no-summary", *arguments)


@pytest.mark.parametrize(
    "comment",
    [
        "ckpt: ignore[unregistered-tensor-state]",
        "ckpt: ignore[CKP101]",
        "ckpt:ignore[ CKP201 , ckp1 ]",
        "CKPT: Ignore[Unregistered_Tensor_State]  # because",
    ],
)
def test_comment_silences_the_rules_it_names(tmp_path: Path, comment: str) -> None:
    assert check(write(tmp_path, {"a.py": commented(comment)})).out == ""


@pytest.mark.parametrize(
    "comment",
    ["ckpt: ignore", "ckpt: ignore[]", "ckpt: ignore[CKP102]", "ckpt: ignore[mean]", "ckpt: ignore[]CKP101"],
)
def test_comment_that_names_another_rule_silences_nothing(tmp_path: Path, comment: str) -> None:
    assert check(write(tmp_path, {"a.py": commented(comment)})).codes == ["a.py CKP101"]


def test_both_front_ends_take_comments(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": commented("ckpt: ignore[CKP101]"), "b.py": NORMALIZER})
    write(
        tmp_path,
        {"c.py": commented("ckpt: ignore[CKP102]"), "d.py": NORMALIZER.replace(ASSIGNMENT, CONTINUED)},
    )
    write(tmp_path, {"d.py": commented("ckpt: ignore[CKP101]", NORMALIZER.replace(ASSIGNMENT, CONTINUED))})
    assert both(tmp_path, "--select=CKP").codes == ["b.py CKP101", "c.py CKP101"]
    assert both(tmp_path, "--select=CKP", "--disable-noqa").out.count("CKP101") == 4


def test_comment_leaves_other_lines_alone(tmp_path: Path) -> None:
    text = NORMALIZER.replace("super().__init__()", "super().__init__()  # ckpt: ignore[CKP101]")
    assert check(write(tmp_path, {"a.py": text})).codes == ["a.py CKP101"]


@pytest.mark.parametrize(
    ("comment", "hint"),
    [
        (
            "noqa: unregistered-tensor-state",
            "write # noqa: CKP101 or # ckpt: ignore[unregistered-tensor-state]",
        ),
        ("noqa:unregistered_tensor_state, E501", "silences every rule of flake8 here"),
        ("ckpt: ignore", "silences nothing without a rule"),
        ("ckpt: ignore[unregistered]", "names no rule 'unregistered'"),
    ],
)
def test_comment_that_misleads_gets_a_hint(tmp_path: Path, comment: str, hint: str) -> None:
    found = here(write(tmp_path, {"a.py": commented(comment)}), "check")
    assert hint in found.err and "./a.py:8: " in found.err


@pytest.mark.parametrize(
    "comment", ["noqa", "noqa: CKP101", "noqa: CKP101 unregistered", "ckpt: ignore[CKP101]"]
)
def test_comment_that_does_what_it_says_gets_none(tmp_path: Path, comment: str) -> None:
    assert "note" not in here(write(tmp_path, {"a.py": commented(comment)}), "check").err


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return an old project with two findings, and a baseline that knows them."""
    folder = write(tmp_path / "old", {"a.py": NORMALIZER, "pkg/b.py": NORMALIZER, "setup.cfg": ""})
    assert here(folder, "baseline", "--write").out == f"{NAME}: 2 findings in 2 files\n"
    return folder


def entries(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / NAME).read_text())["findings"]
    return found


def test_both_front_ends_know_the_baseline(old: Path) -> None:
    assert both(old, "--select=CKP").out == ""
    write(old, {"new.py": NORMALIZER})
    assert both(old, "--select=CKP").codes == ["new.py CKP101"]
    assert both(old, "--select=CKP", "-j2", "--ckpt-no-baseline").out.count("CKP101") == 3


def test_workers_that_are_started_anew_know_the_baseline(old: Path) -> None:
    write(old, {"new.py": NORMALIZER, "../driver.py": DRIVER})
    found = run(old, "../driver.py", "spawn", "--select=CKP", "-j2", "a.py", "new.py", "pkg/b.py")
    assert (found.codes, found.err) == (["new.py CKP101"], "")


def test_baseline_of_a_subfolder_is_that_of_the_root(old: Path) -> None:
    assert check(old / "pkg").out == ""


def test_baseline_survives_moved_lines_and_new_ones_of_the_same_kind(old: Path) -> None:
    write(old, {"a.py": f"# moved\n\n\n{NORMALIZER}"})
    assert check(old).out == ""
    write(old, {"a.py": NORMALIZER.replace("Normalizer", "Other") + NORMALIZER})
    assert check(old).codes == ["a.py CKP101"]


def test_baseline_names_what_it_holds(old: Path) -> None:
    first, _ = entries(old)
    assert {**first, "fingerprint": ""} == {
        "path": "a.py",
        "code": "CKP101",
        "fingerprint": "",
        "class": "Normalizer",
        "symbol": "Normalizer.__init__",
        "name": "mean",
    }
    assert "message" not in first and "line" not in first
    assert len((old / NAME).read_text().splitlines()) == 4


def test_prune_drops_what_is_gone_and_adds_nothing(old: Path) -> None:
    write(old, {"a.py": "", "new.py": NORMALIZER})
    assert here(old, "baseline", "--prune").out == f"{NAME}: 1 finding in 1 file, 1 finding gone\n"
    assert check(old).codes == ["new.py CKP101"]


def test_baseline_follows_a_file_that_is_renamed(old: Path) -> None:
    (old / "a.py").rename(old / "pkg/c.py")
    assert both(old, "--select=CKP").out == ""
    write(old, {"pkg/c.py": NORMALIZER + NORMALIZER.replace("Normalizer", "Other")})
    assert both(old, "--select=CKP", "-j2").codes == ["pkg/c.py CKP101"]
    assert here(old, "baseline", "--write", "pkg/b.py").out == f"{NAME}: 2 findings in 2 files\n"
    assert here(old, "baseline", "--prune").out == f"{NAME}: 2 findings in 2 files\n"
    assert [each["path"] for each in entries(old)] == ["pkg/b.py", "pkg/c.py"]
    assert check(old).codes == ["pkg/c.py CKP101"]


def test_baseline_follows_files_that_keep_their_names(old: Path) -> None:
    (old / "lib").mkdir()
    (old / "a.py").rename(old / "lib/a.py")
    (old / "pkg/b.py").rename(old / "lib/b.py")
    assert both(old, "--select=CKP").out == ""


def test_baseline_does_not_guess_which_file_was_renamed(old: Path) -> None:
    (old / "a.py").rename(old / "x.py")
    (old / "pkg/b.py").rename(old / "y.py")
    assert check(old).codes == ["x.py CKP101", "y.py CKP101"]


def test_baseline_does_not_take_a_copy_or_another_loss_for_a_renamed_file(old: Path) -> None:
    write(old, {"copy.py": NORMALIZER})
    assert check(old).codes == ["copy.py CKP101"]
    (old / "a.py").unlink()
    write(old, {"copy.py": NORMALIZER.replace("mean", "average")})
    assert check(old).codes == ["copy.py CKP101"]
    write(old, {"copy.py": NORMALIZER.replace("Normalizer", "Other")})
    assert check(old).codes == ["copy.py CKP101"]


def test_one_file_is_not_taken_for_two(old: Path) -> None:
    (old / "a.py").unlink()
    (old / "pkg/b.py").rename(old / "new.py")
    assert check(old).codes == ["new.py CKP101"]


def test_paths_leave_the_rest_of_the_baseline_as_it_is(old: Path) -> None:
    write(old, {"a.py": "", "new.py": NORMALIZER})
    here(old, "baseline", "--write", "new.py")
    assert [each["path"] for each in entries(old)] == ["a.py", "new.py", "pkg/b.py"]
    (old / "a.py").unlink()
    here(old, "baseline", "--write", "new.py")
    assert [each["path"] for each in entries(old)] == ["new.py", "pkg/b.py"]


def test_file_that_cannot_be_read_keeps_its_findings_and_is_not_hidden(old: Path) -> None:
    write(old, {"a.py": "def f(:\n"})
    found = here(old, "baseline", "--write")
    assert "a.py cannot be parsed" in found.err
    assert [each["path"] for each in entries(old)] == ["a.py", "pkg/b.py"]
    assert check(old).codes == ["a.py CKP001"]


def test_baseline_leaves_out_what_is_hidden_already(tmp_path: Path) -> None:
    write(
        tmp_path, {"a.py": commented("noqa"), "b.py": commented("ckpt: ignore[CKP101]"), "c.py": NORMALIZER}
    )
    here(tmp_path, "baseline", "--write", "--per-file-ignores=c.py:CKP")
    assert entries(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "<<<<<<< HEAD\n",
        '{"version": 2, "findings": []}',
        '{"version": 1, "findings": [{}]}',
        "\udcff",
    ],
    ids=["empty", "list", "conflict", "newer", "no entry", "no text"],
)
def test_broken_baseline_is_one_line_and_hides_nothing(old: Path, text: str) -> None:
    write(old, {NAME: text.encode("utf-8", "surrogateescape")})
    found = check(old)
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert NAME in found.err and "flake8-ckpt baseline --write" in found.err
    assert here(old, "baseline", "--prune").code == here(old, "baseline", "--write", "a.py").code == 2
    assert here(old, "baseline", "--write").code == 0
    assert check(old).code == 0


def test_flake8_refuses_a_broken_baseline_as_it_does_options(old: Path) -> None:
    write(old, {NAME: "{"})
    found = flake8(old, "--select=CKP")
    assert (found.code, len(found.out.splitlines()), found.err) == (1, 2, "")
    assert found.out.splitlines()[1].startswith(f"baseline {old / NAME}: is not a baseline")


def test_baseline_that_was_named_must_be_there(old: Path) -> None:
    write(old, {"setup.cfg": "[flake8]\nckpt-baseline = ci/known.json\n"})
    assert check(old).err == (
        f"flake8-ckpt: error: baseline {old}/ci/known.json: is not there:"
        " mend it, or write it with flake8-ckpt baseline --write\n"
    )
    (old / "ci").mkdir()
    assert here(old, "baseline", "--write").out == "ci/known.json: 2 findings in 2 files\n"
    assert check(old).out == ""


def test_configuration_cannot_name_a_baseline_outside_to_be_written(old: Path, tmp_path: Path) -> None:
    write(old, {"setup.cfg": "[flake8]\nckpt-baseline = ../known.json\n"})
    found = here(old, "baseline", "--write")
    assert (found.code, (tmp_path / "known.json").exists()) == (2, False)
    (old / "setup.cfg").write_text("")
    (old / NAME).unlink()
    (old / NAME).symlink_to(tmp_path / "known.json")
    assert (here(old, "baseline", "--write").code, (tmp_path / "known.json").exists()) == (2, False)
    assert here(old, "baseline", "--write", f"--ckpt-baseline={tmp_path}/known.json").code == 0


@pytest.mark.parametrize("place", ["/proc/known.json", "pkg"])
def test_baseline_that_cannot_be_written(old: Path, place: str) -> None:
    found = here(old, "baseline", "--write", f"--ckpt-baseline={place}")
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert [path.name for path in old.iterdir() if path.suffix == ".tmp"] == []


def test_baseline_wants_to_know_what_to_do(old: Path) -> None:
    found = here(old, "baseline")
    assert (found.code, found.err.count("\n"), "--prune" in found.err) == (2, 1, True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (NORMALIZER, "        self.mean = torch.zeros(size)  # noqa: CKP101"),
        (NORMALIZER.rstrip("\n"), "        self.mean = torch.zeros(size)  # noqa: CKP101"),
        (commented("why"), "        self.mean = torch.zeros(size)  # why  # noqa: CKP101"),
        (
            commented("noqa: E501, W291 "),
            "        self.mean = torch.zeros(size)  # noqa: E501, W291, CKP101 ",
        ),
        (NORMALIZER.replace(ASSIGNMENT, CONTINUED), "            torch.zeros(size)  # noqa: CKP101"),
        (
            NORMALIZER.replace(ASSIGNMENT, "        self.mean = torch.zeros(\n            size\n        )\n"),
            "        self.mean = torch.zeros(  # noqa: CKP101",
        ),
    ],
    ids=["plain", "no newline at the end", "comment", "noqa", "continued", "several lines"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_noqa_is_added_where_flake8_looks(tmp_path: Path, text: str, line: str, newline: str) -> None:
    data = b"\xef\xbb\xbf" + text.replace("\n", newline).encode()
    write(tmp_path, {"a.py": data}).joinpath("a.py").chmod(0o640)
    assert here(tmp_path, "baseline", "--add-noqa").out == "1 finding in 1 file silenced with '# noqa'\n"
    assert check(tmp_path).out == ""
    after = (tmp_path / "a.py").read_bytes()
    assert line.encode() in after.split(newline.encode())
    assert after.replace(b", CKP101", b"").replace(b"  # noqa: CKP101", b"") == data
    assert (tmp_path / "a.py").stat().st_mode & 0o777 == 0o640


def test_noqa_is_not_added_through_a_link(tmp_path: Path) -> None:
    write(tmp_path, {"real/a.txt": NORMALIZER, "pkg/setup.cfg": ""})
    (tmp_path / "pkg" / "a.py").symlink_to("../real/a.txt")
    found = here(tmp_path / "pkg", "baseline", "--add-noqa")
    assert (found.code, found.err.count("left as it was")) == (2, 1)
    assert (tmp_path / "real" / "a.txt").read_text() == NORMALIZER
