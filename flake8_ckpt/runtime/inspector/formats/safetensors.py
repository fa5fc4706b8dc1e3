"""Read a safetensors file: the length of a header, the header in JSON, the bytes of the tensors."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.json_text import load_json
from flake8_ckpt.runtime.inspector.pickles.rebuild import problem_of
from flake8_ckpt.runtime.inspector.pickles.rebuild import with_problem
from flake8_ckpt.runtime.inspector.pickles.safety import SIZES
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.values import Array
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import text_of

LENGTH_SIZE = 8
# What the library itself allows.
LARGEST_HEADER = 100_000_000
PROTO = 0x80
METADATA = "__metadata__"
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "C64": "complex64",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}


def is_safetensors(head: bytes, size: int) -> bool:
    """Tell whether a file begins as one: a length that fits, or that is not the begin of a pickle, and a brace."""
    fits = int.from_bytes(head[:LENGTH_SIZE], "little") <= size
    return head[LENGTH_SIZE : LENGTH_SIZE + 1] == b"{" and (fits or head[0] != PROTO)


def read_safetensors(region: Region) -> Content:
    """Return the tensors; raise `CheckpointError` where the header is damaged."""
    length = int.from_bytes(region.read(0, LENGTH_SIZE), "little")
    if length > min(LARGEST_HEADER, region.size - LENGTH_SIZE):
        there = f"the file has {region.size:,} bytes"
        raise CheckpointError(f"the safetensors header declares {length:,} bytes, {there}")
    header = load_json(region.part(LENGTH_SIZE, length), "the safetensors header")
    if not isinstance(header, Mapping):
        raise CheckpointError("the safetensors header is no JSON object")
    data = region.part(LENGTH_SIZE + length, region.size - LENGTH_SIZE - length)
    tensors = [(key, _tensor(value, data)) for key, value in header.items if key != METADATA]
    return Content("safetensors", (Tree(Mapping([*tensors])),), (*_overlaps(tensors), *_duplicates(tensors)))


def _tensor(value: Any, data: Region) -> Array:
    """Describe one tensor; what its entry does not give is damage of this tensor alone."""
    fields = dict(value.items) if isinstance(value, Mapping) else {}
    dtype: Any = fields.get("dtype")
    shape: Any = fields.get("shape")
    bounds: Any = fields.get("data_offsets")
    if not _is_integers(shape) or not _is_integers(bounds) or len(bounds) != 2:
        return Array("unknown", (), problem="an entry of the header without a dtype, a shape or two offsets")
    name = DTYPES.get(text_of(dtype), text_of(dtype))
    begin, end = bounds
    if not 0 <= begin <= end <= data.size:
        return Array(name, tuple(shape), problem=f"offsets outside of the file: {begin:,} to {end:,}")
    array = Array(name, tuple(shape), data=data.part(begin, end - begin), storage=str(begin))
    if name in SIZES and min(shape, default=0) >= 0 and prod(shape) * SIZES[name] != end - begin:
        return with_problem(array, f"{end - begin:,} bytes, which does not fit its shape")
    return with_problem(array, problem_of(array))


def _is_integers(value: Any) -> bool:
    return isinstance(value, list) and all(type(each) is int and each.bit_length() < 64 for each in value)


def _overlaps(tensors: list[tuple[Any, Array]]) -> Iterator[Finding]:
    spans = sorted(
        (each.data.begin, each.data.size, str(key)) for key, each in tensors if each.data and each.data.size
    )
    for (begin, size, _), (after, _, key) in zip(spans, spans[1:]):
        if begin + size > after:
            yield Finding("damaged", "its bytes overlap those of another tensor", key)


def _duplicates(tensors: list[tuple[Any, Array]]) -> Iterator[Finding]:
    seen: set[Any] = set()
    for key, _ in tensors:
        if key in seen:
            yield Finding("damaged", "two tensors have this key", str(key))
        seen.add(key)
