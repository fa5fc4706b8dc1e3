"""Methods whose first parameter is not called `self`: they are read as if it were."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import Source
from flake8_ckpt.source.tree import dotted

USUAL = frozenset(["self", "cls", "mcs", "metacls"])
WITHOUT_RECEIVER = frozenset(["staticmethod", "classmethod", "abc.abstractclassmethod"])
TAKES_CLASS = frozenset(["__new__", "__init_subclass__", "__class_getitem__"])


def rename_receivers(source: Source) -> list[str]:
    """Call the first parameter of each method `self` in a tree; return the lines with `self.` for it.

    Columns of the new lines are not those of the tree.
    """
    renamed = list(_renamed(source))
    if not renamed:
        return source.lines
    lines = list(source.lines)
    for method, name in renamed:
        _rename(method, name)
        written = re.compile(rf"(?<![\w.]){re.escape(name)}(?=\s*\.)")
        for index in range(method.lineno - 1, method.end_lineno or method.lineno):
            lines[index] = written.sub("self", lines[index])
    return lines


def _renamed(source: Source) -> Iterator[tuple[Function, str]]:
    """Yield the methods that call the object they run on something else, with that name."""
    for _, node in source.definitions:
        if isinstance(node, ast.ClassDef) and "type" not in map(dotted, node.bases):
            for method in source.functions(node):
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
