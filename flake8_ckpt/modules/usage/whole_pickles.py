"""Module classes whose objects are only ever saved whole: a pickle holds their plain attributes too."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch import PICKLERS
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.object_classes import ObjectClasses

# Calls that save a part of a module only, or fill a fresh one.
PARTIAL = frozenset(["state_dict", "load_state_dict", "save_pretrained", "save_weights"])


class WholePickles:
    """Who is pickled whole, and of whom a state_dict is asked."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.objects = ObjectClasses(hierarchy)

    def classes(self) -> frozenset[str]:
        """Return the classes of which each save is a pickle of the whole object, or of one that holds it."""
        units = list(followed_functions(self.hierarchy.symbols))
        pickled = {each for unit in units for each in self._pickled(unit)}
        asked = {each for unit in units for each in self._asked(unit)} if pickled else {""}
        if "" in asked:
            return frozenset()
        modules = {each for each in asked if self.hierarchy.is_module(each)}
        if not modules:
            return frozenset(self.hierarchy.symbols.classes)
        related = self.hierarchy.are_related
        return frozenset(each for each in pickled if not any(related(each, other) for other in modules))

    def _pickled(self, unit: FunctionRef) -> Iterator[str]:
        """Yield the module classes of the objects that a function hands to a pickler."""
        for site in unit.function.calls:
            callee = site.call.callee
            if (
                isinstance(callee, Name)
                and self.hierarchy.symbols.resolve(callee.path, unit.path) in PICKLERS
            ):
                given = site.call.args[0] if site.call.args else dict(site.call.keywords).get("obj", UNKNOWN)
                for part in _parts(given):
                    class_id = self.objects.class_of(part, CallContext(unit))
                    if self.hierarchy.is_module(class_id):
                        yield class_id

    def _asked(self, unit: FunctionRef) -> Iterator[str]:
        """Yield the classes whose objects a function asks for a part, "" for one that is not known."""
        for site in unit.function.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and callee.name in PARTIAL:
                for part in _parts(callee.base):
                    yield self.objects.class_of(part, CallContext(unit))


def _parts(value: Value) -> Iterator[Value]:
    """Yield the objects that a payload is, or is made of."""
    if isinstance(value, Local):
        yield from _parts(value.value)
    elif isinstance(value, Join):
        for option in value.options:
            yield from _parts(option)
    elif isinstance(value, Record):
        for field in value.fields:
            yield from _parts(field.value)
    elif isinstance(value, Container):
        yield from _parts(value.of)
    elif not (isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name in PARTIAL):
        yield value
