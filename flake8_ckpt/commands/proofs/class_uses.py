"""Find how the code of a project uses a class: the arguments of each call, as text, and what derives from it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Mapping

from flake8_ckpt.engine import Analysis
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode

MOST_CALLS = 8
MOST_HEIRS = 4


def calls_of(found: Analysis, class_name: str) -> tuple[Mapping[str, str], ...]:
    """Return the arguments of calls of a class, positional ones under their number; those of tests come last."""
    name = class_name.rpartition(".")[2]
    calls: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
    for path in sorted(found.survey.digests, key=lambda each: ("test" in each, each)):
        for arguments in _calls_in(_text_of(found, path), name):
            calls.setdefault(tuple(arguments.items()), arguments)
            if len(calls) == MOST_CALLS:
                return tuple(calls.values())
    return tuple(calls.values())


def _text_of(found: Analysis, path: str) -> str:
    data = found.survey.content_of(path)
    try:
        return decode(data) if data is not None else ""
    except Unreadable:
        return ""


def heirs_of(found: Analysis, class_name: str) -> tuple[tuple[str, str], ...]:
    """Return the file and the name of classes that derive from a class, those of tests last."""
    name = class_name.rpartition(".")[2]
    heirs: list[tuple[str, str]] = []
    for path in sorted(found.survey.digests, key=lambda each: ("test" in each, each)):
        text = _text_of(found, path)
        for node in _nodes(text) if f"({name}" in text or f"{name})" in text or f"{name}," in text else ():
            if isinstance(node, ast.ClassDef) and any(_name_of(base) == name for base in node.bases):
                heirs.append((str(found.root / path), node.name))
    return tuple(heirs[:MOST_HEIRS])


def _nodes(text: str) -> Iterator[ast.AST]:
    try:
        return ast.walk(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError):
        return iter(())


def _calls_in(text: str, name: str) -> Iterator[Mapping[str, str]]:
    """Yield the arguments of each call of a name; calls that unpack something give only what they name."""
    for node in _nodes(text) if f"{name}(" in text else ():
        if isinstance(node, ast.Call) and _name_of(node.func) == name:
            positional = {str(at): ast.unparse(each) for at, each in enumerate(node.args)}
            named = {each.arg: ast.unparse(each.value) for each in node.keywords if each.arg}
            if not any(isinstance(each, ast.Starred) for each in node.args):
                yield {**positional, **named}


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
