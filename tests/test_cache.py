"""Which files are collected again, cold and warm, and what a cache survives."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.index.cache import open_cache
from flake8_ckpt.index.collection import Index
from flake8_ckpt.index.collection import index_files
from flake8_ckpt.index.folder import TAG
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import write

FILES = {"a.py": NORMALIZER, "b.py": POLICY, "c.py": CLEAN}
NAMES = tuple(FILES)
AN_HOUR_AGO = 1_600_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project whose files were not changed just now."""
    return aged(write(tmp_path / "root", FILES))


def aged(folder: Path) -> Path:
    """Make files look old, so that their times can be trusted; only ctime stays new."""
    for path in folder.glob("*.py"):
        os.utime(path, (AN_HOUR_AGO, AN_HOUR_AGO))
    return folder


def index(root: Path, *names: str, **options: Any) -> Index:
    return index_files(root, names or NAMES, cache=open_cache(root, None), **options)


def states(root: Path) -> dict[str, tuple[int, int]]:
    """Return what tells whether a cache file was written again."""
    found = {path.name: path.stat() for path in (root / ".flake8_ckpt_cache").glob("*.bin")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def packs(root: Path) -> list[Path]:
    return sorted((root / ".flake8_ckpt_cache").glob("facts-*"))


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the time of a file however new it is."""
    monkeypatch.setattr("flake8_ckpt.index.survey.RACY_NS", -1)


def test_cold_collects_all_and_warm_nothing(root: Path) -> None:
    cold = index(root)
    warm = index(root)
    assert (cold.collected, warm.collected) == (NAMES, ())
    assert warm.files == cold.files == {name: collect_file(text.encode()) for name, text in FILES.items()}


def test_changed_file_is_collected_again(root: Path) -> None:
    index(root)
    write(root, {"b.py": CLEAN + "\n"})
    assert index(root).collected == ("b.py",)


def test_file_that_changes_in_mid_run_says_so_and_is_collected_again(root: Path) -> None:
    changed = index(root, progress=lambda done, total: write(root, {NAMES[-1]: POLICY}))
    assert changed.files[NAMES[-1]].error == "changed while it was read"
    assert changed.files[NAMES[0]] == collect_file(FILES[NAMES[0]].encode())
    write(root, FILES)
    again = index(root)
    assert again.files[NAMES[-1]] == collect_file(FILES[NAMES[-1]].encode())


def test_file_that_goes_in_mid_run_says_so(root: Path) -> None:
    gone = index(root, progress=lambda done, total: (root / NAMES[-1]).unlink(missing_ok=True))
    assert gone.files[NAMES[-1]].error == "changed while it was read"


def test_change_of_same_size_and_time_is_seen(root: Path) -> None:
    index(root)
    write(root, {"b.py": POLICY.replace("mean", "maen")})
    aged(root)
    assert index(root).collected == ("b.py",)


@pytest.mark.usefixtures("trusting")
def test_touched_file_is_read_but_not_collected(root: Path) -> None:
    index(root)
    before = states(root)
    (root / "a.py").touch()
    assert index(root).collected == ()
    after = states(root)
    assert [name for name in before if before[name] != after[name]] == ["index.bin"]


def test_new_file_is_collected_alone(root: Path) -> None:
    index(root)
    write(root, {"d.py": NORMALIZER + "\nx = 1\n"})
    assert index(root, *NAMES, "d.py").collected == ("d.py",)


def test_renamed_and_copied_file_is_not_collected(root: Path) -> None:
    index(root)
    (root / "a.py").rename(root / "moved.py")
    write(root, {"copy.py": POLICY})
    assert index(root, "moved.py", "copy.py", "b.py", "c.py").collected == ()


def test_equal_files_are_collected_once(root: Path) -> None:
    seen: list[tuple[int, int]] = []
    write(root, {"d.py": NORMALIZER})
    index(root, "a.py", "d.py", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1)]


@pytest.mark.usefixtures("trusting")
def test_identical_run_writes_nothing(root: Path) -> None:
    index(root)
    before = states(root)
    assert len(before) == 2
    index(root)
    assert states(root) == before


def test_new_file_is_not_trusted_by_its_time(root: Path) -> None:
    """Between a look and the next tick of a file system's clock, a change leaves no trace."""
    index(root)
    assert open_cache(root, None).marks() == {}
    assert index(root).collected == ()


@pytest.mark.usefixtures("trusting")
def test_file_that_left_the_project_is_dropped(root: Path) -> None:
    index(root)
    index(root, "a.py")
    stored = open_cache(root, None)
    assert (list(stored.marks()), len(stored.facts())) == (["a.py"], 1)


@pytest.mark.usefixtures("trusting")
def test_unsaved_text_is_not_stored(root: Path) -> None:
    index(root)
    before = states(root)
    unsaved = index(root, replaced={"a.py": CLEAN.encode() + b"\nx = 1\n", "new.py": b"y = 1\n"})
    assert unsaved.collected == ("a.py", "new.py")
    assert states(root) == before
    assert index(root).collected == ()


def test_pack_of_another_version_is_removed(root: Path) -> None:
    index(root)
    folder = root / ".flake8_ckpt_cache"
    (pack,) = folder.glob("facts-*")
    old = pack.rename(folder / f"{pack.name.rpartition('-')[0]}-0123456789abcdef.bin")
    other = write(folder, {"facts-py27-0123456789abcdef.bin": b""}) / "facts-py27-0123456789abcdef.bin"
    assert index(root).collected == NAMES
    assert pack.exists() and other.exists() and not old.exists()


def test_pack_under_a_wrong_name_is_not_read(root: Path) -> None:
    index(root)
    folder = root / ".flake8_ckpt_cache"
    (pack,) = folder.glob("facts-*")
    pack.write_bytes((folder / "index.bin").read_bytes() if (folder / "index.bin").exists() else b"")
    assert index(root).collected == NAMES


def test_leftover_of_a_killed_run_is_removed(root: Path) -> None:
    left = {"index.bin.1-1.tmp": "", "index.bin.2-2.tmp": "", "CACHEDIR.TAG": TAG}
    folder = write(root / ".flake8_ckpt_cache", left)
    os.utime(folder / "index.bin.1-1.tmp", (0, 0))
    index(root)
    assert [path.name for path in folder.glob("*.tmp")] == ["index.bin.2-2.tmp"]


def test_cache_folder_keeps_out_of_the_way(root: Path) -> None:
    index(root)
    folder = root / ".flake8_ckpt_cache"
    assert (folder / ".gitignore").read_text() == "*\n"
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_few_new_facts_leave_those_of_a_large_project_alone(root: Path) -> None:
    names = [f"m{number}.py" for number in range(60)]
    write(root, {name: f"x = {name!r}\n" for name in names})
    assert len(index(root, *names).collected) == 60
    (whole,) = packs(root)
    size = whole.stat().st_size
    for number in range(3):
        write(root, {"m7.py": f"y = {number}\n"})
        assert index(root, *names).collected == ("m7.py",)
        assert index(root, *names).collected == ()
        assert whole.stat().st_size == size < sum(each.stat().st_size for each in packs(root)) < size + 1000
    write(root, {name: "z = 1\n" for name in names[:5]})
    assert len(index(root, *names).collected) == 5
    assert packs(root) == [whole]
    assert index(root, *names).collected == ()


def test_cache_deleted_in_mid_run(root: Path) -> None:
    folder = root / ".flake8_ckpt_cache"

    def delete(done: int, total: int) -> None:
        for path in folder.glob("*"):
            path.unlink()

    index(root, "a.py")
    assert index(root, progress=delete).collected == ("b.py", "c.py")
    assert index(root).collected == ()


def test_file_deleted_in_mid_run(root: Path) -> None:
    found = index(root, "a.py", "gone.py", "b.py")
    assert list(found.files) == ["a.py", "b.py"]
    assert found.unreadable == (("gone.py", "No such file or directory"),)


def test_pipe_and_folder_are_unreadable(root: Path) -> None:
    os.mkfifo(root / "pipe.py")
    (root / "folder.py").mkdir()
    found = index(root, "pipe.py", "folder.py", "nul\0.py")
    assert [path for path, _ in found.unreadable] == ["pipe.py", "folder.py", "nul\0.py"]


def test_colon_in_a_file_name_is_said_and_breaks_nothing(root: Path) -> None:
    write(root, {"a:b.py": NORMALIZER})
    found = index(root, *NAMES, "a:b.py", replaced={"x:y.py": b""})
    assert [path for path, _ in found.unreadable] == ["a:b.py", "x:y.py"]
    assert list(found.files) == list(NAMES)


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield pool


@contextmanager
def broken_processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(os._exit, 1).exception()
        yield pool


@contextmanager
def stopped_threads() -> Iterator[Executor]:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    yield pool


@pytest.mark.parametrize(
    "make", [processes, lambda: ThreadPoolExecutor(2), broken_processes, stopped_threads]
)
def test_any_executor_gives_the_same_facts(root: Path, make: Any) -> None:
    with make() as executor:
        found = index_files(root, NAMES, executor=executor)
    assert found == index_files(root, NAMES)


def test_own_processes_give_the_same_facts(root: Path) -> None:
    text = "x = [\n" + "    'some long line of data',\n" * 40_000 + "]\n"
    write(root, {f"big_{number}.py": f"{NORMALIZER}\n\ny = {number}\n{text}" for number in range(4)})
    names = [*NAMES, *(f"big_{number}.py" for number in range(4))]
    seen: list[int] = []
    found = index_files(root, names, jobs=2, progress=lambda done, total: seen.append(done))
    assert found == index_files(root, names)
    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_garbage_collector_is_left_as_it_was(root: Path) -> None:
    index(root)
    assert gc.isenabled()
    gc.disable()
    try:
        index(root)
        assert not gc.isenabled()
    finally:
        gc.enable()
