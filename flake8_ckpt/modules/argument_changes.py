"""What functions do to the attributes that a method hands to them: `moving_average(self.mean, x)`."""

from __future__ import annotations

import sys
from collections.abc import Callable
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

# Their functions take tensors as they lie.
KNOWN_ROOTS = frozenset(["torch", *sys.stdlib_module_names])
Chosen = Callable[[FunctionFacts], tuple[str, ...]]


def changed_arguments(method: Method, class_id: str, hierarchy: Hierarchy) -> Iterator[Write]:
    """Yield what the calls of a method change in place, as writes of the attributes."""
    for site in method.facts.calls:
        if not any(map(_is_attribute, arguments_of(site.call))):
            continue
        for value in _given(method, site, class_id, hierarchy, lambda function: function.fills):
            if isinstance(value, Attr) and _is_attribute(value):
                yield Write(value.name, "inplace", Tensor("data"), site.position, True, site.guards)


def moved_arguments(method: Method, class_id: str, hierarchy: Hierarchy) -> Iterator[str]:
    """Yield the attributes that a method hands to functions which move them to where they are needed."""
    for site in method.facts.calls:
        if not any(map(_is_attribute, arguments_of(site.call))):
            continue
        for value in _given(method, site, class_id, hierarchy, lambda function: function.moves):
            if isinstance(value, Attr) and _is_attribute(value):
                yield value.name


def library_arguments(method: Method, hierarchy: Hierarchy) -> Iterator[str]:
    """Yield the attributes that a method hands to functions of libraries of which nothing is known."""
    path = method.owner.partition(":")[0]
    for site in method.facts.calls:
        callee = site.call.callee
        if isinstance(callee, Name) and _is_of_library(callee.path, path, hierarchy):
            for value in arguments_of(site.call):
                if isinstance(value, Attr) and _is_attribute(value):
                    yield value.name


def _is_of_library(name: str, path: str, hierarchy: Hierarchy) -> bool:
    """Tell whether a name is that of a function outside the project, of torch and of Python."""
    root, _, rest = name.partition(".")
    if not rest or not root or ":" in root or root in KNOWN_ROOTS:
        return False
    resolved = hierarchy.symbols.resolve(name, path)
    return resolved not in hierarchy.symbols.functions and resolved not in hierarchy.symbols.classes


def _is_attribute(value: Value) -> bool:
    return isinstance(value, Attr) and value.base == SELF


def _given(
    method: Method, site: Site, class_id: str, hierarchy: Hierarchy, chosen: Chosen
) -> Iterator[Value]:
    """Yield the arguments of a call that the function takes for some chosen parameters."""
    function, skipped = _function(method, site.call, class_id, hierarchy)
    parameters = chosen(function) if function is not None else ()
    if function is None or not parameters:
        return
    names = [each.name for each in function.parameters][skipped:]
    bound = {**dict(zip(names, site.call.args)), **dict(site.call.keywords)}
    yield from (bound[name] for name in parameters if name in bound)


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
