"""The names of the objects whose state some function saves, loads or hands over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import functions_of
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.symbols import Symbols
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import mentions
from flake8_ckpt.losses.unsaved.unsaved_object import KEEPS


class SavedNames:
    """The last names of objects that a project takes care of."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.amp_set_up = symbols.known.hint("function", "sets up mixed precision")

    @cached_property
    def by_file(self) -> dict[str, set[str]]:
        """Return by file the last names of the objects whose state some function saves, loads or hands over."""
        return {path: set(self._saved_in(path)) for path in self.symbols.files if not is_test(path)}

    @cached_property
    def anywhere(self) -> frozenset[str]:
        """Return the last names of all objects whose state some function of the project takes care of."""
        return frozenset(name for names in self.by_file.values() for name in names)

    def _saved_in(self, path: str) -> Iterator[str]:
        for function in functions_of(self.symbols.files[path]):
            for site in function.calls:
                callee = site.call.callee
                restores = isinstance(callee, Attr) and callee.name == "restore" and bool(site.call.args)
                if isinstance(callee, Attr) and (KEEPS.search(callee.name) or restores):
                    yield last_name(callee.base)
                name = last_name(callee)
                is_amp = isinstance(callee, Name) and self.amp_set_up.search(callee.path) is not None
                if not is_amp and self.symbols.known.takes_over(name) or KEEPS.search(name):
                    yield from (each for value in arguments_of(site.call) for each in mentions(value))
            for use in function.uses:
                if any(KEEPS.search(how.lstrip(".")) for how in use.how):
                    yield use.attr

    def is_saved_of(self, attr: str, owner: str, path: str) -> bool:
        """Tell whether some function saves the attribute of an owner: `owner.attr.state_dict()`, or in its own file."""
        if attr in self.by_file.get(path, ()):
            return True
        return any(
            _is_saving(site.call.callee, attr, owner)
            for file in self.symbols.files.values()
            for function in functions_of(file)
            for site in function.calls
        )


def _is_saving(callee: Value, attr: str, owner: str) -> bool:
    """Tell whether a call is that of a method which saves or restores `owner.attr`."""
    if not isinstance(callee, Attr) or not KEEPS.search(callee.name) or not isinstance(callee.base, Attr):
        return False
    return callee.base.name == attr and last_name(callee.base.base) == owner
