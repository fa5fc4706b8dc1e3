"""Collecting facts on the workers of a dask cluster: contents of files are sent, so workers need no shared disk.

What a worker says is decoded into the types that it should have, and counts only if it comes from the same code as
ours. What no worker gives an answer for is collected here.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING
from typing import Optional
from typing import Union

import msgspec
from msgspec import Struct

from flake8_ckpt import __version__
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.index.bounded import within
from flake8_ckpt.index.cache import code_version

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future

Texts = Sequence[bytes]
Encoded = Union[bytes, str]
Collect = Callable[[Texts], list[Encoded]]
CONNECT_SECONDS = 10.0
# How long a cluster may be without a worker: an adaptive one starts the first when there is something to do.
WORKER_SECONDS = 60.0
LOOK_SECONDS = 2.0
# Groups on their way: so many that no thread is idle, and so few that they take little memory.
LEAST_AHEAD = 64
AHEAD_OF_THREAD = 3


class ClusterError(Exception):
    """A cluster that cannot be used; the text says why in one line."""


class Made(Struct, frozen=True, array_like=True):
    """The facts of a file as they are stored, or how collecting them failed."""

    facts: bytes
    failure: str = ""


class Answer(Struct, frozen=True, array_like=True):
    """What a worker says: where it runs, what its code is, and what it made of each file, if its code is ours."""

    host: str
    code: str
    made: tuple[Made, ...] = ()


@dataclass
class Cluster:
    """A connection to a scheduler; `trouble` says why some files were read in this process, if any were.

    Nothing more is sent to one that is lost.
    """

    address: str
    client: Client
    trouble: str = ""
    is_lost: bool = False

    def map(self, collect: Collect, groups: Sequence[Texts]) -> Iterator[list[Encoded]]:
        """Yield what collecting each group gives, in order; what the cluster cannot do is done here."""
        todo = iter(groups)
        waiting = deque((group, self._send(collect, group)) for group in islice(todo, self._ahead()))
        while waiting:
            group, future = waiting.popleft()
            made = None if future is None or self.is_lost else self._made(group, future)
            yield collect(group) if made is None else made
            waiting.extend((group, self._send(collect, group)) for group in islice(todo, 1))

    def _ahead(self) -> int:
        return max(LEAST_AHEAD, AHEAD_OF_THREAD * (self._threads() or 0))

    def _threads(self) -> Optional[int]:
        """Return how many tasks the workers run at once, None where the scheduler does not say."""
        with suppress(Exception):
            return sum(dict[str, int](within(CONNECT_SECONDS, self.client.nthreads)).values())
        return None

    def _send(self, collect: Collect, group: Texts) -> Optional[Future]:
        if self.is_lost:
            return None
        request = pickle.dumps((collect, list(group)))
        try:
            return self.client.submit(answer, code(), request, pure=False)
        except Exception as error:
            self._lose(_reason(error))
            return None

    def _made(self, group: Texts, future: Future) -> Optional[list[Encoded]]:
        """Return a worker's answer, None where there is none that can be used; raise ClusterError for other code."""
        from distributed import CancelledError

        try:
            return self._checked(self._answer(future), len(group))
        except ClusterError:
            raise
        except CancelledError:
            self._lose("the scheduler is gone")
        except TimeoutError as error:
            self._lose(_reason(error))
        except Exception as error:
            self.refuse_other_code("scheduler or worker", error.__cause__ or error)
            self.trouble = self.trouble or _reason(error)
        return None

    def _lose(self, why: str) -> None:
        self.is_lost, self.trouble = True, why

    def _answer(self, future: Future) -> object:
        """Wait for an answer as long as there are workers, or may be soon."""
        from distributed import TimeoutError as Late

        until = time.monotonic() + WORKER_SECONDS
        while True:
            try:
                return future.result(timeout=LOOK_SECONDS)
            except Late:
                threads = self._threads()
                if threads:
                    until = time.monotonic() + WORKER_SECONDS
                if threads is None or time.monotonic() > until:
                    raise TimeoutError("no worker answers") from None

    def _checked(self, given: object, count: int) -> list[Encoded]:
        """Return what is in an answer; raise where it is not what was asked for."""
        said = msgspec.msgpack.decode(msgspec.convert(given, bytes), type=Answer)
        self.refuse_other_code(said.host, said.code)
        if len(said.made) != count:
            raise ValueError(f"an answer about {len(said.made)} files in place of {count}")
        for each in said.made:
            if not each.failure:
                msgspec.msgpack.decode(each.facts, type=FileFacts)
        return [each.failure or each.facts for each in said.made]

    def close(self) -> None:
        """Leave the cluster, be it there or not."""
        with suppress(Exception):
            within(CONNECT_SECONDS, self.client.close)

    def look_at_workers(self) -> None:
        """Raise ClusterError where one of the workers of now has other code; later ones say it with their answers."""
        said: dict[str, object] = {}
        with suppress(TimeoutError):
            said = within(CONNECT_SECONDS, partial(self.client.run, code, on_error="return"))
        for worker, each in said.items():
            self.refuse_other_code(worker, each)

    def refuse_other_code(self, who: str, said: object) -> None:
        """Raise ClusterError where someone's code is not ours, or cannot be loaded."""
        if isinstance(said, str) and said != code():
            raise ClusterError(f"{self.address}: {who} has {said}, and here is {code()}: install the same")
        if isinstance(said, (ImportError, AttributeError)):
            lacks = f"{who} cannot load flake8-ckpt ({_reason(said)})"
            raise ClusterError(
                f"{self.address}: {lacks}: install {__version__} for the scheduler and each worker"
            )


def connect(address: str) -> Cluster:
    """Return a connection to the scheduler at an address such as tcp://host:8786; raise ClusterError if that fails."""
    if not os.path.isabs(os.path.expanduser("~")):
        # dask would read its settings from a folder named `~`, which a linted repository may have.
        raise ClusterError(f"{address}: there is no home folder: set HOME")
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(f"{address}: needs {error.name}: pip install 'flake8-ckpt[cluster]'") from error
    _silence()
    make = partial(Client, address, timeout=CONNECT_SECONDS / 2, set_as_default=False, name="flake8-ckpt")
    try:
        cluster = Cluster(address, within(CONNECT_SECONDS, make))
    except Exception as error:
        raise ClusterError(f"{address} cannot be reached ({_reason(error)})") from error
    try:
        cluster.look_at_workers()
    except ClusterError:
        cluster.close()
        raise
    return cluster


def answer(asked: str, request: bytes) -> bytes:
    """Collect the facts of a group, if the one who asks has the same code; runs in a worker."""
    import socket

    made: tuple[Made, ...] = ()
    if asked == code():
        collect, group = pickle.loads(request)
        made = tuple(Made(b"", each) if isinstance(each, str) else Made(each) for each in collect(group))
    return msgspec.msgpack.encode(Answer(socket.gethostname(), code(), made))


def code() -> str:
    """Return everything but the content that facts depend on, for people and for comparing."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"flake8-ckpt {__version__} ({code_version()}), Python {python}, libcst {version('libcst')}"


def _silence() -> None:
    """Keep dask from printing what it sees of its connections, which is for those who run the cluster."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _reason(error: BaseException) -> str:
    """Return an error in one short line."""
    detail = " ".join(str(error).split())[:160]
    return detail or type(error).__name__
