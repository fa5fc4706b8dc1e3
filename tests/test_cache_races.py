"""Many runs at once, runs that are killed, and folders that go away: the same findings, and a cache that works."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flake8_ckpt import engine
from flake8_ckpt.engine import Analysis
from flake8_ckpt.index.folder import FOLDER
from flake8_ckpt.index.signature import KEY_VARIABLE
from flake8_ckpt.options import Options
from tests.front_end import BASE
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import flake8
from tests.front_end import is_restricted
from tests.front_end import write

FOUND = ["a.py CKP101", "policy.py CKP101"]
# A fork that looks at the files and asks the rules: a process of Python each would take a hundred times as long.
KILLS = 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of files that need each other."""
    return write(
        tmp_path / "root", {"a.py": NORMALIZER, "policy.py": POLICY, "base.py": BASE, "setup.cfg": ""}
    )


def found(analysis: Analysis) -> list[str]:
    return [f"{each.path} {each.code}" for path in analysis.candidates for each in analysis.candidates[path]]


def analyze(root: Path) -> Analysis:
    return engine.analyze(root, Options(), paths=("a.py", "policy.py"))


def test_eight_runs_at_once_on_a_cold_cache(root: Path, tmp_path: Path) -> None:
    """Nor has their user a key yet."""
    env = {"XDG_CACHE_HOME": str(tmp_path / "home"), KEY_VARIABLE: ""}
    with ThreadPoolExecutor(8) as threads:
        runs = list(threads.map(lambda _: flake8(root, "--select=CKP", "-j1", env=env), range(8)))
    assert [(sorted(each.codes), each.err) for each in runs] == [(FOUND, "")] * 8
    assert sorted(flake8(root, "--select=CKP", "-j1", env=env).codes) == FOUND
    names = [path.name for path in (root / FOLDER).iterdir()]
    assert [name for name in names if name.endswith(".tmp")] == []
    assert sum(name.startswith("facts-") for name in names) == 1
    assert os.listdir(tmp_path / "home" / "flake8-ckpt") == ["key"]


def killed_after(root: Path, seconds: float) -> bool:
    """Analyze in a fork that is killed after a while; say whether it was in the middle."""
    child = os.fork()
    if child == 0:
        try:
            analyze(root)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_runs_leave_neither_a_wrong_answer_nor_a_broken_cache(root: Path) -> None:
    dice = random.Random(0)
    # The first run also imports what the forks find in place.
    analyze(root)
    shutil.rmtree(root / FOLDER)
    begin = time.perf_counter()
    assert found(analyze(root)) == FOUND
    cold = time.perf_counter() - begin
    was_killed = 0
    for number in range(KILLS):
        is_clean = number % 2 == 0
        write(root, {"base.py": BASE.replace("nn.Module", "object") if is_clean else BASE})
        if number % 5 == 0:
            shutil.rmtree(root / FOLDER)
        was_killed += killed_after(root, number and dice.uniform(0, cold))
        assert found(analyze(root)) == (FOUND[:1] if is_clean else FOUND)
        assert analyze(root).index is None, "the cache does not work any more"
    assert was_killed


@pytest.mark.parametrize("steps", range(1, 12))
def test_run_that_is_killed_at_a_write(root: Path, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random moments seldom hit the few that matter: each call of the system that changes the folder."""
    left = steps

    def counted(name: str) -> None:
        real = getattr(os, name)

        def call(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(9)
            return real(*arguments, **options)

        monkeypatch.setattr(os, name, call)

    child = os.fork()
    if child == 0:
        try:
            for name in ("mkdir", "replace", "unlink"):
                counted(name)
            analyze(root)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    write(root, {"base.py": BASE.replace("nn.Module", "object")})
    assert found(analyze(root)) == FOUND[:1]
    assert analyze(root).index is None


@pytest.mark.parametrize("what", [FOLDER, f"{FOLDER}/CACHEDIR.TAG"])
def test_cache_that_is_deleted_in_mid_run(root: Path, what: str) -> None:
    analyze(root)
    write(root, {"c.py": NORMALIZER})

    def delete(done: int, total: int) -> None:
        path = root / what
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    during = engine.analyze(root, Options(), progress=delete)
    assert found(during) == ["a.py CKP101", "c.py CKP101", "policy.py CKP101"]
    assert found(analyze(root)) == found(during)


def test_project_that_is_deleted_in_mid_run(root: Path) -> None:
    """It does not come back as a folder with a cache in it."""
    engine.analyze(root, Options(), progress=lambda done, total: shutil.rmtree(root, ignore_errors=True))
    assert not root.exists()


def test_folder_that_cannot_be_written(root: Path) -> None:
    if not is_restricted():
        pytest.skip("everything can be written by this user")
    root.chmod(0o500)
    try:
        done = flake8(root, "--select=CKP", "-j1")
    finally:
        root.chmod(0o700)
    assert (sorted(done.codes), done.err, (root / FOLDER).exists()) == (FOUND, "", False)
