"""One way to a file and back, as a record, and the state that most of them write."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import cast

from torch import nn

Save = Callable[[Any, Path], object]
Load = Callable[[Any, Path], object]


class NotCheckable(Exception):
    """A medium that cannot hold this object; the text says why."""


@dataclass(frozen=True)
class Loaded:
    """An object after loading, and the payload that it was loaded from."""

    target: object
    payload: object


@dataclass(frozen=True)
class Medium:
    """One way to a file and back; `unsafe` says why a written file needs weights_only=False, if it does."""

    name: str
    save: Callable[[Any, Path], None]
    load: Callable[[Any, Path], Loaded]
    unsafe: Callable[[Path], str | None]


def state_of(source: object) -> object:
    """Return the state_dict of an object; raise TypeError where it has none."""
    read = getattr(source, "state_dict", None)
    if read is None or not hasattr(source, "load_state_dict"):
        name = type(source).__name__
        raise TypeError(
            f"{name} has no state_dict and load_state_dict: pass save=f(object, path) and load=f(object, path)"
        )
    return read()


def mapping_of(source: object) -> dict[str, Any]:
    """Return the state_dict of an object; raise NotCheckable where it is no dictionary."""
    state = state_of(source)
    if not isinstance(state, dict):
        raise NotCheckable(f"the state is a {type(state).__name__}, the format holds values by name")
    return state


def put_state(target: Any, state: object) -> Loaded:
    """Load a state, strictly into a module."""
    if isinstance(target, nn.Module):
        target.load_state_dict(cast(Mapping[str, object], state), strict=True)
    else:
        target.load_state_dict(state)
    return Loaded(target, state)


def no_danger(path: Path) -> None:
    """Return None: the format holds nothing but tensors."""
