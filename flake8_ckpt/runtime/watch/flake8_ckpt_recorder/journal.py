"""The journal of one process: one line of JSON for each event, written at once, because a process may just end."""

from __future__ import annotations

import functools
import json
import os
import threading
import time
from typing import Any
from typing import Callable
from typing import Optional

MAX_FAULTS = 20


class Journal:
    """Appends events to a file of this process; a fork gets a file of its own."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.pid = os.getpid()
        self.faults = 0
        self.seconds = 0.0
        self._file: Optional[int] = None
        self._lock = threading.Lock()

    def write(self, event: str, **fields: Any) -> None:
        """Append an event; what cannot be written is left out."""
        line = json.dumps({"event": event, **fields}, default=repr) + "\n"
        with self._lock:
            if self._file is None:
                self._file = self._open()
            os.write(self._file, line.encode("utf-8", "backslashreplace"))

    def forked(self) -> None:
        """Begin anew in the child of a fork."""
        self.pid = os.getpid()
        self.faults = 0
        self._file = None
        self._lock = threading.Lock()

    def _open(self) -> int:
        name = os.path.join(self.folder, f"{self.pid}-{time.time_ns()}.jsonl")
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def fault(self, where: str, error: BaseException) -> None:
        """Note a fault of ours: the program goes on."""
        self.faults += 1
        if self.faults <= MAX_FAULTS:
            try:
                self.write("fault", where=where, error=f"{type(error).__name__}: {error}"[:300])
            except Exception:
                return

    def guard(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that notes its own faults instead of raising them."""

        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                self.fault(function.__qualname__, error)
                return None

        return guarded
