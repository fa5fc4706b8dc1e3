"""Import the file of a class, with other content if need be, and without what it runs at its top level."""

from __future__ import annotations
import __future__

import ast
import importlib
import importlib.util
import linecache
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from types import ModuleType
from typing import Any
from typing import cast

from flake8_ckpt.runtime.prove.stand_ins import StandIns
from flake8_ckpt.runtime.prove.stand_ins import stand_in

MOST_STAND_INS = 25
# What a script does rather than defines: its training loop, its calls.
DOINGS = (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Delete, ast.Assert)

RELATIVE = re.compile(r"^\s*from \.", re.MULTILINE)


class NotImported(Exception):
    """The file of the class cannot be imported; the text says why."""


@dataclass
class SourceFile:
    """A file of the project as a module: its name, where packages are looked for, and what was left out."""

    path: Path
    text: str
    name: str
    folders: tuple[Path, ...]
    skipped: list[str] = field(default_factory=list)
    stand_ins: StandIns = field(default_factory=StandIns)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> Any:
        """Find this file, with its text, when its module is imported."""
        if name != self.name:
            return None
        places = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=cast(Any, self), submodule_search_locations=places
        )

    def create_module(self, spec: Any) -> None:
        """Let Python make the module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the statements that define something, one by one; one that fails is left out."""
        tree = ast.parse(self.text, str(self.path))
        linecache.cache[str(self.path)] = (len(self.text), None, self.text.splitlines(True), str(self.path))
        flags = __future__.annotations.compiler_flag if _postpones_annotations(tree) else 0
        self.skipped.clear()
        for node in tree.body:
            if not isinstance(node, DOINGS) and not _is_call(node) and not _is_main(node):
                self._run(node, module, flags)

    def _run(self, node: ast.stmt, module: ModuleType, flags: int) -> None:
        try:
            code = compile(ast.Module([node], []), str(self.path), "exec", flags, dont_inherit=True)
            exec(code, module.__dict__)
        except ModuleNotFoundError as error:
            if self.stand_ins.allow(error.name):
                raise
            self._leave_out(node, module, error)
        except (Exception, SystemExit) as error:
            self._leave_out(node, module, error)

    def _leave_out(self, node: ast.stmt, module: ModuleType, error: BaseException) -> None:
        """Note a statement that fails; what it would have imported is stood in for."""
        self.skipped.append(
            f"line {node.lineno}: {type(error).__name__}: {' '.join(str(error).split())[:120]}"
        )
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                module.__dict__.setdefault(name, stand_in(name))


def _postpones_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and node.names[0].name == "annotations"
        for node in tree.body
    )


def _is_call(node: ast.stmt) -> bool:
    """Tell whether a statement only calls something, other than for the path of modules."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and not ast.unparse(node).startswith("sys.path")
    )


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def import_file(root: Path, path: Path, text: str | None) -> tuple[ModuleType, SourceFile]:
    """Return the module of a file, and what had to be left out; raise `NotImported`."""
    source = _source_of(root, path, path.read_text(encoding="utf-8") if text is None else text)
    sys.path[:0] = [str(folder) for folder in source.folders]
    sys.argv[:] = [str(path)]
    sys.meta_path.insert(0, source)
    sys.meta_path.append(source.stand_ins)
    before = set(sys.modules)
    reason = ""
    for is_bare in (False, True):
        for _ in range(MOST_STAND_INS):
            _forget(before, source)
            if is_bare:
                _make_bare_packages(source)
            try:
                return importlib.import_module(source.name), source
            except ModuleNotFoundError as error:
                reason = str(error)
                if error.name is None or not (
                    error.name.partition(".")[0] in source.stand_ins.names
                    or source.stand_ins.allow(error.name)
                ):
                    break
            except (Exception, SystemExit) as error:
                reason = f"{type(error).__name__}: {error}"
                break
    raise NotImported(f"{path.name} cannot be imported: {reason}")


def _forget(before: set[str], source: SourceFile) -> None:
    """Forget the modules of the project, and those that stood in, so that the next try begins anew."""
    top = source.name.partition(".")[0]
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        ours = name.partition(".")[0] == top or file.startswith(tuple(f"{each}/" for each in source.folders))
        if ours and "site-packages" not in file.removeprefix(str(source.path.parent)):
            del sys.modules[name]


def _make_bare_packages(source: SourceFile) -> None:
    """Make the packages above the module without running their `__init__`."""
    parts = source.name.split(".")[:-1]
    folder = source.path.parents[len(parts)]
    for depth, part in enumerate(parts, start=1):
        folder /= part
        name = ".".join(parts[:depth])
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        package.__file__ = str(folder / "__init__.py")
        sys.modules[name] = package


def _source_of(root: Path, path: Path, text: str) -> SourceFile:
    """Return the name of a module by the packages around it, and the folders from which it may import."""
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    if parts[-1] == "__init__":
        parts.pop()
    folders = dict.fromkeys([folder, root, root / "src"])
    if len(parts) == 1 and RELATIVE.search(text) and path.is_relative_to(root) and path.parent != root:
        # A namespace package, which has no `__init__`.
        return SourceFile(path, text, ".".join(path.relative_to(root).with_suffix("").parts), (root,))
    if parts[0] in sys.modules:
        parts[0] = f"proved_{parts[0]}" if len(parts) == 1 else parts[0]
    if len(parts) == 1 and path.parent != root:
        folders = dict.fromkeys([path.parent, *path.parents[: _depth(root, path)], root, root / "src"])
    return SourceFile(path, text, ".".join(parts), tuple(each for each in folders if each.is_dir()))


def _depth(root: Path, path: Path) -> int:
    """Return how many folders lie between a file and the root."""
    return len(path.relative_to(root).parts) - 1 if path.is_relative_to(root) else 1


def import_more(root: Path, path: Path, source: SourceFile) -> ModuleType:
    """Return the module of another file of the project; raise `NotImported`."""
    name = _source_of(root, path, path.read_text(encoding="utf-8", errors="replace")).name
    for _ in range(MOST_STAND_INS):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not source.stand_ins.allow(error.name):
                raise NotImported(str(error)) from error
        except (Exception, SystemExit) as error:
            raise NotImported(f"{type(error).__name__}: {error}") from error
    raise NotImported(name)
