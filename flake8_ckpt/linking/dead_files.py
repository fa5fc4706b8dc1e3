"""Files that no program reaches: archives and copies, and files that nothing imports where a project has programs.

What a library defines is there for others: a file counts as dead only in folders that programs work with, and
where no configuration may name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.linking.file_imports import closure
from flake8_ckpt.linking.file_imports import imported_files
from flake8_ckpt.linking.file_imports import reversed_edges
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.symbols import Symbols
from flake8_ckpt.source.outline import SCRIPT

# Whoever imports one of these may make objects of any class by its name: `_target_: models.Net` in a YAML file.
MAKERS = frozenset("hydra gin jsonargparse mmcv mmengine detectron2 fvcore pydoc pkgutil runpy".split())
# `archive/`, `src/old/`, `old_stack/`, `train copy.py`, `net_backup.py`
STRAY = re.compile(
    r"(?:^|/)(?:archived?|attic|backups?|bak|deprecated|graveyard|obsolete|old|old_\w+|\w+_old|trash|unused)(?:/|$)"
    r"|[ _-](?:copy(?:[ _-]?\d+)?|old|bak|backup)\.py$",
    re.IGNORECASE,
)
# A function by which a console script, or whoever reads the file, runs it.
ENTRIES = frozenset(["main", "cli", "run", "train"])


class DeadFiles:
    """Asks the import tables of all files who uses whom."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self._used = imported_files(symbols)
        self._users = reversed_edges(self._used)

    def is_dead(self, path: str) -> bool:
        """Tell whether no program reaches a file, or it was put away."""
        if path not in self.symbols.files:
            return False
        return self.is_put_away(path) or self._is_unreached(path)

    def is_put_away(self, path: str) -> bool:
        """Tell whether a file lies among what was put away, and nothing from outside imports it."""
        if STRAY.search(path) is None:
            return False
        users = closure([path], self._users)
        return all(STRAY.search(each) is not None for each in users)

    def _is_unreached(self, path: str) -> bool:
        facts = self.symbols.files[path]
        if facts.runs or any(each.name == SCRIPT and each.contract for each in facts.functions):
            return False
        if is_test(path) or self._users.get(path, set()) - {path}:
            return False
        if (
            self._is_installed
            or self._makes_by_name
            or not self._is_of_programs(path)
            or self._is_named(path)
        ):
            return False
        return ENTRIES.isdisjoint(each.name for each in facts.functions)

    def _is_named(self, path: str) -> bool:
        """Tell whether some file may mean this one: by a dynamic import, or an import that is not understood."""
        module = path.removesuffix(".py").replace("/", ".")
        stem = module.rpartition(".")[2]
        if stem == "__init__" or stem in self._mentioned:
            return True
        return any(pattern.search(module) for pattern in self._patterns)

    def _is_of_programs(self, path: str) -> bool:
        """Tell whether a file lies below a program, or beside files that one imports: its users are seen."""
        folders, reached = self._programs
        return path.partition("/")[0] in reached or any(path.startswith(each) for each in folders)

    @cached_property
    def _programs(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the folders of the programs, and the first folders of all that they import."""
        files = self.symbols.files.items()
        programs = [
            path for path, facts in files if facts.runs and not is_test(path) and not STRAY.search(path)
        ]
        used = closure(programs, self._used)
        folders = frozenset(path[: path.rfind("/") + 1] for path in programs)
        return folders, frozenset(path.partition("/")[0] for path in used if "/" in path)

    @property
    def _is_installed(self) -> bool:
        """Whether the project is a package for others: they may import any file of it."""
        return "setup.py" in self.symbols.files

    @cached_property
    def _makes_by_name(self) -> bool:
        names = (name for path in self.symbols.files for name in self._imports(path))
        return any(name.partition(".")[0] in MAKERS for name in names)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        """Return what the modules are called that are imported by a name put together: "models.*_model"."""
        names = {name for facts in self.symbols.files.values() for name in facts.dynamic_imports}
        return tuple(
            re.compile(rf"(?:^|\.){re.escape(each)}$".replace(r"\*", r"[^.]*")) for each in sorted(names)
        )

    @cached_property
    def _mentioned(self) -> frozenset[str]:
        """Return all parts of the names that other files import."""
        return frozenset(
            part
            for path in self.symbols.files
            for name in self._imports(path)
            for part in re.split(r"[.:]", self.symbols.resolve(name, path) + "." + name)
        )

    def _imports(self, path: str) -> Iterator[str]:
        yield from self.symbols.imports[path].values()
        yield from self.symbols.files[path].inner_imports
        yield from self.symbols.files[path].stars
