"""A progress bar for long cold runs, on a terminal and only there."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Optional

from flake8_ckpt.project_index import Progress

if TYPE_CHECKING:
    from rich import progress

PATIENCE_SECONDS = 1.0
LONG_SECONDS = 2.0
REFRESH_SECONDS = 0.1


@contextmanager
def progress_bar(what: str = "reading files") -> Iterator[Optional[Progress]]:
    """Give a function that shows how far something is, or None where nobody watches; erase it at the end."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = Bar(what, time.monotonic())
    try:
        yield bar.show
    finally:
        bar.close()


class Bar:
    """A bar that appears once a run turns out to be long."""

    def __init__(self, what: str, started: float) -> None:
        self.what = what
        self.started = started
        self.drawn = started
        self.bar: Optional[progress.Progress] = None

    def show(self, done: int, total: int) -> None:
        """Draw the bar, not more often than an eye can follow."""
        now = time.monotonic()
        elapsed = now - self.started
        if self.bar is None and elapsed > PATIENCE_SECONDS and elapsed * total > LONG_SECONDS * done:
            self.bar = _make_bar(self.what, total)
        if self.bar is not None and now - self.drawn > REFRESH_SECONDS:
            self.drawn = now
            self.bar.update(self.bar.task_ids[0], completed=done)
            self.bar.refresh()

    def close(self) -> None:
        """Erase the bar."""
        if self.bar is not None:
            self.bar.stop()


def _make_bar(what: str, total: int) -> progress.Progress:
    """Return a started bar; rich is imported only here, and draws only when told to."""
    from rich.console import Console
    from rich.progress import Progress as RichProgress

    bar = RichProgress(console=Console(stderr=True), transient=True, auto_refresh=False)
    bar.add_task(what, total=total)
    bar.start()
    return bar
