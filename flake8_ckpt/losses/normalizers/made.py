"""The normalizers that a project makes, as attributes and as locals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.normalizers.classes import NormalizerClasses


@dataclass(frozen=True)
class Normalizer:
    """A normalizer: its name, its class, where it is made, and the class or function that holds it.

    `update` is the method that somebody should call, `local` the name of the local that it is bound to before it
    becomes an attribute, "" without one.
    """

    name: str
    class_id: str
    location: Spot
    holder: str
    update: str
    local: str = ""


class MadeNormalizers:
    """Finds the statements that make normalizers."""

    def __init__(self, allocations: AllocationSites, classes: NormalizerClasses) -> None:
        self.allocations = allocations
        self.symbols = allocations.symbols
        self.classes = classes

    @cached_property
    def all(self) -> tuple[Normalizer, ...]:
        """Return all, attributes first."""
        return (*self._attributes(), *self._locals())

    def class_of(self, value: Value, callee: FunctionRef) -> str:
        """Return the class of the normalizer that a value is, "" where it is none or gets its statistics."""
        value = value.value if isinstance(value, Local) else value
        calls = [option for option in options_of(value) if option != NONE]
        if len(calls) != 1 or not isinstance(calls[0], Call) or not isinstance(calls[0].callee, Name):
            return ""
        class_id = self.allocations.evaluator.class_of(calls[0], CallContext(callee))
        if not self.classes.updates(class_id):
            return ""
        given = arguments_of(calls[0])
        names = [
            *(name for name, _ in calls[0].keywords),
            *(own_name(part) for each in given for part in parts_of(each)),
        ]
        return (
            ""
            if any(self.classes.means.search(name) or self.classes.spreads.search(name) for name in names)
            else class_id
        )

    @cached_property
    def _paths(self) -> frozenset[str]:
        """Return the files that define a class that may be a normalizer, or import one, but for tests."""
        names = {
            class_id.rpartition(":")[2]
            for class_id, facts in self.symbols.classes.items()
            if facts.statistics
        }
        names |= {name.rpartition(".")[2] for name in self.symbols.known.plain_updates}
        return frozenset(
            path
            for path, facts in self.symbols.files.items()
            if facts.stars
            or any(each.statistics for each in facts.classes)
            or any(imported.rpartition(".")[2] in names for _, imported in facts.imports)
            if not is_test(path)
        )

    def _attributes(self) -> Iterator[Normalizer]:
        for class_id, facts in self.symbols.classes.items():
            if class_id.partition(":")[0] in self._paths:
                for method in facts.methods:
                    yield from self._set_by(method_ref(class_id, method, class_id))

    def _set_by(self, method: FunctionRef) -> Iterator[Normalizer]:
        for write in method.function.writes:
            made = self.class_of(write.value, method) if write.how == "assign" else ""
            if made:
                local = write.value.name if isinstance(write.value, Local) else ""
                location = Spot(method.path, write.position)
                update = self.classes.update_of(made)
                yield Normalizer(write.attr, made, location, method.class_id, update, local)

    def _locals(self) -> Iterator[Normalizer]:
        for unit in self.allocations.units:
            for store in unit.function.stores if unit.path in self._paths else ():
                made = self.class_of(store.value, unit) if isinstance(store.target, Local) else ""
                if made and isinstance(store.target, Local):
                    location, update = Spot(unit.path, store.position), self.classes.update_of(made)
                    yield Normalizer(store.target.name, made, location, unit.identity, update)


def own_name(value: Value) -> str:
    """Return the last part of how the code names an attribute or a variable, "" for other values."""
    if isinstance(value, Attr):
        return value.name
    return value.name if isinstance(value, (Local, Param)) else ""
