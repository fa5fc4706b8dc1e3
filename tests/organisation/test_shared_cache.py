"""Facts that machines share through a URL: right or nothing, and never in the way."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from flake8_ckpt import engine
from flake8_ckpt.engine import Analysis
from flake8_ckpt.index import store
from flake8_ckpt.index.signature import KEY_VARIABLE
from flake8_ckpt.index.survey import Mark
from flake8_ckpt.options import Options
from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import Run
from tests.front_end import command
from tests.front_end import flake8
from tests.front_end import here
from tests.front_end import write

FILES = {"a.py": NORMALIZER, "policy.py": POLICY, "base.py": BASE}
FOUND = ["a.py CKP101", "policy.py CKP101"]
URL_VARIABLE = "FLAKE8_CKPT_CACHE_DIR"
# What a store that cannot be used ends its line with.
WITHOUT = "going on without it"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Share a key, an empty memory, and nothing that an earlier run knew of its stores."""
    monkeypatch.setenv(KEY_VARIABLE, "a secret of our machines")
    MemoryFileSystem.store.clear()
    store.open_store.cache_clear()
    yield
    store.open_store.cache_clear()


def machine(tmp_path: Path, name: str, files: dict[str, str] = FILES) -> Path:
    """Return a clone of the project on a machine of its own; on each the folder has the same name."""
    return write(tmp_path / name / "project", {"setup.cfg": "", **files})


def analyze(root: Path, url: str = "memory://facts") -> Analysis:
    """Return what a run finds, which is as ever."""
    store.open_store.cache_clear()
    found = engine.analyze(root, Options(cache_url=url), paths=["a.py"])
    assert [f"{path} {each.code}" for path in found.candidates for each in found.candidates[path]] == FOUND
    return found


def collected(root: Path, url: str = "memory://facts") -> tuple[str, ...]:
    """Return which files had to be read by a run."""
    found = analyze(root, url)
    return found.index.collected if found.index is not None else ()


def notes(url: str = "memory://facts") -> list[str]:
    return store.open_store(url).notes


def check(root: Path, url: str) -> Run:
    return here(root, "check", "--no-summary", "--output-format=concise", f"--ckpt-cache-dir={url}")


def change(damage: Callable[[bytes], bytes]) -> None:
    """Change what lies in the store."""
    for file in MemoryFileSystem.store.values():
        data = damage(file.getvalue())
        file.seek(0)
        file.truncate()
        file.write(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[64:],
        lambda data: bytes(64) + data[64:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:40],
        lambda data: b"",
    ],
    ids=["without a signature", "signed with nothing", "another payload", "half a header", "empty"],
)
def test_record_that_is_not_signed_counts_for_nothing(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    collected(machine(tmp_path, "one"))
    change(damage)
    assert len(collected(machine(tmp_path, "two"))) == 3
    assert all("counts for nothing" in each for each in notes())


def test_record_of_another_key_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "a stranger's")
    collected(machine(tmp_path, "stranger"))
    monkeypatch.setenv(KEY_VARIABLE, "mine")
    assert len(collected(machine(tmp_path, "mine"))) == 3
    assert ["is not signed with our" in each for each in notes()] == [True]


def test_record_of_another_project_counts_for_nothing(tmp_path: Path) -> None:
    collected(machine(tmp_path, "one"))
    other = write(tmp_path / "other", FILES)
    for name, file in list(MemoryFileSystem.store.items()):
        MemoryFileSystem.store[name.replace("project", "other")] = file
    assert len(collected(other)) == 3


def test_huge_record_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collected(machine(tmp_path, "one"))
    monkeypatch.setattr(store, "MAX_BYTES", 100)
    assert len(collected(machine(tmp_path, "two"))) == 3


def test_signed_record_of_another_kind_counts_for_nothing(tmp_path: Path) -> None:
    """As of a version of ours that had other records under this name."""
    collected(machine(tmp_path, "one"))
    shared = store.open_store("memory://facts")
    for path in MemoryFileSystem.store:
        shared.write(path.rpartition("/")[2], Mark(1, 2, 3, 4, b"5"))
    assert len(collected(machine(tmp_path, "two"))) == 3


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/folder", "s3://bucket/folder"),
        ("ftp://me:secret@host:21/x", "ftp://***@host:21/x"),
        ("ftp://me:secret@[host/x", "ftp://..."),
    ],
)
def test_password_is_not_shown(url: str, shown: str) -> None:
    assert store.without_password(url) == shown


def test_no_key_is_said_and_nothing_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    done = check(machine(tmp_path, "one"), "memory://facts")
    assert sorted(done.codes) == FOUND
    assert f"{KEY_VARIABLE} is not set" in done.err and done.err.endswith(f"{WITHOUT}\n")
    assert MemoryFileSystem.store == {}


def test_no_home_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository may have a folder named `~`, in which fsspec would look for settings."""
    monkeypatch.setenv("HOME", "~")
    assert "set HOME" in check(machine(tmp_path, "one"), "memory://facts").err
    assert MemoryFileSystem.store == {}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nothing://facts", "cannot be read (Protocol not known: nothing)"),
        ("s3://facts", "pip install 'flake8-ckpt[remote]'"),
        ("ftp://me:secret@127.0.0.1:1/facts", "shared cache ftp://***@127.0.0.1:1/facts: cannot be read"),
    ],
)
def test_store_that_cannot_be_used_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    done = check(machine(tmp_path, "one"), url)
    assert sorted(done.codes) == FOUND and done.code == 1
    assert said in done.err and "secret" not in done.err
    assert done.err.count("\n") == 1 and done.err.endswith(f"{WITHOUT}\n")


def test_fsspec_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert "pip install 'flake8-ckpt[remote]'" in check(machine(tmp_path, "one"), "memory://facts").err


def test_store_that_does_not_answer_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = check(machine(tmp_path, "one"), f"ftp://127.0.0.1:{silent.getsockname()[1]}/facts")
    assert sorted(done.codes) == FOUND
    assert done.err.count("no answer within 0.2 s") == 1 and done.err.count("\n") == 1


def test_store_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"taken": ""})
    done = check(machine(tmp_path, "one"), f"file://{tmp_path}/taken")
    assert sorted(done.codes) == FOUND
    assert "cannot be written" in done.err or "cannot be read" in done.err


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"setup.cfg": "[flake8]\nckpt-cache-dir = memory://facts\n"}, "setup.cfg:2: ckpt-cache-dir"),
        ({"pyproject.toml": '[tool.flake8-ckpt]\ncache-dir = "memory://x"\n'}, "pyproject.toml:2: cache-dir"),
    ],
)
def test_url_in_a_configuration_is_refused(tmp_path: Path, files: dict[str, str], place: str) -> None:
    root = write(tmp_path, {**FILES, **files})
    done = here(root, "check")
    assert done.code == 2 and MemoryFileSystem.store == {}
    assert done.err.startswith(f"flake8-ckpt: error: {place}: ") and URL_VARIABLE in done.err


def test_unsaved_text_of_an_editor_asks_nobody(tmp_path: Path) -> None:
    root = machine(tmp_path, "one")
    engine.analyze(root, Options())
    engine.analyze(root, Options(cache_url="memory://facts"), replaced={"a.py": b"x = 1\n"})
    assert MemoryFileSystem.store == {}


def test_no_cache_means_no_store(tmp_path: Path) -> None:
    engine.analyze(machine(tmp_path, "one"), Options(no_cache=True, cache_url="memory://facts"))
    assert MemoryFileSystem.store == {}


def test_second_machine_reads_no_file(tmp_path: Path) -> None:
    assert len(collected(machine(tmp_path, "one"))) == 3
    assert collected(machine(tmp_path, "two")) == ()
    assert notes() == []


def test_second_machine_asks_no_rule(tmp_path: Path) -> None:
    one, two = (analyze(machine(tmp_path, name)) for name in ("one", "two"))
    assert one.index is not None and two.index is None
    assert {path: list(each) for path, each in two.candidates.items()} == one.candidates
    assert two.confirmed == one.confirmed
    MemoryFileSystem.store.clear()
    assert analyze(tmp_path / "two" / "project").index is None


def test_verdict_of_other_options_is_another(tmp_path: Path) -> None:
    analyze(machine(tmp_path, "one"))
    asked = Options(cache_url="memory://facts", enable=("CKP112",))
    found = engine.analyze(machine(tmp_path, "two"), asked)
    assert found.index is not None and found.index.collected == ()


def test_verdict_holds_wherever_our_code_lies(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/facts"
    here(machine(tmp_path, "one"), "check", f"--ckpt-cache-dir={url}")
    package = Path(engine.__file__).parent
    shutil.copytree(
        package, tmp_path / "code" / package.name, ignore=shutil.ignore_patterns("demo", "__pycache__")
    )
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "facts").iterdir()}
    env = {"PYTHONPATH": str(tmp_path / "code")}
    done = command(machine(tmp_path, "two"), "check", f"--ckpt-cache-dir={url}", env=env)
    assert sorted(done.codes) == FOUND
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "facts").iterdir()} == before


def test_machine_that_was_here_before_asks_nobody(tmp_path: Path) -> None:
    """Its own cache knows all files but one, as after an edit."""
    files = {f"part{number}.py": CLEAN for number in range(20)}
    root = machine(tmp_path, "one", {**FILES, **files})
    engine.analyze(root, Options())
    write(root, {"part1.py": BASE})
    engine.analyze(root, Options(cache_url="memory://facts"))
    assert MemoryFileSystem.store == {}


def test_second_machine_reads_only_what_is_new(tmp_path: Path) -> None:
    collected(machine(tmp_path, "one"))
    branch = {**FILES, "base.py": f"{BASE}\n\nx = 1\n"}
    assert collected(machine(tmp_path, "two", branch)) == ("base.py",)
    assert collected(machine(tmp_path, "three", branch)) == ()
    assert collected(machine(tmp_path, "four")) == ()


def test_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a repository's configuration says of its own folder does not count then."""
    monkeypatch.setenv(URL_VARIABLE, f"file://{tmp_path}/facts")
    root = machine(tmp_path, "one", {**FILES, "setup.cfg": "[flake8]\nckpt-cache-dir = mine\n"})
    assert sorted(here(root, "check", "--no-summary").codes) == FOUND
    assert len(list((tmp_path / "facts").iterdir())) == 2 and not (root / "mine").exists()
    monkeypatch.setenv(URL_VARIABLE, "ftp://me:secret@host/facts")
    shown = here(root, "check", "--show-settings").out
    rows = [line.split() for line in shown.splitlines()]
    assert ["ckpt-cache-dir", "ftp://***@host/facts", URL_VARIABLE] in rows


def test_plugin_shares_too(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/facts"
    done = flake8(machine(tmp_path, "one"), "--select=CKP", f"--ckpt-cache-dir={url}")
    assert (sorted(done.codes), done.err) == (FOUND, "")
    assert collected(machine(tmp_path, "two"), url) == ()


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[str]:
    """Serve a folder over FTP from another process, and give its URL."""
    (tmp_path / "served").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    user = ("-u", "me", "-P", "secret", "-w", "-d", str(tmp_path / "served"))
    command = [sys.executable, "-W", "ignore", "-m", "pyftpdlib", "-i", "127.0.0.1", "-p", str(port), *user]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        until = time.monotonic() + 30
        while not is_open(port) and time.monotonic() < until:
            time.sleep(0.05)
        yield f"ftp://me:secret@127.0.0.1:{port}/"
        server.kill()


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_machines_share_over_a_real_server(tmp_path: Path, ftp: str) -> None:
    assert len(collected(machine(tmp_path, "one"), ftp)) == 3
    assert notes(ftp) == []
    assert collected(machine(tmp_path, "two"), ftp) == ()
