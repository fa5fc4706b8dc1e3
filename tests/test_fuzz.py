"""Programs that nobody has written: none makes us fail, costs too much, or changes its facts in the cache."""

from __future__ import annotations

import random
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings

from benchmarks.fuzzing.damage import damaged
from benchmarks.fuzzing.damage import rearranged
from benchmarks.fuzzing.damage import regrown
from benchmarks.fuzzing.programs import program
from benchmarks.fuzzing.programs import programs
from benchmarks.fuzzing.trial import lint
from benchmarks.fuzzing.trial import try_out

DEMO = Path(__file__).parent.parent / "flake8_ckpt" / "demo"
EXAMPLES = [path.read_bytes() for path in sorted(DEMO.rglob("*.py"))]
QUIET = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with nothing in it, which has been linted once: what is imported then is no cost of a file."""
    folder = tmp_path_factory.mktemp("root")
    assert try_out({"first.py": EXAMPLES[0]}, folder).faults == ()
    return folder


def regrown_bytes(data: bytes, dice: random.Random, other: bytes) -> bytes:
    return regrown(data.decode(), dice, other.decode()).encode()


@pytest.mark.parametrize(("change", "count"), [(damaged, 180), (rearranged, 170), (regrown_bytes, 100)])
def test_damaged_examples(
    root: Path, change: Callable[[bytes, random.Random, bytes], bytes], count: int
) -> None:
    dice = random.Random(0)
    for _ in range(count):
        data, other = dice.choices(EXAMPLES, k=2)
        changed = data
        with suppress(SyntaxError, ValueError, AttributeError, TypeError):
            changed = change(data, dice, other)
        trial, _ = lint({"input.py": changed}, root)
        assert trial.faults == (), changed


def test_many_programs(root: Path) -> None:
    dice = random.Random(0)
    found = 0
    for _ in range(38):
        files = program(dice)
        trial, _ = lint(files, root)
        found += trial.findings
        assert trial.faults == (), files
    assert found, "the programs hold nothing that a rule speaks of"


@settings(QUIET, max_examples=12)
@given(files=programs())
def test_programs_that_hypothesis_can_make_small(root: Path, files: Mapping[str, bytes]) -> None:
    assert try_out(files, root).faults == ()
