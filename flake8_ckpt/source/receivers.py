"""Methods whose first parameter is not called `self`: they are read as if it were."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import definitions
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import functions

# A first look at the text: an indented function whose first parameter is none of the usual ones.
OTHERS = re.compile(r"^[ \t]+(?:async )?def \w+\(\s*(?!self\b|cls\b)[A-Za-z_]\w*\s*[,)=:]", re.MULTILINE)
USUAL = frozenset(["self", "cls", "mcs", "metacls"])
WITHOUT_RECEIVER = frozenset(["staticmethod", "classmethod", "abc.abstractclassmethod"])
TAKES_CLASS = frozenset(["__new__", "__init_subclass__", "__class_getitem__"])


def rename_receivers(tree: ast.Module, text: str) -> str:
    """Call the first parameter of each method `self` in a tree; return the text with `self.` for it.

    Columns of the new text are not those of the tree.
    """
    if OTHERS.search(text) is None:
        return text
    lines = text.split("\n")
    for method, name in _renamed(tree):
        _rename(method, name)
        written = re.compile(rf"(?<![\w.]){re.escape(name)}(?=\s*\.)")
        for index in range(method.lineno - 1, method.end_lineno or method.lineno):
            lines[index] = written.sub("self", lines[index])
    return "\n".join(lines)


def _renamed(tree: ast.Module) -> Iterator[tuple[Function, str]]:
    """Yield the methods that call the object they run on something else, with that name."""
    for _, node in definitions(tree.body, ""):
        if isinstance(node, ast.ClassDef) and "type" not in map(dotted, node.bases):
            for method in functions(node.body):
                name = _receiver(method)
                if name and not _is_taken(method, name):
                    yield method, name


def _receiver(method: Function) -> str:
    """Return what a method calls the object it runs on, where that is not `self`."""
    arguments = [*method.args.posonlyargs, *method.args.args]
    decorators = map(dotted, method.decorator_list)
    if not arguments or method.name in TAKES_CLASS or not WITHOUT_RECEIVER.isdisjoint(decorators):
        return ""
    return "" if arguments[0].arg in USUAL else arguments[0].arg


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
