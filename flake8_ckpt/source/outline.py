"""The classes and functions of a file, and which of their bodies libcst is to read: it is slow."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from flake8_ckpt.source.harmless import Function
from flake8_ckpt.source.select import ClassOutline
from flake8_ckpt.source.select import class_outline
from flake8_ckpt.source.select import plain_classes
from flake8_ckpt.source.select import plain_outline
from flake8_ckpt.source.select import select_functions
from flake8_ckpt.source.tree import definitions


@dataclass(frozen=True)
class Outline:
    """What a file defines; `functions` are those that linking may need, `selected` those to be read."""

    classes: tuple[ClassOutline, ...]
    functions: tuple[tuple[str, Function], ...]
    selected: tuple[Function, ...]


def outline(tree: ast.Module, lines: list[str]) -> Outline:
    """Find the classes and functions of a module, nested ones too, and select the bodies to read."""
    found = list(definitions(tree.body, ""))
    called: set[str] = set()
    plain = plain_classes(node for _, node in found if isinstance(node, ast.ClassDef))
    classes = []
    for name, node in found:
        if isinstance(node, ast.ClassDef):
            choose = plain_outline if node.name in plain else class_outline
            classes.append(choose(node, name, lines, called))
    inside = {id(method) for each in classes for method in each.methods}
    functions = tuple(
        (name, node)
        for name, node in found
        if not isinstance(node, ast.ClassDef) and id(node) not in inside
    )
    return Outline(tuple(classes), functions, tuple(select_functions(functions, lines, called)))
