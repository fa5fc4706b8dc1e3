"""Work that another machine decides the length of, and that is waited for only so long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar
from typing import Union

Result = TypeVar("Result")


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what a function returns, or raise what it raises; TimeoutError where it takes longer.

    A thread is left with what takes longer, and does not keep the process from ending.
    """
    made: list[Union[tuple[Result], BaseException]] = []

    def run() -> None:
        try:
            made.append((work(),))
        except BaseException as error:
            made.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not made:
        raise TimeoutError(f"no answer within {seconds:g} s")
    if isinstance(made[0], BaseException):
        raise made[0]
    return made[0][0]
