"""Which values are objects with an identity, and under which name a local keeps one."""

from __future__ import annotations

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.value_bounds import brief
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.frameworks.torch import MODULE_METHODS


def is_object(value: v.Value, known: Frameworks) -> bool:
    """Tell whether a value is some object with an identity, not a payload that was read from a file."""
    if isinstance(value, v.Join):
        made = [option for option in value.options if option != v.NONE]  # `EMA(net) if decay else None`
        return bool(made) and all(is_object(option, known) for option in made)
    if isinstance(value, (v.Item, v.Element)):
        return isinstance(value.base, (v.Call, v.Local)) and not is_loaded(value, known)
    if isinstance(value, v.Call):
        return not is_loaded(value, known) and not is_bytes(value, known)
    return isinstance(value, v.Module)


def is_bytes(value: v.Value, known: Frameworks) -> bool:
    """Tell whether a value is a payload in bytes, as a library made them."""
    return (
        isinstance(value, v.Call)
        and isinstance(value.callee, v.Name)
        and value.callee.path in known.byte_saves
    )


def is_written(value: v.Call, method: str, known: Frameworks) -> bool:
    """Tell whether a method writes a payload in bytes: these are followed whatever their size."""
    return (
        bool(value.args)
        and is_bytes(value.args[0], known)
        and known.hint("method", "writes bytes").search(method) is not None
    )


def is_loaded(value: v.Value, known: Frameworks) -> bool:
    """Tell whether a value is, or is part of, what a loading function of a library returned."""
    while isinstance(value, (v.Item, v.Element, v.Attr, v.Local)):
        value = value.value if isinstance(value, v.Local) else value.base
    if not isinstance(value, v.Call):
        return isinstance(value, v.Param)
    callee = value.callee
    return (
        isinstance(callee, v.Name)
        and callee.path in known.payload_loads
        or isinstance(callee, v.Attr)
        and (callee.name in ("get", "pop", "copy", "item") and is_loaded(callee.base, known))
    )


def named(name: str, value: v.Value) -> v.Local:
    """Return an object under the name of a local; moving an object does not make it another one."""
    held = value
    while isinstance(held, v.Call) and isinstance(held.callee, v.Attr) and held.callee.name in MODULE_METHODS:
        held = held.callee.base
    if isinstance(held, v.Local) and held.name == name:
        return held
    if isinstance(value, v.Join):
        value = v.join(
            [
                option.value if isinstance(option, v.Local) and option.name == name else option
                for option in value.options
            ]
        )
    return v.Local(name, brief(value))
