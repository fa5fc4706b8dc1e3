"""What an attribute, a subscript or an element of a value is."""

from __future__ import annotations

from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.facts.values import NUMBER
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Unknown
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.frameworks.torch import NOT_TENSOR_FIELDS

TENSOR_FIELDS = frozenset(["data", "T", "mT", "H", "real", "imag", "grad"])


def attribute_of(base: Value, attr: str) -> Value:
    """Return an attribute of a value."""
    if isinstance(base, Name):
        return Name(f"{base.path}.{attr}")
    if isinstance(base, (Tensor, NdArray)):
        if attr in NOT_TENSOR_FIELDS:
            return NUMBER
        return base if attr in TENSOR_FIELDS else UNKNOWN
    if isinstance(base, (Number, Const)):
        return NUMBER
    if isinstance(base, Super):
        return Attr(base, attr)
    if isinstance(base, (Unknown, Module, Container, Record, Parameter, Buffer)):
        return UNKNOWN
    return bounded(Attr(base, attr))


def item_of(base: Value, key: Value, sliced: bool = False) -> Value:
    """Return what a subscript of a value gives."""
    if isinstance(base, (Tensor, NdArray)):
        return Tensor(base.origin) if isinstance(base, Tensor) else base
    if isinstance(base, (Parameter, Buffer)):
        return Tensor("data")
    if isinstance(base, Container):
        if (
            base.items
            and isinstance(key, Const)
            and isinstance(key.value, int)
            and -1 <= key.value < len(base.items)
        ):
            return base.items[key.value]
        return Container(base.kind, base.of) if sliced else base.of
    if isinstance(base, Record) and isinstance(key, Const):
        found = [field.value for field in base.fields if field.key == key.value]
        return found[-1] if found else UNKNOWN
    if isinstance(base, (Unknown, Const, Number, Module, Record)):
        return UNKNOWN
    return base if sliced else bounded(Item(base, key if isinstance(key, Const) else UNKNOWN))


def element_of(value: Value) -> Value:
    """Return what iterating over a value gives."""
    if isinstance(value, Container):
        return value.of
    if isinstance(value, Tensor):
        return Tensor(value.origin)
    if isinstance(value, NdArray):
        return UNKNOWN
    if isinstance(value, Join):
        return join([element_of(option) for option in value.options])
    if isinstance(value, (Unknown, Const, Number, Record, Module)):
        return UNKNOWN
    return bounded(Element(value))
