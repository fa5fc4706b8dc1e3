"""Classes that nothing in a project of programs names, so that no object of them ever loses anything.

What a library defines is there for others: a class counts as unused only where some file of the project is run,
where nothing imports it, and where the project makes no objects by names that stand in configuration files.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.file_imports import closure
from flake8_ckpt.linking.file_imports import imported_files
from flake8_ckpt.linking.functions import is_test

# Whoever imports one of these may make objects of any class by its name: `_target_: models.Net` in a YAML file.
MAKERS = frozenset("hydra importlib gin jsonargparse mmcv mmengine detectron2 fvcore pydoc pkgutil".split())


class UnusedClasses:
    """Asks the texts and the import tables of all files for the names of classes."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols

    def is_unused(self, class_id: str) -> bool:
        """Tell whether nothing names a class or one that derives from it, in a folder that programs work with."""
        if self._makes_by_name or not self._is_of_programs(class_id.partition(":")[0]):
            return False
        return not any(self._is_named(each) for each in (class_id, *self.hierarchy.subclasses(class_id)))

    def _is_named(self, class_id: str) -> bool:
        path = class_id.partition(":")[0]
        if class_id in self._imported or path in self._open:
            return True
        return self.symbols.classes[class_id].named and (self.symbols.files[path].runs or path in self._used)

    def _is_of_programs(self, path: str) -> bool:
        """Tell whether a file lies below a program, or beside files that one imports: its users are seen."""
        folders, reached = self._programs
        return path.partition("/")[0] in reached or any(path.startswith(each) for each in folders)

    @cached_property
    def _programs(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the folders of the programs, and the first folders of all that they import."""
        files = self.symbols.files.items()
        programs = [path for path, facts in files if facts.runs and not is_test(path)]
        used = closure(programs, imported_files(self.symbols))
        folders = frozenset(path[: path.rfind("/") + 1] for path in programs)
        return folders, frozenset(path.partition("/")[0] for path in used if "/" in path)

    @cached_property
    def _makes_by_name(self) -> bool:
        names = (name for path in self.symbols.files for name in self._imports(path))
        return any(name.partition(".")[0] in MAKERS for name in names)

    @cached_property
    def _imported(self) -> frozenset[str]:
        """Return what files import by its name."""
        return frozenset(target for _, target in self._targets())

    @cached_property
    def _used(self) -> frozenset[str]:
        """Return the files of which others import something."""
        found = ((path, self.symbols.module_of(target, path)) for path, target in self._targets())
        return frozenset(used for path, used in found if used != path)

    @cached_property
    def _open(self) -> frozenset[str]:
        """Return the files that others import as a whole, or all names of: any class of them may be meant."""
        return frozenset(self._wholes())

    def _wholes(self) -> Iterator[str]:
        for path, facts in self.symbols.files.items():
            modules = (name for name in self._imports(path) if ":" not in self.symbols.resolve(name, path))
            for name in (*facts.stars, *modules):
                yield self.symbols.module_of(f"{name}.*", path)

    def _targets(self) -> Iterator[tuple[str, str]]:
        for path in self.symbols.files:
            for name in self._imports(path):
                yield path, self.symbols.resolve(name, path)

    def _imports(self, path: str) -> Iterator[str]:
        yield from self.symbols.imports[path].values()
        yield from self.symbols.files[path].inner_imports
