"""Mutants are small, valid and other programs; each dies or lives as the tests of a made-up project say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.mutants import EQUIVALENT
from benchmarks.mutants import EQUIVALENTS
from benchmarks.mutants import KILLED
from benchmarks.mutants import SURVIVED
from benchmarks.mutants import TIMEOUT
from benchmarks.mutants import Verdict
from benchmarks.mutants import read_equivalents
from benchmarks.mutants import summary
from benchmarks.mutations import is_other_program
from benchmarks.mutations import mutants_of

ROOT = Path(__file__).parent.parent
EDITS = {
    "if a > 0: b()": ["if (a >= 0): b()", "if a > 1: b()", "if (not a > 0): b()", "if a > 0: pass"],
    "x = a and not b": ["x = (a or not b)", "x = a", "x = (not b)", "x = a and b"],
    "x = a if b else c": ["x = a if (not b) else c"],
    "x = [a for a in b if a]": ["x = [a for a in b if (not a)]"],
    "x = any(a in b for a in c)": ["x = all(a in b for a in c)", "x = any((a not in b) for a in c)"],
    'NAMES = frozenset(["a", "b"])': ["NAMES = frozenset(['b'])", "NAMES = frozenset(['a'])"],
    "x = isinstance(a, (b, c))": ["x = isinstance(a, (c,))", "x = isinstance(a, (b,))"],
    'x = a == "key"': ["x = (a != 'key')", "x = a == ''"],
    "for a in b:\n    if a: continue\n    c = a": ["pass", "if (not a): continue"],
    "def f():\n    yield a": ["pass"],
}
ALONE = [
    'x = "a text for people"',
    'def f(a: "Type" = None) -> "Type":\n    """A docstring."""\n    return a',
    "@dataclass(frozen=True)\nclass A:\n    a: Literal[1, 2]",
    'x = f"{a} is not {b and c}"',
    "from a import b",
    'raise ValueError("text")',
    'x = cast("Type", a)',
    "A, B = a",
]
GUARDED = "def is_positive(number):\n    return number > 0\n"
TESTED = """
from flake8_ckpt.rules.sign import is_positive


def test_sign():
    assert not is_positive(0)
    assert is_positive({number})
"""
# Who imports a table first does not need it; the test that does is in another file.
TABLE = """
LIMIT = 5


def is_small(number):
    return number < LIMIT
"""
FIRST = """
def test_first():
    import flake8_ckpt.rules.table
"""
SECOND = """
def test_second():
    from flake8_ckpt.rules.table import is_small

    assert is_small(4) and not is_small(5)
"""


@pytest.mark.parametrize("source", EDITS)
def test_edits_of_a_statement(source: str) -> None:
    found = mutants_of("a.py", source.encode())
    assert sorted(each.diff(source.encode())[1] for each in found) == sorted(EDITS[source])
    assert all(is_other_program(each, source.encode()) for each in found)


@pytest.mark.parametrize("source", ALONE)
def test_what_does_not_run_is_left_alone(source: str) -> None:
    assert mutants_of("a.py", source.encode()) == []


def test_place_counts_bytes() -> None:
    (mutant,) = mutants_of("a.py", 'class A:\n    é = "ä b"; y = not é\n'.encode())
    assert mutant.applied('class A:\n    é = "ä b"; y = not é\n'.encode()).decode().endswith("y = é\n")
    assert (mutant.line, mutant.scope, mutant.operator) == (2, "A", "drop not")


def test_same_program_and_no_program_are_no_mutants() -> None:
    source = b"x = not y\n"
    (mutant,) = mutants_of("a.py", source)
    assert is_other_program(mutant, source)
    assert not any(is_other_program(replace(mutant, text=text), source) for text in ("(not y)", "not"))


def test_listed_equivalents_are_still_mutants() -> None:
    listed = read_equivalents(EQUIVALENTS.read_text(encoding="utf-8"))
    known = {path: {each.key for each in mutants_of(path, (ROOT / path).read_bytes())} for path, *_ in listed}
    assert [key for key in listed if key not in known[key[0]]] == []
    assert all(listed.values()), "an equivalent without a reason"


def project(folder: Path, number: int) -> Path:
    """Write a project with one guard, a test that tries a number, and the script."""
    for name, text in {
        "flake8_ckpt/__init__.py": "",
        "flake8_ckpt/rules/__init__.py": "",
        "flake8_ckpt/rules/sign.py": GUARDED,
        "tests/__init__.py": "",
        "tests/rules/__init__.py": "",
        "tests/rules/test_sign.py": TESTED.format(number=number),
        "benchmarks/equivalents.txt": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("__init__", "mutants", "mutations", "reached", "table"):
        shutil.copy(ROOT / "benchmarks" / f"{name}.py", folder / "benchmarks")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def judged(folder: Path) -> tuple[int, str]:
    """Run the script on all mutants of a project."""
    command = [sys.executable, "-m", "benchmarks.mutants", "rules", "--at-least", "100", "--jobs", "1"]
    # The made-up project needs no plugin of pytest; to load those that are installed takes most of the time.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_guard_that_no_test_needs_is_shown(tmp_path: Path) -> None:
    folder = project(tmp_path, 3)
    code, text = judged(folder)
    key = "flake8_ckpt/rules/sign.py :: is_positive :: change constant :: 1"
    assert (code, text.count("survived after")) == (1, 1)
    assert f"flake8_ckpt/rules/sign.py:2 survived after 1 cases\n{key}\n- return number > 0\n" in text
    assert (folder / "flake8_ckpt/rules/sign.py").read_text(encoding="utf-8") == GUARDED


def test_table_belongs_to_the_tests_that_use_it(tmp_path: Path) -> None:
    folder = project(tmp_path, 1)
    (folder / "flake8_ckpt/rules/table.py").write_text(TABLE, encoding="utf-8")
    (folder / "tests/rules/test_a_first.py").write_text(FIRST, encoding="utf-8")
    (folder / "tests/rules/test_b_second.py").write_text(SECOND, encoding="utf-8")
    code, text = judged(folder)
    assert (code, "survived after" in text) == (0, False), text


def test_equivalents_do_not_count() -> None:
    (mutant,) = mutants_of("flake8_ckpt/rules/sign.py", b"x = not y\n")
    verdicts = [Verdict(mutant, outcome, 1, ("", "")) for outcome in (KILLED, TIMEOUT, SURVIVED, EQUIVALENT)]
    assert summary(["rules"], verdicts).splitlines()[2].split()[1::2] == "rules 1 1 1 1 66.7%".split()
    (reason,) = read_equivalents("# Nobody asks for it.\n" + " :: ".join(mutant.key)).items()
    assert reason == (mutant.key, "Nobody asks for it.")


def test_failing_tests_end_the_run(tmp_path: Path) -> None:
    assert judged(project(tmp_path, 0))[0] == 2
