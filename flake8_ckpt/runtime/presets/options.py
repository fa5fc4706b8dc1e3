"""The keyword arguments of `verify_roundtrip` that a preset fills in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import TypedDict

Save = Callable[[Any, Path], object]
Load = Callable[[Any, Path], object]
# What gymnasium's checker of environments notes when it checks the first reset and step: no state of a run.
CHECKER = tuple(
    f"*.{name}"
    for name in ("checked_reset", "checked_step", "checked_render", "checked_data_reuse", "_previous_data")
)


class Options(TypedDict, total=False):
    """What `verify_roundtrip` takes, by its names."""

    exercise: Callable[[Any], object]
    continue_with: Callable[[Any], object]
    save: Save
    load: Load
    ignore: tuple[str, ...]


class Subject(Options):
    """The same with `make`, for a preset that puts something around what a user makes."""

    make: Callable[[], Any]
