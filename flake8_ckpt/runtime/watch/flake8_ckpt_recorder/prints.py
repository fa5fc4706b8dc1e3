"""Fingerprints of values: one value has the same print as tensor, array or list, in any width, on any device."""

from __future__ import annotations

import ctypes
import struct
import sys
import zlib
from array import array
from numbers import Real
from typing import Any
from typing import NamedTuple
from typing import Optional

SAMPLE = 4096
SHOWN = 3
MAX_KEYS = 256
MAX_ITEMS = 64


class Sight(NamedTuple):
    """What a value was when it was looked at; `number` is that of a single element."""

    kind: str
    size: int
    checksum: int
    shown: tuple[float, ...] = ()
    number: Optional[float] = None

    @property
    def mark(self) -> tuple[int, int]:
        """Return what two equal values share."""
        return self.size, self.checksum


NONE = Sight("none", 0, 0)


def look(value: Any, depth: int = 2) -> Optional[Sight]:
    """Return the sight of a tensor, an array, a number, None, or a container of these; None for all else."""
    if value is None:
        return NONE
    kind = type(value)
    if kind is bool:
        return None
    if kind is int or kind is float:
        return _number(float(value))
    if is_tensor(value):
        return _tensor(value)
    if _is_array(value):
        return _array(value)
    if depth and (
        kind is dict
        or kind is list
        or kind is tuple
        or kind.__name__ in ("deque", "OrderedDict", "defaultdict")
    ):
        return _container(value, depth - 1)
    if isinstance(value, Real) and kind.__module__ == "numpy" and not kind.__name__.startswith("bool"):
        return _number(float(value))
    return None


def is_tensor(value: Any) -> bool:
    """Tell whether a value is a tensor; its class may be one derived from it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is getattr(numpy, "ndarray", None)


def _number(value: float) -> Sight:
    return Sight("number", 1, _checksum(array("f", [_finite(value)])), (value,), value)


def _finite(value: float) -> float:
    # Beyond float32 the conversion raises.
    return value if -3e38 < value < 3e38 or value != value else float("inf") if value > 0 else float("-inf")


def _checksum(data: Any) -> int:
    return zlib.crc32(data)


def _tensor(value: Any) -> Optional[Sight]:
    torch = sys.modules["torch"]
    if not _is_readable(torch, value):
        return None
    with torch.no_grad(), torch.utils._python_dispatch._disable_current_modes():
        flat = value.detach().reshape(-1)
        size = flat.numel()
        if size > SAMPLE:
            flat = flat[:: -(-size // SAMPLE)]
        if flat.is_complex():
            flat = torch.view_as_real(flat.resolve_conj()).reshape(-1)
        number = flat.double().item() if size == 1 else None
        floats = flat.to(device="cpu", dtype=torch.float32).contiguous()
        # torch needs no numpy, and `tolist()` takes fifty times as long.
        values = ctypes.string_at(floats.data_ptr(), 4 * floats.numel())
    return Sight("tensor", size, _checksum(values), _shown(values), number)


def _shown(values: bytes) -> tuple[float, ...]:
    """Return the first float32 values of some bytes."""
    count = min(SHOWN, len(values) // 4)
    return struct.unpack_from(f"={count}f", values)


def _is_readable(torch: Any, value: Any) -> bool:
    """Leave alone what has no plain memory to read, or must not be read now."""
    if value.is_meta or value.layout is not torch.strided or value.is_quantized:
        return False
    if type(value).__name__ in ("FakeTensor", "FunctionalTensor", "DTensor"):
        return False
    return not (value.is_cuda and torch.cuda.is_current_stream_capturing())


def _array(value: Any) -> Optional[Sight]:
    if value.dtype.kind not in "fiu":
        return None
    flat = value.reshape(-1)
    size = flat.size
    if size > SAMPLE:
        flat = flat[:: -(-size // SAMPLE)]
    number = float(flat[0]) if size == 1 else None
    values = flat.astype("float32").tobytes()
    return Sight("array", size, _checksum(values), _shown(values), number)


def _container(value: Any, depth: int) -> Optional[Sight]:
    is_mapping = isinstance(value, dict)
    if not value or len(value) > (MAX_KEYS if is_mapping else MAX_ITEMS):
        return Sight("container", 0, 0) if not value else None
    items = list(value.values()) if is_mapping else list(value)
    if all(type(item) is float or type(item) is int for item in items):
        numbers = array("f", map(_finite, map(float, items)))
        return Sight("numbers", len(items), _checksum(numbers), tuple(numbers[:SHOWN]))
    sights = [sight for item in items if (sight := look(item, depth)) is not None]
    if not sights:
        return None
    marks = array("q", [number for sight in sights for number in sight.mark])
    return Sight("container", sum(each.size for each in sights), _checksum(marks), sights[0].shown)
