"""Keys that a module adds to its `state_dict` without the prefix which a parent module gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.key_text import is_computed
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch_methods import ROOT_MODULES
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.functions import method_ref

# torch gives both the mapping to fill and the prefix by name, in these two methods.
HOOKS = frozenset(["state_dict", "_save_to_state_dict"])


@dataclass(frozen=True)
class UnprefixedKey:
    """A key that a hook stores as it is, at `location`."""

    hook: FunctionRef
    key: str
    location: Spot


def unprefixed_keys(hierarchy: Hierarchy) -> Iterator[UnprefixedKey]:
    """Yield the first key of each override that is stored without the prefix."""
    for each in functions_outside_tests(hierarchy.symbols):
        if each.name in HOOKS and each.owner and _is_nested(each, hierarchy):
            hook = method_ref(each.owner, each.function, each.owner)
            stored = sorted(_stored(hook), key=lambda one: one[1])
            for key, position in stored[:1]:
                yield UnprefixedKey(hook, key, Spot(hook.path, position))


def _is_nested(hook: FunctionRef, hierarchy: Hierarchy) -> bool:
    """Tell whether a parent module may run a hook: it is a module's, takes the prefix, and its class is no root."""
    names = {each.name for each in hook.function.parameters}
    takes = "prefix" in names or any(name.startswith("**") for name in names)
    roots = (ROOT_MODULES.search(each) for each in hierarchy.ancestors(hook.owner))
    return takes and hierarchy.is_module(hook.owner) and not any(roots)


def _stored(hook: FunctionRef) -> Iterator[tuple[str, Position]]:
    """Yield the constant keys that a hook puts into the mapping of its base class or of its caller."""
    for store in hook.function.stores:
        key = store.target.key if isinstance(store.target, v.Item) else None
        if isinstance(key, v.Const) and isinstance(key.value, str) and isinstance(store.target, v.Item):
            is_literal = not is_computed(key.value)
            if is_literal and _is_shared(store.target.base) and not _may_ask_prefix(store.guards):
                yield key.value, store.position
    for site in hook.function.calls:
        callee, given = site.call.callee, site.call.args[:1]
        if isinstance(callee, v.Attr) and callee.name == "update" and _is_shared(callee.base):
            fields = given[0].fields if given and isinstance(given[0], v.Record) else ()
            names = (*(each.key for each in fields), *(name for name, _ in site.call.keywords))
            if names and not is_computed(names[0]) and not _may_ask_prefix(site.guards):
                yield names[0], site.position


def _is_shared(mapping: v.Value) -> bool:
    """Tell whether a mapping is the one that the whole tree of modules fills."""
    while isinstance(mapping, v.Local):
        mapping = mapping.value
    if isinstance(mapping, v.Call) and isinstance(mapping.callee, v.Attr):
        return mapping.callee.name == "state_dict" and isinstance(mapping.callee.base, v.Super)
    return any(each == v.Param("destination") for each in v.options_of(mapping))


def _may_ask_prefix(guards: Guards) -> bool:
    """Tell whether a condition that is not about an attribute decides: `if not prefix:` is the root alone."""
    kinds = {guard.kind for guard in guards}
    return "branch" in kinds and "about" not in kinds
