"""Attributes that a class saves and restores by name: `getattr(self, name).state_dict()` for listed ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted

# `getattr(self, name)`, `self.__dict__[name]`, `vars(self)[name]`, where the name is no literal.
BY_NAME = re.compile(r"(?:\bgetattr\(\s*self\s*,|\bself\.__dict__\[|\bvars\(self\)\[)\s*(?![\"'\s])")
STATE = re.compile(r"\b(?:load_)?state_dict\b")
GROWS = frozenset(["append", "add", "insert", "extend"])


def listed(
    node: ast.ClassDef,
    methods: Sequence[Function],
    text: Callable[[Function], str],
    names_of_script: Callable[[], Sequence[str]],
) -> tuple[tuple[str, ...], bool]:
    """Return the names that lists of a class hold, and whether it keeps the attributes of such names.

    The names of the script, which are the same for every class, are asked for where they count.
    A class whose base may keep them is asked for the lists of its body and its constructor, too; a module keeps its
    parts by itself.
    """
    keeps = keeps_by_name(methods, text)
    if not keeps and (not node.bases or any(dotted(each).endswith("Module") for each in node.bases)):
        return (), False
    names = [*listed_in([node]), *names_of_script()] if keeps else listed_in(list(_set_up(node)))
    return tuple(dict.fromkeys(names)), keeps


def _set_up(node: ast.ClassDef) -> Iterator[ast.stmt]:
    """Yield the statements of a class that run before any other method does."""
    for each in node.body:
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) or each.name == "__init__":
            yield each


def keeps_by_name(methods: Sequence[Function], text: Callable[[Function], str]) -> bool:
    """Tell whether a method asks for, or restores, the state of attributes whose names are values."""
    texts = (text(each) for each in methods)
    return any(BY_NAME.search(each) is not None and STATE.search(each) is not None for each in texts)


def listed_in(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield the names that stand in lists and as values of dicts, or that are added to a list."""
    for node in (each for stmt in body for each in ast.walk(stmt)):
        yield from (
            each.value
            for each in _items(node)
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier()
        )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
            text = node.func.value
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield from (each for each in text.value.replace(",", " ").split() if each.isidentifier())


def _items(node: ast.AST) -> Sequence[ast.expr]:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in GROWS:
        return node.args
    return ()
