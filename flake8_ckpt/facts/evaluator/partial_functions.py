"""Functions that hold a part of their arguments: what a call of one is in the end."""

from __future__ import annotations

from flake8_ckpt.facts import values as v

PARTIALS = frozenset(["partial", "functools.partial"])
Args = tuple[v.Value, ...]
Keywords = tuple[tuple[str, v.Value], ...]


def completed(callee: v.Value, args: Args, keywords: Keywords) -> tuple[v.Value, Args, Keywords]:
    """Return what a partial function calls in the end, with all that it is given."""
    held = callee.value if isinstance(callee, v.Local) else callee
    if not isinstance(held, v.Call) or not held.args:
        return callee, args, keywords
    if not isinstance(held.callee, v.Name) or held.callee.path not in PARTIALS:
        return callee, args, keywords
    named = dict(keywords)
    before = tuple((name, value) for name, value in held.keywords if name not in named)
    return held.args[0], (*held.args[1:], *args), (*before, *keywords)
