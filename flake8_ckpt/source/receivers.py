"""Methods whose first parameter is not called `self`: they are read as if it were."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from collections.abc import Iterator

from flake8_ckpt.source.tree import Definition
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import functions

USUAL = frozenset(["self", "cls", "mcs", "metacls"])
WITHOUT_RECEIVER = frozenset(["staticmethod", "classmethod", "abc.abstractclassmethod"])
TAKES_CLASS = frozenset(["__new__", "__init_subclass__", "__class_getitem__"])


def rename_receivers(definitions: Iterable[Definition], lines: list[str]) -> list[str]:
    """Call the first parameter of each method `self` in a tree; return the lines with `self.` for it.

    Columns of the new lines are not those of the tree.
    """
    renamed = list(_renamed(definitions))
    if not renamed:
        return lines
    lines = list(lines)
    for method, name in renamed:
        _rename(method, name)
        written = re.compile(rf"(?<![\w.]){re.escape(name)}(?=\s*\.)")
        for index in range(method.lineno - 1, method.end_lineno or method.lineno):
            lines[index] = written.sub("self", lines[index])
    return lines


def _renamed(definitions: Iterable[Definition]) -> Iterator[tuple[Function, str]]:
    """Yield the methods that call the object they run on something else, with that name."""
    for _, node in definitions:
        if isinstance(node, ast.ClassDef) and "type" not in map(dotted, node.bases):
            for method in functions(node.body):
                name = _receiver(method)
                if name and not _is_taken(method, name):
                    yield method, name


def _receiver(method: Function) -> str:
    """Return what a method calls the object it runs on, where that is not `self`."""
    arguments = method.args.posonlyargs or method.args.args
    if not arguments or arguments[0].arg in USUAL or method.name in TAKES_CLASS:
        return ""
    decorators = map(dotted, method.decorator_list)
    return arguments[0].arg if WITHOUT_RECEIVER.isdisjoint(decorators) else ""


def _is_taken(method: Function, name: str) -> bool:
    """Tell whether a method binds the name once more, or has another `self`."""
    for node in ast.walk(method):
        if isinstance(node, ast.Name) and (node.id == "self" or node.id == name and _binds(node)):
            return True
    bound = [node.arg for node in ast.walk(method) if isinstance(node, ast.arg)]
    return "self" in bound or bound.count(name) > 1


def _binds(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _rename(method: Function, name: str) -> None:
    for node in ast.walk(method):
        if isinstance(node, ast.Name) and node.id == name:
            node.id = "self"
        elif isinstance(node, ast.arg) and node.arg == name:
            node.arg = "self"
