"""The arguments of a constructor that can be written down: plain values, as text that gives them back."""

from __future__ import annotations

import math
import re
from typing import Any
from typing import Optional

# So many ways to make an object of one class are of use to someone who wants to make another.
MAX_OF_CLASS = 3
MAX_ITEMS = 16
MAX_DEPTH = 3
# Names of modes and layers, not texts; what may be a secret is not written down.
WORD = re.compile(r"[\w.:/ -]{0,24}")
SECRET = re.compile(r"(token|secret|password|passwd|credential|auth|(^|_)key)", re.IGNORECASE)


def plain_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, str]:
    """Return the plain arguments of a call, positional ones under their number; others are left out."""
    given = {**{str(number): value for number, value in enumerate(args)}, **kwargs}
    found = {name: text_of(value) for name, value in given.items() if not SECRET.search(name)}
    return {name: text for name, text in found.items() if text is not None}


def text_of(value: Any, depth: int = 0) -> Optional[str]:
    """Return a value of exact built-in types as a literal, or nothing; no code of the program runs."""
    kind = type(value)
    if value is None or kind in (bool, int):
        return repr(value) if kind is not int or value.bit_length() < 64 else None
    if kind is float:
        return repr(value) if math.isfinite(value) else None
    if kind is str:
        return repr(value) if WORD.fullmatch(value) else None
    if kind not in (list, tuple, dict) or depth == MAX_DEPTH or len(value) > MAX_ITEMS:
        return None
    if kind is dict and any(type(key) is str and SECRET.search(key) for key in value):
        return None
    items = [each for pair in value.items() for each in pair] if kind is dict else list(value)
    texts = [text_of(each, depth + 1) for each in items]
    known = [each for each in texts if each is not None]
    return _joined(kind, known) if len(known) == len(texts) else None


def _joined(kind: type[Any], texts: list[str]) -> str:
    if kind is dict:
        return f"{{{', '.join(f'{key}: {each}' for key, each in zip(texts[::2], texts[1::2]))}}}"
    if kind is list:
        return f"[{', '.join(texts)}]"
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
