"""The keyword arguments of `verify_roundtrip` that a preset fills in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import TypedDict


class Options(TypedDict, total=False):
    """What `verify_roundtrip` takes, by its names."""

    exercise: Callable[[Any], object]
    continue_with: Callable[[Any], object]
    save: Callable[[Any, Path], object]
    load: Callable[[Any, Path], object]
    ignore: tuple[str, ...]
