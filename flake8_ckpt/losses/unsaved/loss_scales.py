"""The loss scale of apex, which is neither in the model nor in the optimizer that `amp.initialize` gives back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Name
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.losses.unsaved.save_points import SavePoint
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject

Owned = tuple[str, FunctionFacts]


class LossScales:
    """Asks the classes, and the files of the functions, that save."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self.sets_up = self.symbols.known.hint("function", "sets up mixed precision")
        self.takes_out = self.symbols.known.hint("function", "takes out mixed precision")

    def lost(self, point: SavePoint) -> Iterator[UnsavedObject]:
        """Yield the loss scale where mixed precision is set up, and its state is taken nowhere."""
        made = next(self._calls(self._own(point), self.sets_up), None) if point.trains_on else None
        if made is not None and next(self._calls(self._around(point), self.takes_out), None) is None:
            yield UnsavedObject("amp", "scaler", point.location or made, made if point.location else None)

    def _calls(self, functions: Iterable[Owned], called: re.Pattern[str]) -> Iterator[Spot]:
        for path, function in functions:
            for site in function.calls:
                callee = site.call.callee
                if isinstance(callee, Name) and called.search(self.symbols.resolve(callee.path, path)):
                    yield Spot(path, site.position)

    def _own(self, point: SavePoint) -> list[Owned]:
        """Return the methods of a class, or the function that saves, each with its path."""
        if point.unit is not None:
            return [(point.unit.path, point.unit.function)]
        methods = self.hierarchy.inherited_methods(point.owner)
        return [(owner.partition(":")[0], method) for owner, method in methods]

    def _around(self, point: SavePoint) -> list[Owned]:
        """Return these, and the other functions of the file."""
        path = point.owner.partition(":")[0]
        return [*self._own(point), *((path, each) for each in self.symbols.files[path].functions)]
