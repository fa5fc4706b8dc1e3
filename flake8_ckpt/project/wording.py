"""What a key of a checkpoint holds, and where it is restored to, in a few words."""

from __future__ import annotations

from collections.abc import Iterable

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
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
STATE_CALLS = frozenset("state_dict get_state get_state_dict get_extra_state __getstate__".split())
LOADERS = frozenset("load_state_dict set_state set_extra_state __setstate__ copy_ fill_ update".split())
KINDS: dict[type, str] = {
    Number: "a number", Tensor: "a tensor", NdArray: "an array", Arith: "a computed value", Module: "a module",
}  # fmt: skip
MAX_TEXTS = 2
MAX_LENGTH = 48
MAX_DEPTH = 6


def held_text(values: Iterable[Value]) -> str:
    """Return what a key holds, by the values that its writers give it; "" where nothing is known."""
    texts = [text for value in values for option in _informative(value) if (text := _text(option, 0))]
    return _listed(texts)


def restored_text(targets: Iterable[Value]) -> str:
    """Return what a key is restored to: objects and their attributes, else locals; "" where nothing is known."""
    known = [target for target in targets if isinstance(target, (Attr, Local))]
    chosen = [each for each in known if isinstance(each, Attr)] or known
    return _listed([text for each in chosen if (text := _text(_restored(each), 0))])


def _informative(value: Value) -> tuple[Value, ...]:
    """Return the alternatives of a value, without None where there are others."""
    options = options_of(value)
    return tuple(option for option in options if option != NONE) or options


def _restored(target: Value) -> Value:
    return target.base if isinstance(target, Attr) and target.name in LOADERS else target


def _listed(texts: list[str]) -> str:
    """Return some of several texts: no text twice, names rather than kinds, not more than fit a table."""
    found = list(dict.fromkeys(texts))
    named = [text for text in found if not text.startswith(("a ", "an ", "None"))] or found
    kept = [_short(text) for text in named[:MAX_TEXTS]]
    return " or ".join(kept) + (" ..." if len(named) > MAX_TEXTS else "")


def _short(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}..."


def _text(value: Value, depth: int) -> str:
    if isinstance(value, Const):
        return repr(value.value)
    if isinstance(value, Record):
        return f"a dict of {len(value.fields)} keys" if len(value.fields) > 1 else "a dict"
    if isinstance(value, Container):
        return f"a {value.kind}"
    if isinstance(value, Call):
        return _call_text(value, depth)
    return path_text(value, depth) or KINDS.get(type(value), "")


def _call_text(value: Call, depth: int) -> str:
    callee = value.callee
    if isinstance(callee, Attr) and callee.name in PLAIN_COPIES:
        return _text(callee.base, depth + 1) if depth < MAX_DEPTH else ""
    if isinstance(callee, Attr) and callee.name in STATE_CALLS:
        owner = path_text(value.args[0], depth + 1) if value.args and callee.name == "get_state_dict" else ""
        owner = owner or path_text(callee.base, depth + 1)
        word = "state" if callee.name.startswith("get_state") and callee.name != "get_state_dict" else "state_dict"
        return f"{word} of {owner}" if owner else f"a {word}"
    name = path_text(callee, depth + 1)
    return f"{name}()" if name else ""


def path_text(value: Value, depth: int = 0) -> str:
    """Return how the code names an object: `self.policy.ob_rms`; "" where it has no short name."""
    if depth > MAX_DEPTH:
        return ""
    if isinstance(value, Self):
        return "self"
    if isinstance(value, (Local, Param)):
        return value.name.rpartition(".")[2]
    if isinstance(value, Attr):
        return _joined(_owner_text(value.base, depth), value.name)
    if isinstance(value, Item):
        key = repr(value.key.value) if isinstance(value.key, Const) else "..."
        base = path_text(value.base, depth + 1)
        return f"{base}[{key}]" if base else ""
    if isinstance(value, Call):
        return _call_text(value, depth)
    if isinstance(value, Name):
        path, colon, name = value.path.rpartition(":")
        return name.removeprefix("<module>.") if colon else value.path
    return ""


def _owner_text(value: Value, depth: int) -> str:
    """Return the name of an object; one of several that bear the same name, or the only one with a name, has it."""
    names = {name for option in options_of(value) if (name := path_text(option, depth + 1))}
    return names.pop() if len(names) == 1 else ""


def _joined(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner else ""
