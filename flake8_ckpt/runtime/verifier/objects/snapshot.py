"""Copies of everything reachable from an object, which later updates cannot change, to compare bit by bit."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from numbers import Number
from reprlib import Repr
from typing import Any

import torch
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy

from flake8_ckpt.runtime.verifier.objects.reach import Node
from flake8_ckpt.runtime.verifier.objects.reach import TooMany
from flake8_ckpt.runtime.verifier.objects.reach import generator_state
from flake8_ckpt.runtime.verifier.objects.reach import is_array
from flake8_ckpt.runtime.verifier.objects.reach import is_plain
from flake8_ckpt.runtime.verifier.objects.reach import key_text
from flake8_ckpt.runtime.verifier.objects.reach import parts_of_tensor
from flake8_ckpt.runtime.verifier.objects.reach import reach

SHOWN = 4
SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 60


@dataclass(frozen=True)
class Frozen:
    """A value as it was: its kind, a copy, and the earlier path when it was met before."""

    kind: str
    data: object
    same_as: str | None = None


Snapshot = dict[str, Frozen]


def snapshot(root: object) -> Snapshot:
    """Return a copy of everything reachable from `root`, by path."""
    return {node.path: freeze(node) for node in reach(root)}


def freeze(node: Node) -> Frozen:
    """Return a copy of one value: tensors and arrays are cloned."""
    value = node.value
    read = generator_state(value)
    if isinstance(value, torch.Tensor):
        if is_lazy(value):
            return Frozen("not initialized yet", None, node.same_as)
        return Frozen("tensor", value.detach().clone(), node.same_as)
    if is_array(value) and not value.dtype.hasobject:
        return Frozen("array", value.copy(), node.same_as)
    if is_plain(value):
        return Frozen("number" if isinstance(value, Number) else "text", value)
    if read is not None:
        return Frozen("random state", snapshot(read()), node.same_as)
    if isinstance(value, dict):
        return Frozen("mapping", frozenset(map(key_text, value)), node.same_as)
    if isinstance(value, list | tuple):
        return Frozen("list", items_of(value), node.same_as)
    if isinstance(value, deque):
        return Frozen("deque", (items_of(value), value.maxlen), node.same_as)
    if isinstance(value, set | frozenset):
        return Frozen("set", frozenset(value) if all(map(is_plain, value)) else len(value), node.same_as)
    if isinstance(value, LazyModuleMixin) and value.cls_to_become is not None:
        return Frozen("lazy module", value.cls_to_become.__qualname__, node.same_as)
    return Frozen("cut" if isinstance(value, TooMany) else "object", type(value).__qualname__, node.same_as)


def is_leaf(value: Frozen) -> bool:
    """Return whether a value was compared as a whole, rather than by its parts."""
    return value.kind in ("tensor", "array", "number", "text", "random state", "set") or (
        value.kind in ("list", "deque") and isinstance(value.data, tuple)
    )


def items_of(values: list[object] | tuple[object, ...] | deque[object]) -> object:
    """Return the values where all are plain, which are compared as a whole, else how many there are."""
    return tuple(values) if all(map(is_plain, values)) else len(values)


def same(one: Frozen | None, other: Frozen | None) -> bool:
    """Return whether two values are equal to the bit; None stands for an absent one."""
    if one is None or other is None:
        return one is other
    if one.kind != other.kind and {one.kind, other.kind} != {"object", "lazy module"}:
        return False
    if isinstance(one.data, torch.Tensor) and isinstance(other.data, torch.Tensor):
        return same_tensor(one.data, other.data)
    if one.kind == "array":
        return same_array(one.data, other.data)
    if one.kind == "random state" and isinstance(one.data, dict) and isinstance(other.data, dict):
        return same_snapshot(one.data, other.data)
    return same_plain(one.data, other.data)


def same_snapshot(one: Snapshot, other: Snapshot) -> bool:
    """Return whether two snapshots hold equal values under equal paths."""
    return one.keys() == other.keys() and all(same(one[path], other[path]) for path in one)


def same_tensor(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Return whether dtype, shape, device and all bits are equal, those of NaN included."""
    if one.dtype != other.dtype or one.shape != other.shape or one.device != other.device:
        return False
    if one.layout != other.layout or one.is_quantized:
        return one.layout == other.layout and torch.equal(one, other)
    if one.is_meta:
        return True
    if one.layout is not torch.strided:
        return same_tensor(one.to_dense(), other.to_dense())
    if hasattr(one, "__tensor_flatten__"):
        return all(map(same_tensor, parts_of_tensor(one), parts_of_tensor(other)))
    return torch.equal(bits(one), bits(other))


def bits(value: torch.Tensor) -> torch.Tensor:
    """Return the bytes of a tensor, as one row of uint8."""
    return value.resolve_conj().resolve_neg().contiguous().reshape(-1).view(torch.uint8)


def same_array(one: Any, other: Any) -> bool:
    """Return whether dtype, shape and all bytes of two numpy arrays are equal."""
    return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())


def same_plain(one: object, other: object) -> bool:
    """Return whether two plain values, or tuples of them, are equal; NaN equals NaN."""
    if isinstance(one, tuple) and isinstance(other, tuple) and not isinstance(one, torch.Size):
        return len(one) == len(other) and all(map(same_plain, one, other))
    return bool(one == other) or (one != one and other != other)


def describe(value: Frozen | None) -> str:
    """Return a value in a few words: the first numbers of a tensor, its dtype and shape."""
    if value is None:
        return "absent"
    data = value.data
    if value.kind == "tensor":
        return describe_tensor(data)
    if value.kind == "array":
        return describe_array(data)
    if value.kind in ("number", "text"):
        return str(data) if isinstance(data, torch.dtype) else SHORT.repr(data)
    return describe_container(value.kind, data)


def describe_tensor(value: Any) -> str:
    """Return the first numbers, dtype, shape, and the device where it is not the CPU."""
    kind = str(value.dtype).removeprefix("torch.")
    place = "" if value.device.type == "cpu" else f" on {value.device}"
    shape = list(value.shape)
    if value.is_meta or value.layout is not torch.strided or value.is_quantized:
        return f"{kind} {shape}{place}"
    first = parts_of_tensor(value)[0].reshape(-1)[:SHOWN].tolist()
    return f"{numbers(first, shape)} {kind} {shape}{place}"


def describe_array(value: Any) -> str:
    """Return the first numbers, dtype and shape of a numpy array."""
    shape = list(value.shape)
    return f"{numbers(value.reshape(-1)[:SHOWN].tolist(), shape)} {value.dtype} {shape}"


def numbers(first: list[object], shape: list[int]) -> str:
    """Return the first numbers of an array, shortened."""
    words = [f"{item:.6g}" if isinstance(item, float) else str(item) for item in first]
    if not shape:
        return words[0]
    size = 1
    for length in shape:
        size *= length
    return f"[{', '.join(words)}{', ...' if size > len(words) else ''}]"


def describe_container(kind: str, data: object) -> str:
    """Return what a container holds, or the class of an object."""
    if kind == "deque" and isinstance(data, tuple):
        return f"deque{describe_items(data[0])}" + (f" of at most {data[1]}" if data[1] is not None else "")
    if kind == "mapping" and isinstance(data, frozenset):
        keys = sorted(data)
        return (
            f"mapping of {len(keys)}: {', '.join(keys[:SHOWN])}{', ...' * (len(keys) > SHOWN)}"
            if keys
            else "{}"
        )
    if kind in ("list", "set"):
        return f"{kind}{describe_items(data)}"
    return f"a {data}" if kind in ("object", "lazy module") else kind


def describe_items(data: object) -> str:
    """Return the plain values of a sequence, or how many items it has."""
    if isinstance(data, int):
        return f" of {data}"
    items = list(data) if isinstance(data, tuple | frozenset) else []
    return f"({', '.join(map(repr, items[:SHOWN]))}{', ...' * (len(items) > SHOWN)})"
