"""Normalizers that a constructor takes from an object which a method later replaces, and not the normalizer.

__init__:  self.env = env; self.normalizer = unwrap_normalizer(env)
set_env:   self.env = env                          the old normalizer goes on
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import is_test

# `unwrap_vec_normalize(env)`, `find_normalizer(env)`: what such a function gives is a part of what it is given.
# `make_normalizer(env)` gives a new one, which may stay.
TAKES = re.compile(r"^_?(unwrap|get|find|extract|fetch|lookup)(_|$)")
NORMALIZES = re.compile(r"^\.(un|de)?normali[sz]e(_|$)")


@dataclass(frozen=True)
class StaleNormalizer:
    """An attribute, where it is taken from another one, and the method that sets only that one."""

    name: str
    location: Spot
    source: str
    setter: str
    replaced: Spot


def stale_normalizers(hierarchy: Hierarchy) -> Iterator[StaleNormalizer]:
    """Yield the normalizers of all classes that stay when what they were taken from is replaced."""
    for class_id, facts in hierarchy.symbols.classes.items():
        constructor = hierarchy.methods(class_id).get("__init__")
        if constructor is not None and not is_test(class_id.partition(":")[0]):
            for write in constructor.writes:
                yield from _stale(class_id, write, constructor, facts.methods)


def _stale(
    class_id: str, write: Write, constructor: FunctionFacts, methods: tuple[FunctionFacts, ...]
) -> Iterator[StaleNormalizer]:
    taken_from = _taken_from(write.value)
    if not taken_from or not _normalizes(write.attr, methods):
        return
    if any(
        each.attr == write.attr for method in methods if method is not constructor for each in method.writes
    ):
        return
    sources = {each.attr for each in constructor.writes if each.value == Param(taken_from)}
    path = class_id.partition(":")[0]
    for method in methods:
        for each in method.writes if method is not constructor else ():
            if each.attr in sources and each.how == "assign" and isinstance(each.value, Param):
                replaced = Spot(path, each.position)
                yield StaleNormalizer(
                    write.attr, Spot(path, write.position), each.attr, method.name, replaced
                )
                return


def _taken_from(value: Value) -> str:
    """Return the parameter of which a value is a part: by attributes, or by a function that looks for it."""
    names = set()
    for option in options_of(value):
        if isinstance(option, Call) and TAKES.search(called_name(option)) and len(option.args) == 1:
            option = Attr(option.args[0], called_name(option))
        is_part = isinstance(option, Attr)
        while isinstance(option, Attr):
            option = option.base
        if option != NONE:
            names.add(option.name if is_part and isinstance(option, Param) else "")
    return names.pop() if len(names) == 1 else ""


def _normalizes(attr: str, methods: tuple[FunctionFacts, ...]) -> bool:
    return any(
        use.attr == attr and any(map(NORMALIZES.search, use.how)) for method in methods for use in method.uses
    )
