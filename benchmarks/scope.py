"""Where the classes and functions of a file lie, and who inherits from whom, told by `ast` alone."""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Optional
from typing import Union

Scope = Union[ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef]
SCOPES = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def parse_file(path: Path) -> ast.Module:
    """Parse a file; one that is absent or cannot be parsed is an empty module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


def walk_scopes(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Scope]]:
    """Yield all classes and functions below a node with their qualified names, outer ones first."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, SCOPES):
            yield prefix + child.name, child
            yield from walk_scopes(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt):
            yield from walk_scopes(child, prefix)


def covers(scope: ast.stmt, line: int) -> bool:
    """Tell whether the line lies between the scope's first and last line."""
    return scope.lineno <= line <= (scope.end_lineno or scope.lineno)


def class_at(tree: ast.Module, line: int) -> Optional[ast.ClassDef]:
    """Return the innermost class around a line."""
    classes = [scope for _, scope in walk_scopes(tree) if isinstance(scope, ast.ClassDef)]
    return max((scope for scope in classes if covers(scope, line)), key=lambda s: s.lineno, default=None)


def outermost(tree: ast.Module, qualified_name: str) -> Optional[Scope]:
    """Return the module-level class or function that a qualified name starts with."""
    first = qualified_name.partition(".")[0]
    return next((scope for name, scope in walk_scopes(tree) if name == first), None)


@dataclass(frozen=True)
class ClassId:
    """A class of a package: its file and qualified name."""

    path: str
    name: str


@dataclass
class Hierarchy:
    """The classes of a package and their bases, as far as names tell."""

    trees: dict[str, ast.Module]
    classes: dict[ClassId, ast.ClassDef] = field(default_factory=dict)
    by_name: dict[str, list[ClassId]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """List the classes by file and by name."""
        for path, tree in self.trees.items():
            self.imports[path] = imported_names(tree)
            for name, scope in walk_scopes(tree):
                if isinstance(scope, ast.ClassDef):
                    found = ClassId(path, name)
                    self.classes[found] = scope
                    self.by_name[scope.name].append(found)

    def at(self, path: str, line: int) -> Optional[ClassId]:
        """Return the innermost class around a line."""
        around = [c for c, scope in self.classes.items() if c.path == path and covers(scope, line)]
        return max(around, key=lambda c: self.classes[c].lineno, default=None)

    def bases(self, of: ClassId) -> list[ClassId]:
        """Return the bases that are classes of this package."""
        scope = self.classes.get(of)
        names = [base_name(base) for base in scope.bases] if scope else []
        found = (self.resolve(of.path, name) for name in names)
        return [base for base in found if base and base != of]

    def resolve(self, path: str, name: str) -> Optional[ClassId]:
        """Find a class by the name that a file gives it; None where that is not clear."""
        module, real = self.imports[path].get(name, ("", name))
        known = self.by_name.get(real, [])
        same_file = [found for found in known if found.path == path and not module]
        same_module = [found for found in known if module and module_name(found.path).endswith(module)]
        best = same_file or same_module or known
        return best[0] if len(best) == 1 else None

    def ancestors(self, of: ClassId) -> list[ClassId]:
        """Return the class and all its bases."""
        found = [of]
        for one in found:
            found += [base for base in self.bases(one) if base not in found]
        return found


def read_hierarchy(root: Path) -> Hierarchy:
    """Read all classes below a directory."""
    paths = sorted(root.rglob("*.py"))
    return Hierarchy({path.relative_to(root).as_posix(): parse_file(path) for path in paths})


def imported_names(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Map each name of a `from` import to the last part of its module and the name there."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = (node.module or "").rpartition(".")[2]
            found.update({alias.asname or alias.name: (module, alias.name) for alias in node.names})
    return found


def module_name(path: str) -> str:
    """Return the dotted name of a root-relative file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def base_name(base: ast.expr) -> str:
    """Return the last part of a base's name: `Base` of `pkg.Base[T]`."""
    if isinstance(base, ast.Subscript):
        return base_name(base.value)
    if isinstance(base, ast.Attribute):
        return base.attr
    return base.id if isinstance(base, ast.Name) else ""


def attribute_lines(tree: ast.AST, name: str) -> list[int]:
    """Return the lines that mention `<anything>.name`, in order."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == name)
    return sorted({node.lineno for node in nodes})
