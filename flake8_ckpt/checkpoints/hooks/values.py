"""What a hook gives and takes, as values of its own class."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.frameworks.torch import VIEWS

COPIES = VIEWS | frozenset(["copy", "tolist", "item", "numpy"])


def own_calls(method: FunctionFacts) -> Iterator[tuple[str, Position]]:
    """Yield the calls of methods of the same object, with their places."""
    for site in method.calls:
        callee = site.call.callee
        if isinstance(callee, Attr) and isinstance(callee.base, (Self, Super)):
            yield callee.name, site.position


def own_attribute(value: Value) -> str:
    """Return x where a value is `self.x`, else ""."""
    return value.name if isinstance(value, Attr) and value.base == SELF else ""


def key_of(target: Value) -> str:
    """Return the key under which something is put into a mapping, else ""."""
    key = target.key if isinstance(target, Item) else None
    return key.value if isinstance(key, Const) and isinstance(key.value, str) else ""


def copied(value: Value) -> Value:
    """Return what a chain of copies and casts starts from."""
    while isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name in COPIES:
        value = value.callee.base
    return value


def receiver_of(value: Value) -> Value:
    """Return the object whose methods a chain of calls begins with: `self.x` for `self.x.cpu().clone()`."""
    while isinstance(value, Call) and isinstance(value.callee, Attr):
        value = value.callee.base
    return value


def bare_object(value: Value) -> Value | None:
    """Return the object whose `state_dict()` a value is, None for other values."""
    while isinstance(value, Local):
        value = value.value
    if isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name == "state_dict":
        return value.callee.base
    return None


def hands_over_self(call: Call) -> bool:
    """Tell whether a function is given the object itself."""
    return SELF in call.args or any(value == SELF for _, value in call.keywords)


def asks_base(call: Call) -> bool:
    """Tell whether a call is one of `super()`."""
    return isinstance(call.callee, Attr) and isinstance(call.callee.base, Super)
