"""How a method that sets nothing of interest reads attributes of `self`: by its text alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from collections.abc import Iterator

from flake8_ckpt.facts.model import Use
from flake8_ckpt.facts.syntax import only_shows
from flake8_ckpt.findings import Position
from flake8_ckpt.frameworks.torch import MOVES
from flake8_ckpt.frameworks.torch import NOT_TENSOR_FIELDS
from flake8_ckpt.frameworks.torch import SHAPE_METHODS
from flake8_ckpt.source.signals import SELF_ATTRIBUTE
from flake8_ckpt.source.tree import Function

CONDITION = re.compile(r"\s*(?:if|elif|while|assert)\b")
TAIL = re.compile(r"\[[^\]]*\]\.\w+|\s*\.\s*\w+|\s*\(|\s*\[|\s+is\b|\s*%")
CALLED = re.compile(r"\s*([\w.]+)\(")
COMMENT = re.compile(r"#[^'\"]*$")


def mentioned(
    function: Function, lines: list[str], suspects: Collection[str], position: Position
) -> tuple[Use, ...]:
    """Return one use per attribute that a method mentions."""
    found: dict[str, dict[str, None]] = {}
    for line in lines[_body_line(function) - 1 : function.end_lineno]:
        if "self." in line:
            for attr, tail in _mentions(COMMENT.sub("", line) if "#" in line else line, suspects):
                found.setdefault(attr, {})[_how(tail, line)] = None
    return tuple(Use(attr, tuple(hows), True, position) for attr, hows in found.items())


def _mentions(line: str, suspects: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the suspects that a line names, with what follows them; what stands in their brackets is part of it."""
    match = SELF_ATTRIBUTE.search(line)
    while match is not None:
        end = match.end()
        if match[1] in suspects:
            tail = TAIL.match(line, end)
            end = tail.end() if tail is not None else end
            yield match[1], tail[0] if tail is not None else ""
        match = SELF_ATTRIBUTE.search(line, end)


def _body_line(function: Function) -> int:
    first = function.body[0]
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(function.body) > 1
    )
    return function.body[1 if documented else 0].lineno


def _how(tail: str, line: str) -> str:
    tail = tail.strip()
    if tail == "(":
        return "call"
    if tail == "is":
        return "none"
    if tail == "%":
        return "cadence" if CONDITION.match(line) else "plain"
    if tail.startswith("["):
        taken = tail.rpartition("].")[2] if "]." in tail else ""
        return f"element.{taken}" if taken else "test" if CONDITION.match(line) else "item"
    name = tail.lstrip(". ")
    if name in MOVES:
        return "moved"
    if name in NOT_TENSOR_FIELDS or name in SHAPE_METHODS:
        return "meta"
    if name:
        return f".{name}"
    if CONDITION.match(line):
        return "test"
    called = CALLED.match(line)
    return "shown" if called is not None and only_shows(called[1]) else "plain"
