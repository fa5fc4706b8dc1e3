"""Find the pair of methods by which an object is saved and loaded."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from flake8_ckpt.runtime.prove.guesses import required

# Pairs of methods of which one returns what the other takes.
STATES = (
    ("state_dict", "load_state_dict"),
    ("get_state", "set_state"),
    ("get_weights", "set_weights"),
    ("get_parameters", "set_parameters"),
)
# The first words of pairs that both take a path, such as `save_models` and `load_models`.
WORDS = (("save", "load"), ("save", "restore"), ("_save", "_load"))
Save = Callable[[Any, Path], object]
Load = Callable[[Any, Path], object]


class Undecided(Exception):
    """The object was made, and the question could not be answered; the text says why."""


def has(owner: Any, pair: tuple[str, str]) -> bool:
    """Tell whether an object has both methods."""
    return all(callable(getattr(owner, name, None)) for name in pair)


def pair_of(owner: Any) -> tuple[Save, Load]:
    """Return how an object is saved to a path and loaded from it, by the methods that it has."""
    for get, put in STATES[1:]:
        if has(owner, (get, put)):
            return (
                lambda source, path: torch.save(getattr(source, get)(), path),
                lambda target, path: getattr(target, put)(torch.load(path, weights_only=False)),
            )
    for save, load in _path_pairs(type(owner)):
        if required(getattr(owner, save)):
            return partial(_save_to, save), partial(_load_from, load)
        # It knows itself where its file is.
        return lambda source, path: getattr(source, save)(), lambda target, path: getattr(target, load)()
    raise Undecided("no pair of methods that save and load it was found")


def _path_pairs(kind: type) -> Iterator[tuple[str, str]]:
    """Yield the names of methods that save and load, those without a further word first."""
    names = [name for name in dir(kind) if callable(getattr(kind, name, None))]
    for saving, loading in WORDS:
        for name in sorted((each for each in names if each.startswith(saving)), key=len):
            partner = loading + name.removeprefix(saving)
            if partner in names and len(required(getattr(kind, name))) < 3:
                yield name, partner


def _save_to(name: str, source: Any, path: Path) -> None:
    """Save to a file, or to a folder where the method puts several files into one."""
    try:
        getattr(source, name)(str(path))
    except (NotADirectoryError, FileNotFoundError, RuntimeError):
        path.unlink(missing_ok=True)
        path.mkdir(exist_ok=True)
        getattr(source, name)(str(path))


def _load_from(name: str, target: Any, path: Path) -> Any:
    return getattr(target, name)(str(path))
