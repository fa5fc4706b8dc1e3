"""Put a function of ours around one of a library, so that everybody who has the module gets it."""

from __future__ import annotations

import functools
import inspect
from typing import Any
from typing import Callable

Around = Callable[..., Any]


def wrap(owner: Any, name: str, around: Around) -> None:
    """Replace `owner.name` by a function that calls `around(original, *args, **kwargs)`."""
    original = inspect.getattr_static(owner, name, None)
    is_static = isinstance(original, staticmethod)
    function = original.__func__ if isinstance(original, (staticmethod, classmethod)) else original
    if not callable(function) or isinstance(original, classmethod):
        return

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return around(function, *args, **kwargs)

    setattr(owner, name, staticmethod(wrapper) if is_static else wrapper)
