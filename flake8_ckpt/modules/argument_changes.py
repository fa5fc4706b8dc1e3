"""Attributes that a method hands to a function which changes its parameters: `moving_average(self.mean, x)`."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.modules.members import Method


def changed_arguments(method: Method, class_id: str, hierarchy: Hierarchy) -> Iterator[Write]:
    """Yield what the calls of a method change in place, as writes of the attributes."""
    for site in method.facts.calls:
        if not any(map(_is_attribute, arguments_of(site.call))):
            continue
        for value in _filled(method, site, class_id, hierarchy):
            if isinstance(value, Attr) and _is_attribute(value):
                yield Write(value.name, "inplace", Tensor("data"), site.position, True, site.guards)


def _is_attribute(value: Value) -> bool:
    return isinstance(value, Attr) and value.base == SELF


def _filled(method: Method, site: Site, class_id: str, hierarchy: Hierarchy) -> Iterator[Value]:
    """Yield the arguments of a call that the function changes."""
    function, skipped = _function(method, site.call, class_id, hierarchy)
    if function is None or not function.fills:
        return
    names = [each.name for each in function.parameters][skipped:]
    bound = {**dict(zip(names, site.call.args)), **dict(site.call.keywords)}
    yield from (bound[name] for name in function.fills if name in bound)


def _function(
    method: Method, call: Call, class_id: str, hierarchy: Hierarchy
) -> tuple[FunctionFacts | None, int]:
    """Return the function that a call runs, and how many of its parameters the call does not give."""
    callee = call.callee
    if isinstance(callee, Name):
        path = method.owner.partition(":")[0]
        return hierarchy.symbols.functions.get(hierarchy.symbols.resolve(callee.path, path)), 0
    if isinstance(callee, Attr) and callee.base == SELF:
        found = hierarchy.find_method(class_id, callee.name)
        if found is not None:
            return found[1], 0 if "staticmethod" in found[1].decorators else 1
    return None, 0
