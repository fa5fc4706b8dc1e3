"""Which keys of a mapping an `if` asks for, so that what runs under it is skipped where they are absent."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import FLOW
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.source.tree import dotted

# Reads that fail where the key is absent, or that ask for no key.
CERTAIN = frozenset(["required", "wholesale"])


def asked_in(test: ast.expr, guards: Iterable[Guard], first: int, frame: Frame) -> list[int]:
    """Return the key reads that a test asks: its own, from `first` on, and those whose result a local holds."""
    reads = [*range(first, len(frame.key_reads)), *_held(test, guards, frame)]
    asked = [index for index in reads if frame.key_reads[index].kind not in CERTAIN]
    return [] if asked and _has_or(test) else asked


def fetched_in(test: ast.expr, first: int, frame: Frame) -> list[int]:
    """Return the key reads from `first` on that go into an attribute which a test looks for with `getattr`."""
    reads = range(first, len(frame.key_reads))
    if not reads:
        return []
    names = _fetched(test)
    return [index for index in reads if any(_is_named(target, names) for target in frame.flows_of(index))]


def _held(test: ast.expr, guards: Iterable[Guard], frame: Frame) -> list[int]:
    names = [guard.name for guard in guards if guard.kind == "present"]
    names += [test.id] if isinstance(test, ast.Name) else []
    tokens = {token for name in names for token in frame.state.taint.get(name, ()) if token.startswith(FLOW)}
    return sorted(int(token[len(FLOW) :]) for token in tokens)


def _has_or(test: ast.expr) -> bool:
    return any(isinstance(each, ast.Or) for each in ast.walk(test))


def _fetched(test: ast.expr) -> set[object]:
    return {
        each.args[1].value
        for each in ast.walk(test)
        if isinstance(each, ast.Call)
        and dotted(each.func) == "getattr"
        and len(each.args) > 1
        and isinstance(each.args[1], ast.Constant)
    }


def _is_named(target: object, names: set[object]) -> bool:
    return isinstance(target, v.Attr) and target.name in names
