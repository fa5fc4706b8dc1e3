"""The record of a statement that resets state, and what is certain about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.value_names import mentions

RESETS = re.compile(r"^_*(reset|reinit|init|clear|setup|set_?up|build|create|make|initiali[sz]e)")
# Methods of data that give statistics of it.
MEASURES = frozenset(["mean", "std", "var", "sum", "min", "max"])
MAX_DEPTH = 3


@dataclass(frozen=True)
class Reset:
    """A method sets an attribute to something fresh, at `spot`, whatever it held."""

    attr: str
    location: Spot
    constructs: bool
    is_number: bool


def is_certain(guards: tuple[str, ...]) -> bool:
    """Tell whether a statement runs whenever its function does, but for a check of an argument."""
    return all(guard.startswith(("present:", "some:", "has:", "about:")) for guard in guards)


def is_loaded(value: Value) -> bool:
    return any("load" in name.lower() or "from_" in name for name in mentions(value))
