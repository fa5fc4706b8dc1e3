"""Mappings that are filled step by step, and what is found under their keys."""

from __future__ import annotations

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value


def added_in(function: FunctionFacts) -> dict[Value, list[Field]]:
    """Return the keys that a function adds, by the mapping."""
    found: dict[Value, list[Field]] = {}
    for each in function.stores:
        if isinstance(each.target, Item) and isinstance(each.target.key, Const):
            field = Field(str(each.target.key.value), each.value, not each.guards)
            found.setdefault(key_of(each.target.base), []).append(field)
    for site in function.calls:
        callee = site.call.callee
        if isinstance(callee, Attr) and callee.name == "update":
            found.setdefault(key_of(callee.base), []).extend(_updated(site))
    return found


def _updated(site: Site) -> list[Field]:
    given = (
        site.call.args[0] if site.call.args else Record(tuple(Field(*each) for each in site.call.keywords))
    )
    if not isinstance(given, Record):
        return [Field("", UNKNOWN)]
    fields = [Field(each.key, each.value, each.always and not site.guards) for each in given.fields]
    return [*fields, Field("", UNKNOWN)] if given.open else fields


def key_of(target: Value) -> Value:
    """Return what a mapping is remembered by: a local by its name alone."""
    return Local(target.name, UNKNOWN) if isinstance(target, Local) else target


def item_in(base: Value, key: Value) -> Value:
    """Return what a key of a payload holds."""
    while isinstance(base, Local) and isinstance(base.value, (Record, Item)):
        base = base.value
    if isinstance(base, Record) and isinstance(key, Const):
        found = [each.value for each in base.fields if each.key == key.value]
        return found[-1] if found else UNKNOWN
    if isinstance(base, Container) and base.items and isinstance(key, Const) and isinstance(key.value, int):
        return base.items[key.value] if -1 <= key.value < len(base.items) else UNKNOWN
    if base == NONE or base == UNKNOWN:
        return UNKNOWN
    return Item(base, key if isinstance(key, Const) else UNKNOWN)
