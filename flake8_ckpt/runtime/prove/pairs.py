"""Find the pair of methods by which an object is saved and loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from flake8_ckpt.runtime.prove.guesses import required

# Pairs of methods that save and load: what one returns the other takes, or both take a path.
STATES = (
    ("state_dict", "load_state_dict"),
    ("get_state", "set_state"),
    ("get_weights", "set_weights"),
    ("get_parameters", "set_parameters"),
)
FILES = (
    ("save", "load"),
    ("save_model", "load_model"),
    ("save_checkpoint", "load_checkpoint"),
    ("save_state", "load_state"),
)
Save = Callable[[Any, Path], object]
Load = Callable[[Any, Path], object]


class Undecided(Exception):
    """The object was made, and the question could not be answered; the text says why."""


def has(owner: Any, pair: tuple[str, str]) -> bool:
    """Tell whether an object has both methods."""
    return all(callable(getattr(owner, name, None)) for name in pair)


def pair_of(owner: Any) -> tuple[Callable[[Any, Path], object], Callable[[Any, Path], object]]:
    """Return how an object is saved to a path and loaded from it, by the methods that it has."""
    for get, put in STATES[1:]:
        if has(owner, (get, put)):
            return (
                lambda source, path: torch.save(getattr(source, get)(), path),
                lambda target, path: getattr(target, put)(torch.load(path, weights_only=False)),
            )
    for save, load in FILES:
        if has(owner, (save, load)) and not required(getattr(owner, save)):
            # It knows itself where its file is.
            return (
                lambda source, path: getattr(source, save)(),
                lambda target, path: getattr(target, load)(),
            )
        if has(owner, (save, load)):
            return (
                lambda source, path: getattr(source, save)(str(path)),
                lambda target, path: getattr(target, load)(str(path)),
            )
    raise Undecided("no pair of methods that save and load it was found")
