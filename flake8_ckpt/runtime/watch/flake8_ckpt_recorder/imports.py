"""Run a function once a named module has been imported by the program; nothing is imported that it does not."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from typing import Any
from typing import Callable
from typing import Optional

Callback = Callable[[Any], None]


class _Loader:
    """The module's own loader, with something to do after it."""

    def __init__(self, loader: Any, callbacks: list[Callback]) -> None:
        self.loader = loader
        self.callbacks = callbacks

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        # The module looks as it does without us, to itself too.
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        for callback in self.callbacks:
            callback(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


class AfterImport(MetaPathFinder):
    """Finds nothing by itself: asks the others, and adds the callback to what they find."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[Callback]] = {}
        self._asking: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.callbacks or name in self._asking:
            return None
        self._asking.add(name)
        try:
            spec = find_spec(name)
        finally:
            self._asking.discard(name)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        spec.loader = _Loader(spec.loader, self.callbacks.pop(name))  # type: ignore[assignment]
        return spec

    def after(self, name: str, callback: Callback) -> None:
        """Call back once a module is there: now, if it already is."""
        module: Optional[Any] = sys.modules.get(name)
        if module is None:
            self.callbacks.setdefault(name, []).append(callback)
        else:
            callback(module)


def install() -> AfterImport:
    """Put the finder before all others."""
    finder = AfterImport()
    sys.meta_path.insert(0, finder)
    return finder
