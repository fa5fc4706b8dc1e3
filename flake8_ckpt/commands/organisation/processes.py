"""The processes of a scan, apart from that of the command: one that dies loses one repository."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Optional
from typing import Union

from flake8_ckpt.commands.organisation.one_repository import Outcome
from flake8_ckpt.commands.organisation.one_repository import Request
from flake8_ckpt.commands.organisation.one_repository import check_repository

Context = Union[ForkServerContext, SpawnContext]
# What checking leaves behind in a process goes after so many repositories.
RENEWED = 50
# Imported once, before the processes are forked.
PRELOADED = ["flake8_ckpt.commands.organisation.one_repository", "flake8_ckpt.checking"]


def check_all(requests: Sequence[Request], jobs: int) -> Generator[Outcome, None, None]:
    """Yield what comes of each repository, in order, so many being checked at once."""
    context = _context(any(each.cluster for each in requests))
    workers = [CheckProcess(context) for _ in range(jobs)]
    idle: SimpleQueue[CheckProcess] = SimpleQueue()
    for each in workers:
        idle.put(each)
    pool = ThreadPoolExecutor(jobs)
    try:
        yield from pool.map(lambda request: _check(idle, request), requests)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for each in workers:
            each.end()


@dataclass
class CheckProcess:
    """A process that checks one repository after another, and the pipe to it; there is none before the first."""

    context: Context
    process: Optional[BaseProcess] = None
    pipe: Optional[Connection[Optional[Request], Outcome]] = None
    done: int = 0

    def check(self, request: Request) -> Outcome:
        """Return what comes of a repository, be it that the process dies."""
        pipe = self.pipe or self._begin()
        try:
            pipe.send(request)
            outcome = pipe.recv()
        except (EOFError, OSError):
            return Outcome(request.repository, error=_end(self.end()))
        self.done += 1
        if self.done >= RENEWED:
            self.end()
        return outcome

    def _begin(self) -> Connection[Optional[Request], Outcome]:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=_work, args=(theirs,))
        process.start()
        theirs.close()
        self.process, self.pipe, self.done = process, ours, 0
        return ours

    def end(self) -> int:
        """Have the process end, and return its exit code."""
        if self.process is None or self.pipe is None:
            return 0
        with self.pipe as pipe, suppress(OSError):
            pipe.send(None)
        self.process.join()
        code = self.process.exitcode or 0
        self.process, self.pipe = None, None
        return code


def _check(idle: SimpleQueue[CheckProcess], request: Request) -> Outcome:
    worker = idle.get()
    try:
        return worker.check(request)
    finally:
        idle.put(worker)


def _context(is_clustered: bool) -> Context:
    """Return how processes begin: forked from one that has nothing but our modules, where the system can do that."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED, *(["distributed"] if is_clustered else [])])
    return context


def _work(pipe: Connection[Outcome, Optional[Request]]) -> None:
    """Check what comes, until nothing more does."""
    try:
        while request := pipe.recv():
            pipe.send(check_repository(request))
    except (EOFError, KeyboardInterrupt):
        # The process that was asked says what there is to say.
        os._exit(1)


def _end(code: int) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed, as happens where memory runs out (--jobs=1 needs less)"
    return f"its process ended with {code}"
