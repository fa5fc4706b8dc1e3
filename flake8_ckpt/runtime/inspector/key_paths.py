"""The keys of a checkpoint as a program sees them: those of the mappings at its top, whatever lies under them."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.values import Call
from flake8_ckpt.runtime.inspector.values import GlobalRef
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import Value

DEEPEST = 3
MOST_KEYS = 5000
DICTIONARIES = frozenset(["collections.OrderedDict", "collections.defaultdict"])
Keys = tuple[str, ...]


def keys_of(trees: tuple[Tree, ...]) -> tuple[Keys, ...]:
    """Return the paths of the keys that are text, at most three deep."""
    found: list[Keys] = []
    for tree in trees:
        for keys in _below(tree.root, tree.prefix):
            if len(found) == MOST_KEYS:
                return tuple(found)
            found.append(keys)
    return tuple(found)


def _below(value: Value, above: Keys) -> Iterator[Keys]:
    for key, item in _pairs(value) if len(above) < DEEPEST else ():
        if isinstance(key, str):
            yield (*above, key)
            yield from _below(item, (*above, key))


def _pairs(value: Value) -> list[tuple[Value, Value]]:
    if isinstance(value, Mapping):
        return value.items
    is_dictionary = isinstance(value, Call) and isinstance(value.function, GlobalRef)
    return value.items if is_dictionary and value.function.path in DICTIONARIES else []
