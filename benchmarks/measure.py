"""Run a command and say what it cost: processor time and memory, children included."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Usage:
    """What a process and the children it waited for used.

    `cpu` is user and system time and `wall` elapsed time, both in seconds; `peak` is the resident size in
    MiB of the largest single process; `is_cut` says that the time limit ended it.
    """

    cpu: float
    wall: float
    peak: float
    is_cut: bool = False


def measure(command: Sequence[str], limit: float) -> Usage:
    """Run a command for at most `limit` seconds, its output thrown away."""
    begin = time.perf_counter()
    silent = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent, start_new_session=True)
    timer = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    _, status, used = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    check_exit(command, process.returncode)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEBIBYTE
    return Usage(used.ru_utime + used.ru_stime, wall, peak, process.returncode == -signal.SIGKILL)


def check_exit(command: Sequence[str], code: int) -> None:
    """Refuse to measure a linter that broke; one that found something ends with 1."""
    if code not in (0, 1, -signal.SIGKILL):
        raise RuntimeError(f"exit code {code}: {' '.join(command)}")


def pin(core: int) -> None:
    """Keep this process and its children on one core, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
