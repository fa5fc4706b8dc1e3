"""When a project is asked again: the same answer at once, and never an old one."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flake8_ckpt import engine
from flake8_ckpt.engine import Analysis
from flake8_ckpt.index.survey import CHANGED
from flake8_ckpt.index.verdicts import code_looks
from flake8_ckpt.options import Options
from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import WARM_UP
from tests.front_end import flake8
from tests.front_end import run
from tests.front_end import write

LOADED = """\
import sys
from contextlib import suppress

from flake8_ckpt.cli import main

with suppress(SystemExit):
    main(sys.argv[1:])
print(*sorted(name for name in sys.modules if name.startswith(("flake8_ckpt", "libcst", "rich"))), file=sys.stderr)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of two files that need each other, and one that cannot be parsed."""
    return write(tmp_path, {"policy.py": POLICY, "base.py": BASE, "broken.py": "def", "setup.cfg": ""})


def analyze(root: Path, *asked: str, **options: Any) -> Analysis:
    return engine.analyze(root, Options(**options), paths=asked)


def found(analysis: Analysis) -> list[str]:
    return [f"{each.path} {each.code}" for path in analysis.candidates for each in analysis.candidates[path]]


def is_new(analysis: Analysis) -> bool:
    """Say whether the project had to be linked."""
    return analysis.index is not None


def test_unchanged_project_is_not_linked_again(root: Path) -> None:
    first, second = analyze(root), analyze(root)
    assert (is_new(first), is_new(second)) == (True, False)
    assert found(first) == found(second) == ["broken.py CKP001", "policy.py CKP101"]
    assert second.broken == first.broken
    assert list(second.broken) == ["broken.py"]


def test_change_of_a_file_elsewhere_changes_the_verdict(root: Path) -> None:
    analyze(root)
    write(root, {"base.py": BASE.replace("nn.Module", "object")})
    assert "policy.py CKP101" not in found(analyze(root))


def test_change_back_is_right_again(root: Path) -> None:
    first = found(analyze(root))
    write(root, {"base.py": BASE.replace("nn.Module", "object")})
    analyze(root)
    write(root, {"base.py": BASE})
    assert found(analyze(root)) == first


@pytest.mark.parametrize("change", ["new", "gone", "moved"])
def test_other_files_mean_another_verdict(root: Path, change: str) -> None:
    analyze(root)
    if change == "new":
        write(root, {"new.py": NORMALIZER})
    elif change == "gone":
        (root / "policy.py").unlink()
    else:
        (root / "policy.py").rename(root / "agent.py")
    again = found(analyze(root))
    assert ("new.py CKP101" in again, "policy.py CKP101" in again) == (change == "new", change == "new")


def test_file_outside_of_the_project_that_is_asked_about_counts(root: Path) -> None:
    write(root, {".hidden/more.py": NORMALIZER})
    analyze(root)
    assert ".hidden/more.py CKP101" in found(analyze(root, ".hidden/more.py"))
    assert ".hidden/more.py CKP101" not in found(analyze(root))


def test_other_options_mean_another_verdict(root: Path) -> None:
    write(root, {"warm_up.py": WARM_UP})
    assert "warm_up.py CKP110" not in found(analyze(root))
    assert "warm_up.py CKP110" in found(analyze(root, enable=("CKP110",)))
    assert "warm_up.py CKP110" not in found(analyze(root))


def test_module_bases_of_the_user_mean_another_verdict(root: Path) -> None:
    text = NORMALIZER.replace("nn.Module", "lib.Base").replace("import torch", "import lib, torch", 1)
    write(root, {"outside.py": text})
    assert "outside.py CKP101" not in found(analyze(root))
    assert "outside.py CKP101" in found(analyze(root, module_bases=("lib.Base",)))


def test_two_ways_to_ask_each_keep_their_verdict(root: Path) -> None:
    analyze(root), analyze(root, enable=("ALL",))
    assert not is_new(analyze(root))
    assert not is_new(analyze(root, enable=("ALL",)))


def test_ways_to_ask_are_forgotten_after_a_while(root: Path) -> None:
    for base in "abcdef":
        analyze(root, module_bases=(f"lib.{base}",))
    assert len(list((root / ".flake8_ckpt_cache").glob("verdict-*"))) == 4
    assert not is_new(analyze(root, module_bases=("lib.f",)))
    assert is_new(analyze(root, module_bases=("lib.a",)))


def test_without_a_cache_nothing_is_kept(root: Path) -> None:
    assert is_new(analyze(root, no_cache=True)) and is_new(analyze(root, no_cache=True))
    assert not (root / ".flake8_ckpt_cache").exists()


def test_unsaved_text_gets_no_old_verdict_and_leaves_none(root: Path) -> None:
    analyze(root)
    changed = engine.analyze(root, Options(), replaced={"policy.py": CLEAN.encode()})
    assert "policy.py CKP101" not in found(changed)
    assert "policy.py CKP101" in found(analyze(root))


def test_unsaved_text_after_a_verdict(root: Path) -> None:
    """A worker of flake8 looks a file up whose text is not that of the disk."""
    analyze(root)
    known = analyze(root)
    changed = engine.replace_file(known, Options(), "base.py", BASE.replace("nn.Module", "object").encode())
    assert (is_new(known), "policy.py CKP101" in found(changed)) == (False, False)


def test_file_that_changed_in_mid_run_leaves_no_verdict(root: Path) -> None:
    def change(done: int, total: int) -> None:
        write(root, {"policy.py": CLEAN, "base.py": BASE + "\n"})

    during = engine.analyze(root, Options(), progress=change)
    assert CHANGED in during.broken.values()
    write(root, {"policy.py": POLICY, "base.py": BASE})
    assert "policy.py CKP101" in found(analyze(root))


def test_ranges_are_asked_of_libcst_once(root: Path) -> None:
    asked = engine.findings_in(analyze(root, "policy.py"), "policy.py")
    again = analyze(root, "policy.py")
    assert again.confirmed["policy.py"] == asked
    assert all(each.exact for each in asked.findings)


def test_ranges_of_a_file_that_was_not_asked_about_come_later(root: Path) -> None:
    assert not analyze(root, "base.py").confirmed
    assert all(each.exact for each in engine.findings_in(analyze(root), "policy.py").findings)
    assert (
        list(analyze(root, "policy.py").confirmed)
        == list(analyze(root, "base.py").confirmed)
        == ["policy.py"]
    )


def test_unchanged_project_loads_neither_rules_nor_libcst(root: Path) -> None:
    cold = run(root, "-c", LOADED, "check", ".")
    warm = run(root, "-c", LOADED, "check", ".")
    assert (cold.code, cold.out) == (warm.code, warm.out)
    names = warm.err.split()
    assert [name for name in names if name.startswith(("libcst", "rich", "flake8_ckpt.rules"))] == []
    assert [name for name in names if name.startswith(("flake8_ckpt.facts", "flake8_ckpt.linking"))] == []


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_flake8_says_the_same_cold_and_warm(root: Path, jobs: str) -> None:
    cold, warm = flake8(root, "--select=CKP", jobs), flake8(root, "--select=CKP", jobs)
    assert (cold.codes, cold.code) == (warm.codes, warm.code)
    assert "policy.py CKP101" in cold.codes


def test_json_is_the_same_cold_and_warm(root: Path) -> None:
    arguments = ("-m", "flake8_ckpt", "check", "--output-format=json", "policy.py")
    cold, warm = run(root, *arguments), run(root, *arguments)
    assert json.loads(cold.out) == json.loads(warm.out) != []


def test_verdicts_about_few_files_are_kept_together(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FEW", 0)
    ask = partial(engine.analyze, root, Options())
    assert is_new(ask(about=["policy.py"])) and is_new(ask(about=["broken.py"]))
    assert not is_new(ask(about=["policy.py"])) and not is_new(ask(about=["policy.py", "broken.py"]))
    assert "policy.py CKP101" in found(ask(about=["policy.py", "broken.py"]))
    assert is_new(ask())
    assert not is_new(ask(about=["warm_up.py"]))


def test_verdict_about_few_files_says_nothing_of_others(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FEW", 0)
    analysis = engine.analyze(root, Options(), about=["base.py"])
    with pytest.raises(LookupError):
        engine.findings_in(analysis, "policy.py")


def test_file_without_functions_is_looked_at_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FEW", 0)
    analyze(root)
    write(root, {"settings.py": "SIZE = 3\n"})
    ask = partial(engine.analyze, root, Options(), about=["settings.py"])
    first, second = ask(), ask()
    assert (
        first.index is None
        and not first.candidates
        and first.about == second.about == frozenset(["settings.py"])
    )
    assert first.broken == second.broken == analyze(root).broken
    write(root, {"settings.py": NORMALIZER})
    assert "settings.py CKP101" in found(ask())
    write(root, {"settings.py": "def"})
    assert "settings.py CKP001" in found(ask())


def test_most_files_of_a_project_are_asked_about_as_all(root: Path) -> None:
    assert engine.analyze(root, Options(), about=["base.py", "policy.py"]).about is None


def test_verdict_of_another_state_of_our_code_is_not_taken(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyze(root)
    monkeypatch.setattr("flake8_ckpt.index.verdicts._our_version", lambda: "other")
    assert is_new(analyze(root))


def test_code_of_the_same_size_and_time_looks_different(tmp_path: Path) -> None:
    """Some installers give all files one time."""
    write(tmp_path, {"a.py": "x = 1\n"})
    os.utime(tmp_path / "a.py", (0, 0))
    before = code_looks(str(tmp_path))
    assert code_looks(str(tmp_path)) == before
    time.sleep(0.02)
    write(tmp_path, {"a.py": "x = 2\n"})
    os.utime(tmp_path / "a.py", (0, 0))
    assert code_looks(str(tmp_path)) != before


def test_unsaved_text_that_our_collector_fails_on_keeps_no_old_findings(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = analyze(root, no_cache=True)

    def fail(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("flake8_ckpt.facts.collect.collect_file", fail)
    changed = engine.replace_file(known, Options(), "policy.py", b"x = 1\n")
    assert (found(changed), [each.path for each in changed.faults]) == (["broken.py CKP001"], ["policy.py"])


def test_folder_that_becomes_a_package_means_another_verdict(root: Path) -> None:
    analyze(root)
    write(root, {"__init__.py": ""})
    assert is_new(analyze(root))
    write(root.parent, {"__init__.py": ""})
    assert is_new(analyze(root))


def test_file_that_cannot_be_read_means_another_verdict(root: Path) -> None:
    analyze(root)
    os.unlink(root / "base.py")
    os.symlink("nowhere.py", root / "base.py")
    assert "policy.py CKP101" not in found(analyze(root, "base.py"))
