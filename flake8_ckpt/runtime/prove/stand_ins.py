"""Empty stand-ins for packages that are not installed, so that a class can be imported that does not need them."""

from __future__ import annotations

import importlib.machinery
import sys
from abc import ABCMeta
from collections.abc import Iterator
from collections.abc import Sequence
from types import ModuleType
from typing import Any

# Without these nothing would be proven.
NEVER = frozenset(["torch", "numpy", "flake8_ckpt"])
# Later than what anybody asks for.
VERSION = "99.0"


class _Anything(ABCMeta):
    """A class that has every attribute, takes every subscript, and gives itself where it is called."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return stand_in(f"{cls.__name__}.{name}")

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if "is_stand_in" not in cls.__dict__:
            return super().__call__(*args, **options)
        # A decorator gives back what it decorates.
        is_decorator = len(args) == 1 and not options and (isinstance(args[0], type) or callable(args[0]))
        return args[0] if is_decorator else cls

    def __getitem__(cls, item: Any) -> Any:
        return cls

    def __or__(cls, other: Any) -> Any:
        return cls

    def __ror__(cls, other: Any) -> Any:
        return cls

    def __enter__(cls) -> Any:
        return cls

    def __exit__(cls, *error: Any) -> None:
        return None

    def __lt__(cls, other: Any) -> bool:
        # `fabric.world_size > 1`: one process is what is here.
        return False

    __gt__ = __le__ = __ge__ = __lt__

    def __len__(cls) -> int:
        return 0

    def __bool__(cls) -> bool:
        return True

    def __iter__(cls) -> Iterator[Any]:
        return iter(())


class _Base(metaclass=_Anything):
    """What the classes of the user have for a base that is not installed."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Take anything."""


def stand_in(name: str) -> type:
    """Return a class in the place of something that is not installed."""
    return _Anything(name, (_Base,), {"is_stand_in": True})


def is_stand_in(kind: type) -> bool:
    """Tell whether a class stands in for one that is not installed."""
    return "is_stand_in" in kind.__dict__


class _Module(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        value = stand_in(f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value


class StandIns:
    """An importer that makes empty modules for the packages named in `names`, when nothing else finds them."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> Any:
        if name.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]  # as a loader
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__path__ = []
        module.__version__ = VERSION  # type: ignore[attr-defined]  # which packages ask for

    def allow(self, name: str | None) -> bool:
        """Stand in for the package of a module from now on; tell whether that changes anything."""
        package = (name or "").partition(".")[0]
        if not package or package in NEVER or package in self.names or package in sys.stdlib_module_names:
            return False
        self.names.add(package)
        return True
