"""Which file of the project an import reaches, as Python finds it from the importing file."""

from __future__ import annotations

import sys
from collections.abc import Collection
from collections.abc import Iterator
from functools import cached_property
from posixpath import dirname

# More parts than any path of a project has; of longer dotted names only these ends are looked for.
MAX_PARTS = 12


class ModuleFiles:
    """The files of a project by the names under which they can be imported.

    What is on `sys.path` is not written down anywhere: the folder of the script, the root of the project, `src/`.
    So the folders around the importing file are tried, the nearest first, then the roots of all packages, and
    in the end the only file whose path ends so. `package` is the name that the root itself has as a package;
    `libraries` are names that are never looked for so loosely.
    """

    def __init__(
        self, files: Collection[str], package: str = "", libraries: frozenset[str] = frozenset()
    ) -> None:
        self.files = files
        self.package = package
        self.libraries = libraries | sys.stdlib_module_names
        self._found: dict[tuple[str, str], str | None] = {}
        self._folders: dict[str, str] = {}

    def find(self, name: str, path: str) -> str | None:
        """Return the file of an absolute dotted name, as the file at a path imports it."""
        if not self.may_hold(name):
            return None
        key = (name, self.folder_of(path))
        if key not in self._found:
            self._found[key] = self._find(*key)
        return self._found[key]

    def may_hold(self, name: str) -> bool:
        """Tell whether any file or folder has the first name of a dotted one: most names are of libraries."""
        return name.partition(".")[0] in self._parts

    @cached_property
    def _parts(self) -> frozenset[str]:
        """Return all names of files and folders, and of the packages around the root."""
        parts = {part for path in self.files for part in path.split("/")}
        return frozenset({part.removesuffix(".py") for part in parts} | {*self.package.split("."), ""})

    def folder_of(self, path: str) -> str:
        """Return the folder around a file or folder."""
        if path not in self._folders:
            self._folders[path] = dirname(path)
        return self._folders[path]

    def _find(self, name: str, folder: str) -> str | None:
        around = list(folders_around(folder))
        roots = [each for each in around if each not in self.regular]
        found = next(self._below(name, roots), None) or self._of_own_package(name) or self.named.get(name)
        if found is not None or name.partition(".")[0] in self.libraries:
            return found
        inside = next(self._below(name, [each for each in around if each in self.regular]), None)
        return inside or self.ends.get(name)

    def _below(self, name: str, roots: list[str]) -> Iterator[str]:
        for root in roots:
            found = self.below(root, name.split("."))
            if found is not None:
                yield found

    def _of_own_package(self, name: str) -> str | None:
        head, _, rest = name.partition(self.package) if self.package else (name, "", "")
        return self.below("", rest.strip(".").split(".")) if not head and rest[:1] in ("", ".") else None

    def below(self, folder: str, parts: list[str]) -> str | None:
        """Return the file that some parts of a dotted name lead to from a folder."""
        base = "/".join(each for each in (folder, *parts) if each)
        for path in (f"{base}.py", f"{base}/__init__.py") if base else ("__init__.py",):
            if path in self.files:
                return path
        return None

    @cached_property
    def regular(self) -> frozenset[str]:
        """Return the folders that have an `__init__.py`."""
        return frozenset(dirname(path) for path in self.files if path.endswith("__init__.py"))

    @cached_property
    def names(self) -> dict[str, str]:
        """Return the module name of each file, from the first folder around it that is no package."""
        names = {path: _module_name(path, self._import_root(path)) for path in self.files}
        if not self.package:
            return names
        return {path: f"{self.package}.{name}".rstrip(".") for path, name in names.items()}

    @cached_property
    def named(self) -> dict[str, str]:
        """Return the files by these names, and by their whole paths."""
        found: dict[str, str] = {}
        for path, name in self.names.items():
            found.setdefault(name, path)
        for path in self.files:
            found.setdefault(_module_name(path, ""), path)
        return found

    @cached_property
    def ends(self) -> dict[str, str]:
        """Return the files by the ends of their paths, of two parts or more, that no other file has."""
        found: dict[str, list[str]] = {}
        for path in self.files:
            parts = _module_name(path, "").split(".")[-MAX_PARTS:]
            for start in range(1, len(parts) - 1):
                found.setdefault(".".join(parts[start:]), []).append(path)
        return {name: paths[0] for name, paths in found.items() if len(paths) == 1}

    def _import_root(self, path: str) -> str:
        folder = dirname(path)
        while folder in self.regular and folder:
            folder = dirname(folder)
        return folder

    def relative(self, name: str, path: str) -> tuple[str, list[str]]:
        """Return the folder that a relative name starts from, as a file writes it, and the parts that follow."""
        rest = name.lstrip(".")
        folder = self.folder_of(path)
        for _ in range(len(name) - len(rest) - 1):
            folder = self.folder_of(folder)
        return folder, rest.split(".") if rest else []

    def absolute(self, name: str, path: str) -> str:
        """Return the absolute name of a relative one, by the packages around the file that writes it."""
        level = len(name) - len(name.lstrip("."))
        parts = self.names[path].split(".") if self.names.get(path) else []
        if not path.endswith("__init__.py"):
            level += 1
        base = parts[: len(parts) - level + 1] if level > 1 else parts
        return ".".join([*base, name.lstrip(".")])


def folders_around(folder: str) -> Iterator[str]:
    """Yield a folder and those around it, up to the root."""
    while folder:
        yield folder
        folder = dirname(folder)
    yield ""


def _module_name(path: str, root: str) -> str:
    relative = path[len(root) + 1 :] if root else path
    name = relative[:-3].replace("/", ".")
    return name[: -len(".__init__")] if name.endswith(".__init__") else "" if name == "__init__" else name
