"""The classes and functions of a file, and which of their bodies are to be walked."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from typing import Optional

from flake8_ckpt.source.builders import builders_of
from flake8_ckpt.source.reach import Body
from flake8_ckpt.source.reach import on_the_way
from flake8_ckpt.source.running_statistics import keeps_statistics
from flake8_ckpt.source.select import ClassOutline
from flake8_ckpt.source.select import class_outline
from flake8_ckpt.source.select import plain_classes
from flake8_ckpt.source.select import plain_outline
from flake8_ckpt.source.select import select_functions
from flake8_ckpt.source.select import with_heirs
from flake8_ckpt.source.signals import CONSTRUCTORS
from flake8_ckpt.source.signals import ENVIRONMENTS
from flake8_ckpt.source.signals import Signals
from flake8_ckpt.source.signals import links
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import Source
from flake8_ckpt.source.tree import defaults_of
from flake8_ckpt.source.tree import statements
from flake8_ckpt.source.tree import text_of

SCRIPT = "<module>"
# A script is what runs beside imports and definitions, which have facts of their own.
LEFT_OUT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Outline:
    """What a file defines; `functions` are those that linking may need, `selected` those to be walked.

    `script` is what the file does when it runs, as a function, where that saves or loads something.
    All of a file that is `followed` is read closely: it works on environments with statistics to save.
    `on_the_way` are the ids of functions that lead to such ones, or that run as a program.
    """

    classes: tuple[ClassOutline, ...]
    functions: tuple[tuple[str, Function], ...]
    selected: tuple[Function, ...]
    script: Optional[Function] = None
    followed: bool = False
    on_the_way: frozenset[int] = frozenset()


def outline(tree: ast.Module, source: Source, signals: Signals) -> Outline:
    """Sort the definitions of a module, nested ones too, into classes and functions, and select the bodies to read."""
    lines = source.lines
    called: set[str] = set()
    plain = plain_classes(node for _, node in source.definitions if isinstance(node, ast.ClassDef))
    classes = []
    for name, node in source.definitions:
        if isinstance(node, ast.ClassDef):
            choose = plain_outline if node.name in plain else class_outline
            classes.append(choose(node, name, source, called, signals))
    inside = {id(method) for each in classes for method in each.methods}
    functions = tuple(
        (name, node)
        for name, node in source.definitions
        if not isinstance(node, ast.ClassDef) and id(node) not in inside
    )
    if is_followed(tree):
        return _followed(Outline(tuple(classes), functions, (), script_of(tree, lines, signals, True), True))
    classes = list(with_heirs(classes, source, signals))
    way = on_the_way(_bodies(functions, classes, source), tree, "\n".join(lines), signals)
    selected = tuple(select_functions(functions, source, called, signals, builders_of(tree)))
    before = {id(node) for node in selected}
    selected += tuple(node for _, node in functions if id(node) in way and id(node) not in before)
    return Outline(
        tuple(_with_methods(each, way) for each in classes),
        functions,
        selected,
        script_of(tree, lines, signals, bool(way)),
        False,
        way,
    )


def _bodies(
    functions: Iterable[tuple[str, Function]], classes: Iterable[ClassOutline], source: Source
) -> Iterator[Body]:
    for _, node in functions:
        yield Body(node, source.text(node))
    for each in classes:
        yield from (Body(method, source.text(method), each.node.name) for method in each.methods)


def _with_methods(found: ClassOutline, way: frozenset[int]) -> ClassOutline:
    """Select the methods too that lead to what saves or loads, and those that say what objects they do it with."""
    before = {id(each) for each in found.selected}
    if all(id(each) in before or id(each) not in way for each in found.methods):
        return found
    more = way | {id(each) for each in found.methods if each.name in CONSTRUCTORS}
    selected = tuple(each for each in found.methods if id(each) in before or id(each) in more)
    return replace(
        found, selected=selected, readers=tuple(each for each in found.readers if id(each) not in more)
    )


def classes_with_statistics(source: Source) -> Iterator[str]:
    """Yield the names of the classes of a file that seem to keep running statistics."""
    for _, node in source.definitions:
        if isinstance(node, ast.ClassDef) and keeps_statistics(source.text(node)):
            yield node.name


def is_followed(tree: ast.Module) -> bool:
    """Tell whether a module imports what makes or normalizes environments."""
    return any(ENVIRONMENTS.search(name) for name in _imports(tree))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in statements(tree.body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}".lstrip(".") for alias in node.names)


def _followed(found: Outline) -> Outline:
    """Select all bodies of a file."""
    classes = (replace(each, selected=each.methods, readers=(), keeper=True) for each in found.classes)
    return replace(found, classes=tuple(classes), selected=tuple(node for _, node in found.functions))


def script_of(
    tree: ast.Module, lines: list[str], signals: Signals, followed: bool = False
) -> Optional[Function]:
    """Return what a file does when it runs as a function named `<module>`, if that saves or loads something."""
    body = [each for node in tree.body for each in _run(node)]
    texts = [text_of(node, lines) for node in body]
    if not any(followed or signals.saves(text) or links(text) for text in texts):
        return None
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    script = ast.FunctionDef(name=SCRIPT, args=nothing, body=body, decorator_list=[], returns=None)
    script.lineno, script.col_offset = 1, 0
    script.end_lineno, script.end_col_offset = len(lines), 0
    return script


def _run(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield what a statement of a module does when the file runs: of a function, the calls in its defaults."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for each in defaults_of(node):
            if any(isinstance(part, ast.Call) for part in ast.walk(each)):
                yield ast.copy_location(ast.Expr(each), each)
    elif not isinstance(node, LEFT_OUT):
        yield node
