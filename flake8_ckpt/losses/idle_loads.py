"""Loads and updates that nobody calls, of classes that the programs of a project use for something else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.pairing.function_names import EXACT_PAIRS
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Instance
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.source.running_statistics import UPDATE

# Hooks that torch, pickle and Lightning call, whoever else does; a constructor is called by the name of its class.
CALLED = frozenset([*EXACT_PAIRS.values(), "__init__", "set_extra_state", "on_load_checkpoint"])


class IdleLoads:
    """Asks all functions outside tests what they call."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy

    def is_idle(self, reader: FunctionRef) -> bool:
        """Tell whether nobody calls a load, though a program makes objects of its class; else it is a library."""
        if reader.name in CALLED or reader.name in self._calls[0]:
            return False
        return self.is_used(reader.class_id)

    def is_idle_update(self, class_id: str, name: str) -> bool:
        """Tell whether a method is named like an update and no text calls it, of a class that is used as well."""
        return UPDATE.fullmatch(name) is not None and name not in self._updates and self.is_used(class_id)

    def is_replaced(self, class_id: str) -> bool:
        """Tell whether programs make objects of another class of the same name, and none of this one."""
        name = class_id.rpartition(":")[2]
        return name in self._made_names and not self.is_used(class_id)

    @cached_property
    def _made_names(self) -> frozenset[str]:
        return frozenset(each.rpartition(":")[2] for each in self._calls[1])

    def is_used(self, class_id: str) -> bool:
        """Tell whether programs make objects of a class, or of one that derives from it."""
        return not {class_id, *self.hierarchy.subclasses(class_id)}.isdisjoint(self._calls[1])

    @cached_property
    def _updates(self) -> frozenset[str]:
        """Return the names of the updates that some file calls or hands on."""
        files = self.hierarchy.symbols.files.values()
        return frozenset(name for facts in files for _, name in facts.updates)

    @cached_property
    def _calls(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the last names of all that is called, and the classes of which objects are made."""
        symbols = self.hierarchy.symbols
        names: set[str] = set()
        made: set[str] = set()
        for unit in functions_outside_tests(symbols):
            for site in unit.function.calls:
                names.add(called_name(site.call))
                if isinstance(site.call.callee, Name):
                    path = symbols.resolve(site.call.callee.path, unit.path)
                    made.update((path, *_maker(path)))
            bound = [each.value for each in unit.function.writes]
            bound += [each.value for each in unit.function.stores]
            found = (option for value in bound for option in options_of(value))
            made.update(symbols.resolve(_class_of(each), unit.path) for each in found)
        return frozenset(names), frozenset(made & symbols.classes.keys())


def _maker(path: str) -> Iterator[str]:
    """Yield the class of which a method is called by the name of the class: `Trainer.from_config(config)`."""
    class_id, _, name = path.rpartition(".")
    if name != "__init__":
        yield class_id


def _class_of(value: Value) -> str:
    """Return the name of the class that a value is made of, "" where it is none."""
    if isinstance(value, Call) and isinstance(value.callee, Name):
        return value.callee.path
    return value.path if isinstance(value, Instance) else ""
