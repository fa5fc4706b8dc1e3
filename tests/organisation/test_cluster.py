"""Facts that a real dask cluster collects: the same findings whatever happens, and one line where it is no use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from distributed import CancelledError

import flake8_ckpt
from flake8_ckpt.index import cluster
from flake8_ckpt.index.collection import collect_group
from flake8_ckpt.index.signature import KEY_VARIABLE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import Run
from tests.front_end import check
from tests.front_end import command
from tests.front_end import here
from tests.front_end import write
from tests.organisation.dask_cluster import KILLER
from tests.organisation.dask_cluster import Scheduler
from tests.organisation.dask_cluster import scheduler

# Three groups; in every third file something is lost, and one cannot be parsed.
COUNT = 120
Worker = subprocess.Popen[bytes]
# These share what they run, and their order counts.
dask_group = pytest.mark.xdist_group("dask")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of many files."""
    files = {
        f"part{number}.py": (CLEAN if number % 3 else NORMALIZER).replace("Normalizer", f"Normalizer{number}")
        for number in range(COUNT)
    }
    return write(tmp_path_factory.mktemp("project"), {**files, "broken.py": "def\n", "setup.cfg": ""})


@pytest.fixture(scope="module")
def alone(project: Path) -> Run:
    """Return what a run without a cluster says."""
    return check(project, "--ckpt-no-cache", "--ckpt-jobs=1")


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    """Run a scheduler without workers."""
    with scheduler(tmp_path_factory.mktemp("dask")) as running:
        yield running


@pytest.fixture(scope="module")
def worker(dask: Scheduler) -> Iterator[Worker]:
    """Run a worker as it should be."""
    with dask.worker() as process:
        dask.wait_for(1)
        yield process


def refused(folder: Path, address: str) -> str:
    """Return why a cluster is not used: one line and exit code 2, in place of findings."""
    done = here(write(folder, {"a.py": NORMALIZER}), "check", "--ckpt-no-cache", f"--cluster={address}")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    return done.err.removeprefix("flake8-ckpt: error: --cluster: ").rstrip()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "cannot be reached (missing port"),
        ("nothing://host:8786", "cannot be reached (unknown address scheme 'nothing'"),
        ("tcp://127.0.0.1", "cannot be reached (missing port"),
        ("tcp://127.0.0.1:9", "cannot be reached (Timed out"),
    ],
)
def test_scheduler_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.4)
    assert said in refused(tmp_path, address)


def test_address_that_does_not_answer_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert refused(tmp_path, address) == f"{address} cannot be reached (no answer within 0.4 s)"


def test_extra_that_is_not_installed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert refused(tmp_path, "tcp://127.0.0.1:9").endswith("pip install 'flake8-ckpt[cluster]'")


def test_home_folder_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository may have a folder named `~`, in which dask would look for settings, and these run programs."""
    monkeypatch.setenv("HOME", "~")
    assert refused(tmp_path, "tcp://127.0.0.1:9").endswith("set HOME")


@pytest.mark.parametrize("section", ["[flake8]\ncluster = {}\n", "[flake8]\nckpt-cluster = {}\n"])
def test_configuration_names_no_cluster(tmp_path: Path, section: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.2)
        text = section.format(f"tcp://127.0.0.1:{canary.getsockname()[1]}")
        here(write(tmp_path, {"a.py": NORMALIZER, "setup.cfg": text}), "check", "--ckpt-no-cache")
        with pytest.raises(TimeoutError):
            canary.accept()


def test_other_code_collects_nothing() -> None:
    said = msgspec.msgpack.decode(cluster.answer("flake8-ckpt 0.0.1", b"never read"), type=cluster.Answer)
    assert (said.code, said.made) == (cluster.code(), ())


class Late:
    """A future that has come with what is in place of an answer."""

    def __init__(self, given: object) -> None:
        self.given = given

    def result(self, timeout: float) -> object:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


class Anything:
    """A client that gets the same in place of every answer."""

    def __init__(self, given: object) -> None:
        self.given = given
        self.sent = 0

    def submit(self, *arguments: object, **more: object) -> Late:
        self.sent += 1
        return Late(self.given)

    def nthreads(self) -> dict[str, int]:
        return {"worker": 1}


def encoded(code: str, *made: cluster.Made) -> bytes:
    return msgspec.msgpack.encode(cluster.Answer("host", code, made))


GROUPS = [[b"x = 1\n", b"def\n"], [NORMALIZER.encode()]]
WRONG = cluster.Made(b"\x81\x01\x02")


@pytest.mark.parametrize(
    "given",
    [
        "a text",
        b"",
        b"\xc1",
        encoded(cluster.code()),
        encoded(cluster.code(), WRONG),
        encoded(cluster.code(), WRONG, WRONG),
        MemoryError("of the worker"),
    ],
)
def test_answer_that_is_none_is_collected_here(given: object) -> None:
    connection = cluster.Cluster("tcp://host:1", Anything(given))
    assert list(connection.map(collect_group, GROUPS)) == list(map(collect_group, GROUPS))
    assert connection.trouble and not connection.is_lost


def test_answer_of_other_code_ends_the_run() -> None:
    connection = cluster.Cluster("tcp://host:1", Anything(encoded("flake8-ckpt 0.0.1")))
    with pytest.raises(cluster.ClusterError, match=r"host has flake8-ckpt 0\.0\.1, and here is"):
        list(connection.map(collect_group, GROUPS))


def test_code_that_cannot_be_loaded_ends_the_run() -> None:
    """So says a scheduler that lacks our package."""
    given = RuntimeError("Error during deserialization of the task graph.")
    given.__cause__ = ModuleNotFoundError("No module named 'flake8_ckpt'")
    connection = cluster.Cluster("tcp://host:1", Anything(given))
    with pytest.raises(cluster.ClusterError, match="No module named 'flake8_ckpt'.*: install"):
        list(connection.map(collect_group, GROUPS))


def test_nothing_more_is_sent_to_a_cluster_that_is_lost() -> None:
    client = Anything(CancelledError("gone"))
    connection = cluster.Cluster("tcp://host:1", client)
    many = [[b"x = 1\n"]] * (cluster.LEAST_AHEAD + 5)
    assert list(connection.map(collect_group, many)) == list(map(collect_group, many))
    assert connection.is_lost and client.sent == cluster.LEAST_AHEAD


@dask_group
def test_cluster_without_workers_is_not_waited_for(
    dask: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "WORKER_SECONDS", 0.2)
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.1)
    root = write(tmp_path, {"a.py": NORMALIZER})
    done = here(root, "check", "--no-summary", "--ckpt-no-cache", f"--cluster={dask.address}")
    assert done.codes == ["a.py CKP101"]
    assert "did not read all files (no worker answers): the others were read here" in done.err


@dask_group
def test_worker_of_another_version_is_one_line(dask: Scheduler, tmp_path: Path) -> None:
    package = Path(flake8_ckpt.__file__).parent
    old = tmp_path / "old" / "flake8_ckpt"
    old.mkdir(parents=True)
    for path in package.iterdir():
        os.symlink(path, old / path.name)
    (old / "__init__.py").unlink()
    write(old, {"__init__.py": '__version__ = "0.0.1"\n'})
    with dask.worker(old.parent):
        dask.wait_for(1)
        said = refused(tmp_path / "root", dask.address)
    assert "has flake8-ckpt 0.0.1 (" in said and f"and here is flake8-ckpt {flake8_ckpt.__version__}" in said


@dask_group
def test_worker_that_is_killed_loses_nothing(
    dask: Scheduler, worker: Worker, tmp_path: Path, project: Path, alone: Run
) -> None:
    """Of two worker processes, one dies with a group in hand; the other goes on."""
    write(tmp_path, {"killer.py": KILLER.format(victim="os.getpid()")})
    with dask.worker(preload=str(tmp_path / "killer.py")) as killed:
        dask.wait_for(2)
        done = check(project, "--ckpt-no-cache", f"--cluster={dask.address}")
        assert (killed.wait(60), worker.poll()) == (-signal.SIGKILL, None)
    assert len(done.codes) == COUNT // 3 + 1
    assert (done.code, done.out, done.err) == (alone.code, alone.out, alone.err)


@dask_group
def test_scan_with_cluster_and_shared_cache_finds_the_same(
    dask: Scheduler, worker: Worker, tmp_path: Path
) -> None:
    root = write(tmp_path, {"lossy/a.py": NORMALIZER, "clean/a.py": CLEAN, "LIST": "lossy\nclean\nnowhere\n"})
    url = f"file://{tmp_path}/facts"
    options = (f"--cluster={dask.address}", f"--ckpt-cache-dir={url}")
    done = command(root, "scan", "LIST", *options, env={KEY_VARIABLE: "ours"})
    assert done == here(root, "scan", "LIST", "--ckpt-no-cache")
    assert len(list((tmp_path / "facts").iterdir())) == 4


@dask_group
def test_scheduler_that_is_killed_loses_nothing(
    dask: Scheduler, worker: Worker, tmp_path: Path, project: Path, alone: Run
) -> None:
    """Nobody answers any more, so the files are read here, and a line says so. It is the last test of this one."""
    write(tmp_path, {"killer.py": KILLER.format(victim=dask.process.pid)})
    with dask.worker(preload=str(tmp_path / "killer.py")):
        dask.wait_for(2)
        done = check(project, "--ckpt-no-cache", f"--cluster={dask.address}")
    assert dask.process.wait(60) == -signal.SIGKILL
    assert (done.code, done.out) == (alone.code, alone.out)
    assert done.err.splitlines()[-1].endswith("(the scheduler is gone): the others were read here")
