"""A process for each repository of a scan: one that dies takes nobody with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.context import SpawnContext
from typing import Union

from flake8_ckpt.commands.organisation.one_repository import Outcome
from flake8_ckpt.commands.organisation.one_repository import Request
from flake8_ckpt.commands.organisation.one_repository import check_repository

Context = Union[ForkServerContext, SpawnContext]
# Imported once, before the processes are forked.
PRELOADED = ["flake8_ckpt.commands.organisation.one_repository", "flake8_ckpt.checking"]


def check_all(requests: Sequence[Request], jobs: int) -> Generator[Outcome, None, None]:
    """Yield what comes of each repository, in order, so many being checked at once."""
    context = _context(any(each.cluster for each in requests))
    pool = ThreadPoolExecutor(jobs)
    try:
        yield from pool.map(lambda request: _in_process(context, request), requests)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _context(is_clustered: bool) -> Context:
    """Return how processes begin: forked from one that has nothing but our modules, where the system can do that."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED, *(["distributed"] if is_clustered else [])])
    return context


def _in_process(context: Context, request: Request) -> Outcome:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(request, sender))
    process.start()
    sender.close()
    outcome = None
    with receiver, suppress(EOFError, OSError):
        outcome = receiver.recv()
    process.join()
    return outcome or Outcome(request.repository, error=_end(process.exitcode or 0))


def _work(request: Request, sender: Connection) -> None:
    try:
        sender.send(check_repository(request))
    except KeyboardInterrupt:
        # The process that was asked says what there is to say.
        os._exit(1)


def _end(code: int) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed, as happens where memory runs out (--jobs=1 needs less)"
    return f"its process ended with {code}"
