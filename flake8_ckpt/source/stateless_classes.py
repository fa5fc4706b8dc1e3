"""Module classes whose objects hold no weights and have no train mode, by their text: nothing is lost with them."""

from __future__ import annotations

import re

from flake8_ckpt.frameworks.torch import is_stateless

# Longer classes, and those that register, train or look themselves up, are not looked at.
MAX_TEXT = 4000
OTHER_STATE = re.compile(
    r"Parameter|Buffer|register_|add_module|setattr|training|Dropout|\bin self\.|\bcls\b"
)
MADE = re.compile(r"self\.(\w+)\s*(?::[^=\n]+)?=\s*(?:torch\.)?nn\.(\w+)\(")
CALLED = re.compile(r"self\.(\w+)\(")
METHODS = re.compile(r"\bdef (\w+)\(")
CONSTRUCTED = re.compile(r"(?<![\w.])(?:(?:torch\.)?nn\.)?([A-Z]\w*)\(")


def is_stateless_class(text: str) -> bool:
    """Tell whether all modules that a class makes or calls are stateless ones of torch."""
    if len(text) > MAX_TEXT or not ("nn." in text or "super()." in text) or OTHER_STATE.search(text):
        return False
    made = {attr: kind for attr, kind in MADE.findall(text) if is_stateless(f"torch.nn.{kind}")}
    if not set(CALLED.findall(text)) <= {*made, *METHODS.findall(text)}:
        return False
    body = text.partition("\n")[2]
    return set(CONSTRUCTED.findall(body)) <= set(made.values())
