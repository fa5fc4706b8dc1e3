"""The source files of a run, read once: the classes in them, and what their methods do with attributes."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from flake8_ckpt.evidence.attribute_writes import FunctionUses
from flake8_ckpt.evidence.attribute_writes import Write
from flake8_ckpt.evidence.attribute_writes import functions_in
from flake8_ckpt.evidence.attribute_writes import uses_in
from flake8_ckpt.evidence.attribute_writes import uses_of
from flake8_ckpt.evidence.variables import Nature as VariableNature
from flake8_ckpt.evidence.variables import nature_of_variable
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse

CONSTRUCTORS = frozenset(["__init__", "__post_init__", "setup", "_setup_model", "__new__", "build"])
LOADERS = ("load", "restore", "set_state", "__setstate__", "set_parameters", "from_state")


@dataclass(frozen=True)
class ClassSource:
    """One class in its file."""

    file: str
    name: str
    line: int
    methods: dict[str, FunctionUses]

    def writes(self, attribute: str) -> list[Write]:
        """Return the statements that write an attribute, constructors first."""
        target = f"self.{attribute}"
        found = [write for uses in self.methods.values() for write in uses.writes if write.target == target]
        return sorted(found, key=lambda write: (write.function not in CONSTRUCTORS, write.line))

    def readers(self, attribute: str) -> set[str]:
        """Return the methods that read an attribute."""
        return {name for name, uses in self.methods.items() if f"self.{attribute}" in uses.reads}

    def is_called_by_constructor(self, method: str) -> bool:
        """Tell whether a constructor calls a method of its own object."""
        return any(
            f"self.{method}" in uses.calls for name, uses in self.methods.items() if name in CONSTRUCTORS
        )


@dataclass(frozen=True)
class FileSource:
    """One file: its classes by qualified name, and what its functions do."""

    path: str
    classes: dict[str, ClassSource]
    functions: list[tuple[str, FunctionUses]]
    bodies: dict[str, list[ast.stmt]]
    keys: frozenset[str]


class Sources:
    """The files of a run, by absolute path."""

    def __init__(self) -> None:
        self._files: dict[str, Optional[FileSource]] = {}

    def file(self, path: str) -> Optional[FileSource]:
        """Return what a file says, or None where it cannot be read."""
        if path not in self._files:
            self._files[path] = _read(path)
        return self._files[path]

    def classes(self, own: Sequence[tuple[str, str]]) -> list[ClassSource]:
        """Return the classes of an object that are the user's, in the order of resolution."""
        found = []
        for name, path in own:
            file = self.file(path)
            if file is not None and name in file.classes:
                found.append(file.classes[name])
        return found

    def variable_line(self, path: str, function: str, name: str) -> int:
        """Return the line that first sets a local variable, or 0."""
        return self.variable(path, function, name)[1]

    def variable(self, path: str, function: str, name: str) -> tuple[VariableNature, int]:
        """Return what a local variable of a function is, and the line that first sets it, or 0."""
        file = self.file(path)
        body = file.bodies.get(function.rpartition(".")[2]) if file is not None else None
        return nature_of_variable(body, name) if body is not None else ("unread", 0)

    def reads_key(self, key: str) -> bool:
        """Tell whether a known file takes this key out of a mapping: what became of it is not for a run to say."""
        return any(file is not None and key in file.keys for file in self._files.values())

    def outer_writes(self, attribute: str) -> Iterator[tuple[str, Write]]:
        """Yield the statements of known files that write an attribute of another object than themselves."""
        for path, file in list(self._files.items()):
            for _, uses in file.functions if file is not None else ():
                for write in uses.writes:
                    if write.target.endswith(f".{attribute}") and write.target != f"self.{attribute}":
                        yield path, write


def _read(path: str) -> Optional[FileSource]:
    try:
        tree = parse(decode(Path(path).read_bytes())).tree
    except (OSError, Unreadable, RecursionError):
        return None
    classes: dict[str, ClassSource] = {}
    functions: list[tuple[str, FunctionUses]] = []
    _collect(path, tree, "", classes, functions)
    functions.append(("<module>", uses_in("<module>", 1, tree.body, {})))
    return FileSource(path, classes, functions, _bodies(tree), frozenset(_keys_read(tree)))


def _keys_read(tree: ast.Module) -> Iterator[str]:
    """Yield the keys of `state["table"]`, `state.get("table")` and `state.pop("table")`."""
    for node in ast.walk(tree):
        key: Optional[ast.AST] = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            key = node.slice
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("get", "pop")
        ):
            key = node.args[0] if node.args else None
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def _bodies(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """Return the statements of each function, by its name alone; the module's are `<module>`."""
    found = {"<module>": tree.body}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.setdefault(node.name, node.body)
    return found


def _collect(
    path: str,
    tree: ast.AST,
    prefix: str,
    classes: dict[str, ClassSource],
    functions: list[tuple[str, FunctionUses]],
) -> None:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            name = f"{prefix}{node.name}"
            classes[name] = source = _class_source(path, name, node)
            functions += [(f"{name}.{method}", uses) for method, uses in source.methods.items()]
            _collect(path, node, f"{name}.", classes, functions)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if not isinstance(tree, ast.ClassDef):
                functions.append((f"{prefix}{node.name}", uses_of(node, {})))
            _collect(path, node, f"{prefix}{node.name}.<locals>.", classes, functions)
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            _collect(path, node, prefix, classes, functions)


def _class_source(path: str, name: str, node: ast.ClassDef) -> ClassSource:
    methods = {each.name: each for each in functions_in(node)}
    reads = {key: uses_of(each, {}).reads for key, each in methods.items()}
    return ClassSource(path, name, node.lineno, {key: uses_of(each, reads) for key, each in methods.items()})


@functools.cache
def restores(method: str) -> bool:
    """Tell whether a method brings state back, by its name."""
    return method.lstrip("_").startswith(LOADERS)
