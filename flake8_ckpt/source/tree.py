"""Walking the stdlib's tree: statements, definitions and their text; expressions are left alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Union

from flake8_ckpt.source.signals import LOGGERS

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
# A class or a function with its qualified name.
Definition = tuple[str, Union[ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef]]
# The blocks of each statement that has some, the last one first.
BLOCKS: dict[type, tuple[str, ...]] = {
    ast.If: ("orelse", "body"),
    ast.For: ("orelse", "body"),
    ast.AsyncFor: ("orelse", "body"),
    ast.While: ("orelse", "body"),
    ast.With: ("body",),
    ast.AsyncWith: ("body",),
    ast.Try: ("finalbody", "orelse", "handlers", "body"),
    ast.Match: ("cases",),
}
if sys.version_info >= (3, 11):
    BLOCKS[ast.TryStar] = BLOCKS[ast.Try]


def first_line(node: ast.ClassDef | Function) -> int:
    """Return the line where a definition starts, decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a body in order, those of nested blocks too, but not of nested definitions."""
    found = []
    stack = body[::-1]
    while stack:
        node = stack.pop()
        found.append(node)
        for name in BLOCKS.get(type(node), ()):
            block = getattr(node, name)
            if name in ("handlers", "cases"):
                stack.extend(inner for each in reversed(block) for inner in reversed(each.body))
            else:
                stack.extend(reversed(block))
    return found


class Source:
    """The lines of a file and its definitions; of each of these the text and the statements, put together once."""

    def __init__(self, tree: ast.Module, lines: list[str]) -> None:
        self.lines = lines
        self._texts: dict[int, str] = {}
        self._statements: dict[int, list[ast.stmt]] = {}
        self.definitions: list[Definition] = list(self._definitions(tree))

    def _definitions(self, tree: ast.Module) -> Iterator[Definition]:
        stack = [(statements(tree.body), "")]
        while stack:
            block, outer = stack.pop()
            for node in block:
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    name = f"{outer}.{node.name}" if outer else node.name
                    yield name, node
                    stack.append((self.statements(node), name))

    def statements(self, node: ast.ClassDef | Function) -> list[ast.stmt]:
        """Return the statements of a definition, those of nested blocks too, but not of nested definitions."""
        found = self._statements.get(id(node))
        if found is None:
            found = self._statements[id(node)] = statements(node.body)
        return found

    def functions(self, node: ast.ClassDef) -> list[Function]:
        """Return the methods of a class."""
        return [
            each
            for each in self.statements(node)
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]

    def text(self, node: ast.ClassDef | Function) -> str:
        """Return the text of a definition, decorators included."""
        found = self._texts.get(id(node))
        if found is None:
            found = self._texts[id(node)] = text_of(node, self.lines)
        return found


def defaults_of(node: Function) -> list[ast.expr]:
    """Return the defaults of a function's parameters: they are evaluated where it is defined."""
    return [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]


def text_of(node: ast.stmt, lines: list[str]) -> str:
    return (
        "\n".join(lines[first_line(node) - 1 : node.end_lineno])
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        else "\n".join(lines[node.lineno - 1 : node.end_lineno])
    )


def segment(node: ast.expr, lines: list[str]) -> str:
    """Return the text of an expression on one line; only its ASCII is right."""
    whole = lines[node.lineno - 1 : node.end_lineno]
    text = [
        line if line.isascii() else line.encode().decode("latin-1") for line in whole
    ]  # a byte a character
    text[-1] = text[-1][: node.end_col_offset]
    text[0] = text[0][node.col_offset :]
    return " ".join(text)


def dotted(node: ast.expr) -> str:
    """Return the dotted name that an expression is, or an empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def is_idle(node: ast.stmt) -> bool:
    """Tell whether a statement only raises, documents or logs: nothing in it is looked at."""
    if isinstance(node, ast.Raise):
        return True
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    if isinstance(value, ast.Constant):
        return True
    while isinstance(value, (ast.Call, ast.Attribute)):
        value = value.func if isinstance(value, ast.Call) else value.value
    return isinstance(value, ast.Name) and value.id in LOGGERS


def is_main(test: ast.expr) -> bool:
    """Tell whether a test is `__name__ == "__main__"`: what stands under it runs when the file is the program."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    names = [each.id for each in sides if isinstance(each, ast.Name)]
    texts = [each.value for each in sides if isinstance(each, ast.Constant)]
    return names == ["__name__"] and texts == ["__main__"]
