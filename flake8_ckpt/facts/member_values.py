"""What an attribute, a subscript or an element of a value is."""

from __future__ import annotations

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.tensor_traits import of_part
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.frameworks.torch import NOT_TENSOR_FIELDS

TENSOR_FIELDS = frozenset(["data", "T", "mT", "H", "real", "imag", "grad"])
# Of whatever has them, these are numbers.
SHAPES = frozenset(["shape", "ndim"])


def attribute_of(base: v.Value, attr: str) -> v.Value:
    """Return an attribute of a value."""
    if isinstance(base, v.Name):
        return v.Name(f"{base.path}.{attr}")
    if isinstance(base, (v.Tensor, v.NdArray)):
        if attr in NOT_TENSOR_FIELDS:
            return v.NUMBER
        return base if attr in TENSOR_FIELDS else v.UNKNOWN
    if isinstance(base, (v.Number, v.Const)):
        return v.NUMBER
    if isinstance(base, v.Super):
        return v.Attr(base, attr)
    if isinstance(base, (v.Unknown, v.Module, v.Container, v.Record, v.Parameter, v.Buffer)):
        return v.UNKNOWN
    if attr in SHAPES and not isinstance(base, v.Self):
        return v.NUMBER
    return bounded(v.Attr(base, attr))


def item_of(base: v.Value, key: v.Value, sliced: bool = False) -> v.Value:
    """Return what a subscript of a value gives."""
    if isinstance(base, (v.Tensor, v.NdArray)):
        return of_part(base) if isinstance(base, v.Tensor) else base
    if isinstance(base, (v.Parameter, v.Buffer)):
        return v.Tensor("data")
    if isinstance(base, v.Container):
        if (
            base.items
            and isinstance(key, v.Const)
            and isinstance(key.value, int)
            and -1 <= key.value < len(base.items)
        ):
            return base.items[key.value]
        return v.Container(base.kind, base.of) if sliced else base.of
    if isinstance(base, v.Record):
        return _field_of(base, key)
    if isinstance(base, (v.Unknown, v.Const, v.Number, v.Module)):
        return v.UNKNOWN
    if isinstance(key, v.Join) and all(isinstance(option, v.Const) for option in key.options):
        return v.join([bounded(v.Item(base, option)) for option in key.options])
    return base if sliced else bounded(v.Item(base, key if isinstance(key, v.Const) else v.UNKNOWN))


def _field_of(record: v.Record, key: v.Value) -> v.Value:
    """Return what a record holds under a key; of a table of classes or functions, any of them."""
    if isinstance(key, v.Const):
        found = [field.value for field in record.fields if field.key == key.value]
        if found:
            return found[-1]
    is_table = all(isinstance(field.value, v.Name) for field in record.fields)
    return v.join([field.value for field in record.fields]) if is_table else v.UNKNOWN


def element_of(value: v.Value) -> v.Value:
    """Return what iterating over a value gives."""
    if isinstance(value, v.Container):
        return value.of
    if isinstance(value, v.Tensor):
        return of_part(value)
    if isinstance(value, v.NdArray):
        return v.UNKNOWN
    if isinstance(value, v.Join):
        return v.join([element_of(option) for option in value.options])
    if isinstance(value, (v.Unknown, v.Const, v.Number, v.Record, v.Module)):
        return v.UNKNOWN
    return bounded(v.Element(value))


def holds_state(value: v.Value) -> bool:
    """Tell whether a value is a dict, written as one, with the state of some object under a key."""
    return isinstance(value, v.Record) and any(
        isinstance(option, v.Call)
        and isinstance(option.callee, v.Attr)
        and option.callee.name in ("state_dict", "get_state")
        for each in value.fields
        for option in v.options_of(each.value)
    )
