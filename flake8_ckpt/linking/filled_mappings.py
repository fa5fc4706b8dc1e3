"""Mappings that are filled step by step, and what is found under their keys."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import are_one_key
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
from flake8_ckpt.facts.values import options_of


def added_in(function: FunctionFacts) -> dict[Value, list[Field]]:
    """Return the keys that a function adds, by the mapping: a local bound to something else is another one."""
    found: dict[Value, list[Field]] = {}
    for each in function.stores:
        if isinstance(each.target, Item) and isinstance(each.target.key, Const):
            field = Field(str(each.target.key.value), each.value, not each.guards)
            found.setdefault(each.target.base, []).append(field)
    for site in function.calls:
        callee = site.call.callee
        if isinstance(callee, Attr) and callee.name == "update":
            found.setdefault(callee.base, []).extend(_updated(site))
    return found


def _updated(site: Site) -> list[Field]:
    given = (
        site.call.args[0] if site.call.args else Record(tuple(Field(*each) for each in site.call.keywords))
    )
    if not isinstance(given, Record):
        return [Field("", UNKNOWN)]
    fields = [Field(each.key, each.value, each.always and not site.guards) for each in given.fields]
    return [*fields, Field("", UNKNOWN)] if given.open else fields


@dataclass(frozen=True)
class Spread:
    """The keys that a mapping gives to another one; what it is made of where they are `unknown`."""

    fields: tuple[Field, ...]
    unknown: tuple[Value, ...]
    open: bool


def spread_of(held: Value) -> Spread:
    """Return what a mapping gives to another one: the keys of each of several, where it may be one of these."""
    while isinstance(held, Local):
        held = held.value
    options = options_of(held)
    known = [option for option in options if isinstance(option, Record)]
    certain = len(options) == 1
    fields = (Field(one.key, one.value, one.always and certain) for each in known for one in each.fields)
    unknown = (each for each in options if each not in known and each != NONE and not _is_empty(each))
    return Spread(tuple(fields), tuple(unknown), any(each.open for each in known))


def _is_empty(value: Value) -> bool:
    return isinstance(value, Container) and value.kind == "dict" and value.size == 0


def item_in(base: Value, key: Value) -> Value:
    """Return what a key of a payload holds."""
    while isinstance(base, Local) and isinstance(base.value, (Record, Item)):
        base = base.value
    if isinstance(base, Record) and isinstance(key, Const):
        exact = [each.value for each in base.fields if each.key == key.value]
        found = exact or [each.value for each in base.fields if are_one_key(each.key, str(key.value))]
        return found[-1] if found else UNKNOWN
    if isinstance(base, Container) and base.items and isinstance(key, Const) and isinstance(key.value, int):
        return base.items[key.value] if -1 <= key.value < len(base.items) else UNKNOWN
    if base == NONE or base == UNKNOWN:
        return UNKNOWN
    return Item(base, key if isinstance(key, Const) and key.value != ANY else UNKNOWN)
