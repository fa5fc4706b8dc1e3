"""What a key of a checkpoint holds, and where it is restored to, in a few words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of

# Methods that give the same content in another form.
PLAIN_COPIES = frozenset("cpu detach clone copy numpy item tolist to float half contiguous".split())
STATE_CALLS = {
    "state_dict": "state_dict", "get_state_dict": "state_dict", "get_state": "state",
    "get_extra_state": "extra state", "__getstate__": "state",
}  # fmt: skip
LOADERS = frozenset("load_state_dict set_state set_extra_state __setstate__ copy_ fill_ update".split())
KINDS: dict[type, str] = {
    Number: "a number", Tensor: "a tensor", NdArray: "an array",
    Arith: "a computed value", Module: "a module",
}  # fmt: skip
# How texts begin that name no object of the program.
WEAK = ("a ", "an ", "None", "'", '"')
# The first part of a dotted name.
OWNER = re.compile(r"(?<![\w.])\w+(?=\.)")
MAX_TEXTS = 2
MAX_LENGTH = 72
MAX_DEPTH = 6


def held_text(values: Iterable[Value]) -> str:
    """Return what a key holds, by the values that its writers give it; "" where nothing is known."""
    texts = [text for value in values for option in _informative(value) if (text := _text(option, 0))]
    return _listed(texts)


def restored_text(targets: Iterable[Value]) -> str:
    """Return what a key is restored to: objects and their attributes, else a local; "" if it is unknown."""
    known = [target for target in targets if isinstance(target, (Attr, Local)) and target.name != "_"]
    chosen = [each for each in known if isinstance(each, Attr)] or known[:1]
    return _listed([text for each in chosen if (text := _text(_restored(each), 0))])


def is_name(text: str) -> bool:
    """Tell whether a text names an object of the program, and not only a kind."""
    return bool(text) and not text.startswith(WEAK)


def _informative(value: Value) -> tuple[Value, ...]:
    """Return the alternatives of a value, without None where there are others."""
    options = options_of(value)
    return tuple(option for option in options if option != NONE) or options


def _restored(target: Value) -> Value:
    return target.base if isinstance(target, Attr) and target.name in LOADERS else target


def _listed(texts: list[str]) -> str:
    """Return some of several texts: names rather than kinds, none twice, not more than fit a table.

    One object may go by several names: what is `self` in a method is `trainer` where it is called.
    """
    found: dict[str, str] = {}
    for text in texts:
        found.setdefault(OWNER.sub("", text), text)
    named = list(filter(is_name, found.values())) or list(found.values())
    kept = named[:MAX_TEXTS]
    shown = " or ".join(_short(text, MAX_LENGTH // len(kept)) for text in kept)
    return f"{shown} ..." if len(named) > MAX_TEXTS else shown


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _text(value: Value, depth: int) -> str:
    if isinstance(value, Const):
        return _constant_text(value)
    if isinstance(value, Record):
        return f"a dict of {len(value.fields)} keys" if len(value.fields) > 1 else "a dict"
    if isinstance(value, Container):
        return _container_text(value, depth)
    if isinstance(value, Call):
        return _call_text(value, depth)
    return path_text(value, depth) or KINDS.get(type(value), "")


def _container_text(value: Container, depth: int) -> str:
    """Return what a short tuple holds one by one, of others the kind."""
    texts = [_text(item, depth + 1) for item in value.items] if depth < MAX_DEPTH else []
    return f"({', '.join(texts)})" if texts and all(texts) else f"a {value.kind}"


def _constant_text(value: Const) -> str:
    """Return a string as it is; a number is often only the first value of a variable."""
    if isinstance(value.value, bool):
        return "a flag"
    return repr(value.value) if value.value is None or isinstance(value.value, str) else "a number"


def _call_text(value: Call, depth: int) -> str:
    callee = value.callee
    if isinstance(callee, Attr) and callee.name in PLAIN_COPIES:
        return _text(callee.base, depth + 1) if depth < MAX_DEPTH else ""
    if isinstance(callee, Attr) and callee.name in STATE_CALLS:
        is_given = callee.name == "get_state_dict" and value.args
        owner = " or ".join(_names(value.args[0] if is_given else callee.base, depth + 1)[:MAX_TEXTS])
        return f"{STATE_CALLS[callee.name]} of {owner}" if owner else f"a {STATE_CALLS[callee.name]}"
    name = path_text(callee, depth + 1)
    return f"{name}({_arguments_text(value, depth + 1)})" if name else ""


def _arguments_text(value: Call, depth: int) -> str:
    """Return the only argument of a call by its name, dots for other arguments."""
    if len(value.args) == 1 and not value.keywords:
        return path_text(value.args[0], depth) or "..."
    return "..." if value.args or value.keywords else ""


def path_text(value: Value, depth: int = 0) -> str:
    """Return how the code names an object: `self.policy.ob_rms`; "" where it has no name, or several."""
    if depth > MAX_DEPTH:
        return ""
    if isinstance(value, Self):
        return "self"
    if isinstance(value, (Local, Param)):
        return value.name.rpartition(".")[2]
    if isinstance(value, Call):
        return _call_text(value, depth)
    if isinstance(value, Name):
        return _global_text(value.path)
    if isinstance(value, Join):
        names = _names(value, depth + 1)
        return names[0] if len(names) == 1 else ""
    if isinstance(value, Attr):
        base = path_text(value.base, depth + 1)
        return f"{base}.{value.name}" if base else ""
    return _item_text(value, depth) if isinstance(value, Item) else ""


def _item_text(value: Item, depth: int) -> str:
    """Return the name of an element of a named object; what a call returns has no name."""
    base = "" if isinstance(value.base, Call) else path_text(value.base, depth + 1)
    key = repr(value.key.value) if isinstance(value.key, Const) else "..."
    return f"{base}[{key}]" if base else ""


def _global_text(path: str) -> str:
    """Return a global name as it is usually written: with the last part of its module."""
    module, colon, name = path.rpartition(":")
    return name if colon else ".".join(path.split(".")[-2:])


def _names(value: Value, depth: int) -> list[str]:
    """Return the names of the objects that a value may be; a wrapped module goes by its wrapper's name."""
    found = dict.fromkeys(name for option in options_of(value) if (name := path_text(option, depth)))
    wrappers = {name: name.removesuffix(".module") for name in found}
    return [name for name in found if wrappers[name] == name or wrappers[name] not in found]
