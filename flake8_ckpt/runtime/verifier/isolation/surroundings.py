"""What the code around an object holds: attributes of the project's classes, and globals of its modules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from flake8_ckpt.runtime.verifier.objects.opaque import is_opaque
from flake8_ckpt.runtime.verifier.objects.reach import is_data
from flake8_ckpt.runtime.verifier.objects.reach import reach
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import snapshot
from flake8_ckpt.runtime.verifier.origin import source_of


@dataclass(frozen=True)
class Binding:
    """A name in a module, or in a class of it: `owner` is the class's qualified name, "" for the module."""

    module: str
    owner: str
    name: str

    def __str__(self) -> str:
        return ".".join(part for part in (self.module, self.owner, self.name) if part)

    def place(self) -> Any:
        """Return the module or class that has the name; it is imported already."""
        found: Any = sys.modules[self.module]
        for part in self.owner.split(".") if self.owner else ():
            found = getattr(found, part)
        return found

    def get(self) -> Any:
        """Return the value; None where there is none."""
        return vars(self.place()).get(self.name)

    def set(self, value: Any) -> None:
        """Bind the name to a value."""
        setattr(self.place(), self.name, value)


Surroundings = dict[Binding, Snapshot]


def surroundings(root: object, functions: Iterable[Callable[..., Any] | None]) -> Surroundings:
    """Return copies of what the modules hold that the classes of an object and some functions come from."""
    kinds = {type(node.value) for node in reach(root)}
    names = {base.__module__ for kind in kinds for base in kind.__mro__}
    names |= {getattr(getattr(each, "func", each), "__module__", "") or "" for each in functions}
    found = (sys.modules.get(name) for name in sorted(names))
    modules = [module for module in found if module is not None and is_of_project(module)]
    return {binding: snapshot(binding.get()) for module in modules for binding in bindings(module)}


def is_of_project(module: ModuleType) -> bool:
    """Return whether a module is a file of the project, and none that is installed."""
    return module.__name__ != "builtins" and source_of(module) is not None


def bindings(module: ModuleType) -> Iterator[Binding]:
    """Yield the names of a module and of its classes that are bound to data."""
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and value.__module__ == module.__name__ and value.__qualname__ == name:
            yield from (
                Binding(module.__name__, name, attribute)
                for attribute, item in list(vars(value).items())
                if is_state(attribute, item)
            )
        elif is_state(name, value):
            yield Binding(module.__name__, "", name)


def is_state(name: str, value: object) -> bool:
    """Return whether a name is bound to something that a program may change as it runs."""
    if name.startswith("__") or hasattr(value, "__get__") or hasattr(value, "__set_name__"):
        return False
    return is_data(value) or not is_opaque(value)


def read(bindings: Iterable[Binding]) -> Surroundings:
    """Return copies of what some names are bound to."""
    return {binding: snapshot(binding.get()) for binding in bindings}
