"""A dask cluster of processes on this machine, some of which are not as they should be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

SECONDS = 60.0
ROOT = Path(__file__).parent.parent.parent
# A worker that kills someone when it begins its first group.
KILLER = """\
import os
import signal

from distributed.diagnostics.plugin import WorkerPlugin


class Killer(WorkerPlugin):
    def transition(self, key, start, finish, **more):
        if finish == "executing":
            os.kill({victim}, signal.SIGKILL)


async def dask_setup(worker):
    await worker.plugin_add(Killer())
"""


@dataclass(frozen=True)
class Scheduler:
    """A scheduler that runs: its address, its process, and the folder where its workers keep what they need."""

    address: str
    process: subprocess.Popen[bytes]
    folder: Path

    @contextmanager
    def worker(self, path: Path = ROOT, preload: Optional[str] = None) -> Iterator[subprocess.Popen[bytes]]:
        """Run a worker that finds our package in a folder; no nanny starts it again when it dies."""
        options = ["--no-nanny", "--nthreads=1", "--no-dashboard", f"--local-directory={self.folder}"]
        if preload is not None:
            options += ["--preload", preload]
        with _running("dask_worker", path, self.address, *options) as process:
            yield process

    def wait_for(self, count: int) -> None:
        """Wait until there are so many workers."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=SECONDS)


@contextmanager
def scheduler(folder: Path) -> Iterator[Scheduler]:
    """Run a scheduler."""
    file = folder / "scheduler.json"
    options = ["--host=127.0.0.1", "--port=0", "--no-dashboard", f"--scheduler-file={file}"]
    with _running("dask_scheduler", ROOT, *options) as process:
        yield Scheduler(_address(file), process, folder)


def _address(file: Path) -> str:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            return str(json.loads(file.read_text())["address"])
        except (OSError, ValueError):
            time.sleep(0.05)
    raise TimeoutError("no scheduler")


@contextmanager
def _running(name: str, path: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of dask in a folder that has nothing of ours."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{name}", *arguments],
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.fspath(path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
