"""Whether the programs of a project take the modules that they construct to another device."""

from __future__ import annotations

from functools import cached_property

from flake8_ckpt.linking.file_imports import closure
from flake8_ckpt.linking.file_imports import imported_files
from flake8_ckpt.linking.file_imports import reversed_edges
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.symbols import Symbols


class ModuleMoves:
    """Who moves what: a program is a file that is run, with all that it imports."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols

    def may_move(self, path: str) -> bool:
        """Tell whether the modules of a file are moved after construction.

        So says a program that reaches the file and moves something; what no program reaches is a library,
        whose users move what they construct.
        """
        moved, left = self._reached
        return path in moved or path not in left and not self._makes_all_on_one_device

    @cached_property
    def _makes_all_on_one_device(self) -> bool:
        """Whether the project's programs set a default device, on which a library of its own is used."""
        return any(
            facts.devices == "default" and facts.runs and not is_test(path)
            for path, facts in self.symbols.files.items()
        )

    @cached_property
    def _reached(self) -> tuple[set[str], set[str]]:
        """Return the files of the programs that move something, and those of the programs that do not."""
        used = imported_files(self.symbols)
        files = {path: facts for path, facts in self.symbols.files.items() if not is_test(path)}
        users = reversed_edges(used)
        movers = closure((path for path, facts in files.items() if facts.devices == "moved"), users)
        placed = closure((path for path, facts in files.items() if facts.devices == "default"), users)
        programs = {path for path, facts in files.items() if facts.runs}
        return closure(programs & movers - placed, used), closure(programs - (movers - placed), used)
