"""The text of a key that is named, put together or computed, as far as one file can spell it.

A key is mostly a literal. What else stands in brackets becomes text too: `*` for a computed part, and a
reference for what linking knows better: `${keys.NET}` for a global name, `${self.NET}` for an attribute of the
object, `${=key}` for a parameter. So `ckpt[f"{PREFIX}_{i}"]` takes the key `${:PREFIX}_*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import product

from flake8_ckpt.facts import values as v

MAX_STRING = 120
MAX_PARTS = 64
ANY = "*"
# What stands for the keys of a mapping that a display spreads: `{**base, "step": 1}`.
SPREAD = "**"
STARS = re.compile(r"\*{2,}")
REFERENCE = re.compile(r"\$\{([^{}]*)\}")
PARAMETER = re.compile(r"\$\{=[^{}]*\}")
# What `"%s_%02d" % (a, b)` and `"{}_{:02d}".format(a, b)` leave open.
FIELDS = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[sdirfg]|\{[^{}]*\}")


def as_key(value: v.Value) -> v.Value:
    """Return the key that a value is: its text where some of it is known, else the value itself."""
    if isinstance(value, v.Const):
        return value
    if isinstance(value, v.Join):
        return v.join([as_key(option) for option in value.options])
    text = text_of(value)
    return value if text == ANY else v.Const(text)


def as_written_key(value: v.Value, followed: bool) -> v.Value:
    """Return the key that a mapping is given; one that only a caller could name is not known.

    Where saving and loading is not `followed`, only literals are.
    """
    key = as_key(value)
    if not isinstance(key, v.Const) or not isinstance(key.value, str):
        return key
    if is_computed(key.value) and (not followed or put_together([PARAMETER.sub(ANY, key.value)]) == ANY):
        return v.UNKNOWN
    return key


def text_of(value: v.Value) -> str:
    """Return the text of one value, `*` where nothing is known."""
    if isinstance(value, v.Const):
        return value.value if isinstance(value.value, str) else ANY
    if isinstance(value, v.Name):
        return f"${{{value.path}}}"
    if isinstance(value, v.Attr):
        return f"${{self.{value.name}}}" if value.base == v.SELF else ANY
    if isinstance(value, v.Param):
        return f"${{={value.name}}}"
    if isinstance(value, v.Item) and isinstance(value.base, v.Name) and isinstance(value.key, v.Const):
        return f"${{{value.base.path}.{value.key.value}}}"
    return put_together(map(text_of, value.operands)) if isinstance(value, v.Arith) else ANY


def put_together(parts: Iterable[str]) -> str:
    """Return several texts as one; a long one is not known."""
    text = STARS.sub(ANY, "".join(parts))
    return text if len(text) <= MAX_STRING else ANY


def is_computed(text: str) -> bool:
    """Tell whether a part of a key is not known."""
    return ANY in text or "${" in text


def is_unknown(text: str) -> bool:
    """Tell whether nothing of a key is known."""
    return text in (ANY, SPREAD) or "${" in text and put_together([REFERENCE.sub(ANY, text)]) == ANY


@lru_cache(maxsize=4096)
def are_one_key(one: str, other: str) -> bool:
    """Tell whether two keys may be the same: `*` in either stands for anything."""
    if one == other:
        return True
    return _fits(one, other) or _fits(other, one)


def _fits(pattern: str, text: str) -> bool:
    if not is_computed(pattern):
        return False
    parts = map(re.escape, re.split(r"\*|\$\{[^{}]*\}", pattern))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def string_of(parts: list[v.Value]) -> v.Value:
    """Return the string that some parts make: each of several, where all parts are literals."""
    parts = parts[:MAX_PARTS]
    texts = [list(map(text_of, v.options_of(part))) for part in parts]
    count = 1
    for each in texts:
        count *= len(each)
    if count <= v.MAX_OPTIONS and not any(map(is_computed, (text for each in texts for text in each))):
        return v.join([v.Const("".join(chosen)[:MAX_STRING]) for chosen in product(*texts)])
    known = (each[0] if len(each) == 1 else ANY for each in texts)
    return v.Arith(tuple(v.NUMBER if text == ANY else v.Const(text) for text in known))


def formatted(template: str) -> v.Value:
    """Return the string that a template makes of values that are not known."""
    parts: list[v.Value] = []
    for index, part in enumerate(FIELDS.split(template)):
        parts += [v.NUMBER] if index else []
        parts += [v.Const(part)] if part else []
    return v.Arith(tuple(parts[:MAX_PARTS]))
