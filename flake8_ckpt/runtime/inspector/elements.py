"""Read the numbers of a tensor from its bytes: which are not finite, and what their extremes are."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from math import inf
from math import isfinite
from math import prod

from flake8_ckpt.runtime.inspector.pickles.rebuild import contiguous
from flake8_ckpt.runtime.inspector.pickles.rebuild import last_byte
from flake8_ckpt.runtime.inspector.pickles.safety import SIZES
from flake8_ckpt.runtime.inspector.report import Statistics
from flake8_ckpt.runtime.inspector.values import Array

CHUNK = 2**22
LARGEST_VIEW = 2**24
# What `struct` reads.
FORMATS = {
    "float16": "e",
    "float32": "f",
    "float64": "d",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "bool": "?",
}
DECODED = frozenset([*FORMATS, "bfloat16"])
# A number is not finite where all bits of its exponent are set: mask and value of its highest two bytes, for numbers
# of so many bytes. The dtypes of one byte have their own codes of NaN and infinity.
EXPONENTS = {
    "float16": (2, 0x7C, 0x00),
    "bfloat16": (2, 0x7F, 0x80),
    "float32": (4, 0x7F, 0x80),
    "float64": (8, 0x7F, 0xF0),
    "complex32": (2, 0x7C, 0x00),
    "complex64": (4, 0x7F, 0x80),
    "complex128": (8, 0x7F, 0xF0),
}
SPECIAL_BYTES = {
    "float8_e4m3fn": frozenset([0x7F, 0xFF]),
    "float8_e5m2": frozenset(byte for byte in range(256) if byte & 0x7C == 0x7C),
    "float8_e4m3fnuz": frozenset([0x80]),
    "float8_e5m2fnuz": frozenset([0x80]),
    "float8_e8m0fnu": frozenset([0xFF]),
}
FLOATING = frozenset([*EXPONENTS, *SPECIAL_BYTES])


def count_nonfinite(array: Array) -> int:
    """Return how many numbers of a floating-point array are NaN or infinite, in chunks and without torch."""
    return sum(_nonfinite_in(chunk, array.dtype, array.is_big_endian) for chunk in _chunks(array))


def _nonfinite_in(data: bytes, dtype: str, is_big_endian: bool) -> int:
    """Count with operations on whole byte strings, which are fast: one bit of a long integer for each number."""
    if dtype in SPECIAL_BYTES:
        return sum(data.count(byte) for byte in SPECIAL_BYTES[dtype])
    width, high_mask, low_mask = EXPONENTS[dtype]
    parts = 2 if dtype.startswith("complex") else 1
    bad = 0
    for part in range(0, parts * width, width):
        high, low = (part, part + 1) if is_big_endian else (part + width - 1, part + width - 2)
        highs = int.from_bytes(data[high :: parts * width].translate(_ones(high_mask)), "little")
        lows = int.from_bytes(data[low :: parts * width].translate(_ones(low_mask)), "little")
        bad |= highs & lows
    return bad.bit_count()


@cache
def _ones(mask: int) -> bytes:
    return bytes(byte & mask == mask for byte in range(256))


def _chunks(array: Array) -> Iterator[bytes]:
    """Yield the bytes of the elements; of a large view with gaps also what is between them."""
    assert array.data is not None
    size = SIZES[array.dtype]
    begin, length = array.offset * size, span_of(array)
    if _has_gaps(array) and length <= LARGEST_VIEW:
        yield b"".join(_gathered(array, array.data.read(begin, length), size))
        return
    for at in range(0, length, CHUNK):
        yield array.data.read(begin + at, min(CHUNK, length - at))


def span_of(array: Array) -> int:
    """Return the bytes from the first to the last element of an array."""
    return max(0, last_byte(array) - array.offset * SIZES.get(array.dtype, 1))


def _has_gaps(array: Array) -> bool:
    """Tell whether the elements leave out something between them; an expanded dimension is read once."""
    elements = prod(length for _, length in _steps(array))
    return elements * SIZES[array.dtype] < span_of(array)


def _steps(array: Array) -> list[tuple[int, int]]:
    """Return the strides and lengths of the dimensions that lead to other elements, smallest first."""
    stride = array.stride if array.stride is not None else contiguous(array.shape)
    return sorted(pair for pair in zip(stride, array.shape) if pair[0] != 0 and pair[1] != 1)


def _gathered(array: Array, data: bytes, size: int) -> Iterator[bytes]:
    """Yield the elements that a view reaches in the bytes under it."""
    (step, length), *outer = _steps(array)
    for start in _starts(outer):
        row = data[start * size : (start + (length - 1) * step + 1) * size]
        yield row if step == 1 else b"".join(row[at : at + size] for at in range(0, len(row), step * size))


def _starts(pairs: list[tuple[int, int]]) -> Iterator[int]:
    if not pairs:
        yield 0
        return
    step, length = pairs[0]
    for outer in _starts(pairs[1:]):
        yield from range(outer, outer + step * length, step)


def statistics_of(array: Array) -> Statistics:
    """Return the statistics of a tensor of a dtype in `DECODED`, which is to be small enough to read whole."""
    if 0 in array.shape:
        return Statistics(None, None, None, 0)
    return summarize(_decode(b"".join(_chunks(array)), array))


def summarize(numbers: Sequence[float]) -> Statistics:
    """Return the statistics of numbers."""
    finite = [number for number in map(_as_float, numbers) if isfinite(number)]
    if not finite:
        return Statistics(None, None, None, len(numbers))
    mean = sum(number / len(finite) for number in finite)
    return Statistics(min(finite), max(finite), mean, len(numbers) - len(finite))


def _as_float(number: float) -> float:
    """Return a number as a float; an integer that is too large for one counts as infinite."""
    try:
        return float(number)
    except OverflowError:
        return inf


def _decode(data: bytes, array: Array) -> tuple[float, ...]:
    order = ">" if array.is_big_endian else "<"
    if array.dtype == "bfloat16":
        # The upper half of a float32.
        wide = bytearray(2 * len(data))
        high, low = (0, 1) if array.is_big_endian else (3, 2)
        wide[high::4] = data[(0 if array.is_big_endian else 1) :: 2]
        wide[low::4] = data[(1 if array.is_big_endian else 0) :: 2]
        return struct.unpack(f"{order}{len(wide) // 4}f", wide)
    code = FORMATS[array.dtype]
    return struct.unpack(f"{order}{len(data) // struct.calcsize(code)}{code}", data)


def digest_of(array: Array) -> str:
    """Return a digest of the values of an array that is readable, in the byte order of the file."""
    digest = blake2b(digest_size=16)
    for chunk in _chunks(array):
        digest.update(chunk)
    return digest.hexdigest()


def is_readable(array: Array) -> bool:
    """Tell whether the bytes of a tensor are there and where it says."""
    is_plain = not array.problem and array.layout == "strided" and array.dtype in SIZES
    return array.data is not None and is_plain
