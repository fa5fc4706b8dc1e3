"""Say which tensor or array a call in a pickle would build, without building it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any
from typing import Optional

from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.pickles.safety import SIZES
from flake8_ckpt.runtime.inspector.pickles.safety import STORAGES
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.region import region_of
from flake8_ckpt.runtime.inspector.values import Array
from flake8_ckpt.runtime.inspector.values import Blob
from flake8_ckpt.runtime.inspector.values import Call
from flake8_ckpt.runtime.inspector.values import GlobalRef
from flake8_ckpt.runtime.inspector.values import Persistent
from flake8_ckpt.runtime.inspector.values import Shape
from flake8_ckpt.runtime.inspector.values import Value
from flake8_ckpt.runtime.inspector.values import text_of

Locate = Callable[[str], Optional[Region]]
MOST_DIMENSIONS = 64
LARGEST = 2**63 - 1
# numpy's names of dtypes, without byte order.
NUMPY_DTYPES = {
    **{f"f{size}": f"float{8 * size}" for size in (2, 4, 8)},
    **{f"i{size}": f"int{8 * size}" for size in (1, 2, 4, 8)},
    **{f"u{size}": f"uint{8 * size}" for size in (1, 2, 4, 8)},
    "c8": "complex64",
    "c16": "complex128",
    "b1": "bool",
}


def rebuilt(call: Call, locate: Locate, is_big_endian: bool = False) -> Optional[Value]:
    """Return the array that a call builds, or the value that it wraps, or None where it is neither."""
    if call.built is None:
        call.built = _rebuilt(call, locate, is_big_endian)
    return call.built


def _rebuilt(call: Call, locate: Locate, is_big_endian: bool) -> Optional[Value]:
    path = call.function.path if isinstance(call.function, GlobalRef) else ""
    arguments = call.arguments if isinstance(call.arguments, tuple) else ()
    module, _, name = path.rpartition(".")
    try:
        if module == "torch._utils" and name in BUILDERS:
            return BUILDERS[name](arguments, locate, is_big_endian)
        if path == "torch._tensor._rebuild_from_type_v2":
            return Call(arguments[0], arguments[2])
        if name == "_reconstruct" and module.startswith("numpy"):
            return _numpy_state(call.state)
        if name == "_frombuffer" and module.startswith("numpy"):
            return _numpy_array(arguments[0], arguments[1], arguments[2], arguments[3] == "F")
        if name == "scalar" and module.startswith("numpy"):
            return _numpy_array(arguments[1], arguments[0], ())
    except CheckpointError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError, RecursionError):
        return Array("unknown", (), problem=f"arguments of {path} that torch does not write")
    return None


def _tensor(arguments: Any, locate: Locate, is_big_endian: bool, dtype: str = "") -> Array:
    storage, offset, shape, stride = arguments[:4]
    kind, key, device, numel = storage.identity[1:5]
    stored_as = STORAGES[kind.name]
    region = locate(text_of(key))
    shape, stride = sizes_of(shape), sizes_of(stride)
    array = Array(
        dtype or stored_as,
        shape,
        stride,
        offset,
        region,
        text_of(key),
        text_of(device),
        is_big_endian=is_big_endian,
    )
    return with_problem(array, problem_of(array) or _storage_problem(storage, stored_as, region))


def with_problem(array: Array, problem: str) -> Array:
    """Return an array with a problem noted, if there is one."""
    return replace(array, problem=problem) if problem else array


def _storage_problem(storage: Persistent, dtype: str, region: Optional[Region]) -> str:
    numel = storage.identity[4]
    if region is None:
        return f"its storage {text_of(storage.identity[2])!r} is not in the file"
    if not isinstance(numel, int) or not 0 <= numel <= LARGEST:
        return "a number of elements in its storage that is none"
    if numel * SIZES[dtype] != region.size:
        return f"its storage has {region.size:,} bytes instead of {numel * SIZES[dtype]:,}"
    return ""


def problem_of(array: Array) -> str:
    """Return what is wrong with the layout of an array, or nothing."""
    numbers = (*array.shape, *(array.stride or ()), array.offset)
    if any(type(number) is not int for number in numbers):
        return "a shape that is none"
    if min(numbers) < 0:
        return "a negative size, stride or offset"
    if array.stride is not None and len(array.stride) != len(array.shape):
        return "a stride that does not fit its shape"
    if max(numbers) > LARGEST or prod(array.shape) > LARGEST:
        return "a size beyond 64 bits"
    if array.data is not None and last_byte(array) > array.data.size:
        return "elements outside of its storage"
    return ""


def last_byte(array: Array) -> int:
    """Return the byte after the last element of an array, counted from the begin of its storage."""
    if 0 in array.shape:
        return 0
    stride = array.stride if array.stride is not None else contiguous(array.shape)
    last = array.offset + sum((size - 1) * step for size, step in zip(array.shape, stride))
    return (last + 1) * SIZES.get(array.dtype, 1)


def contiguous(shape: Shape) -> Shape:
    """Return the strides of a contiguous array, in elements."""
    strides = [1]
    for size in reversed(shape[1:]):
        strides.append(strides[-1] * size)
    return tuple(reversed(strides)) if shape else ()


def sizes_of(value: Value) -> Any:
    """Return a shape, which may be wrapped in a `torch.Size`."""
    if isinstance(value, Call):
        value = value.arguments[0]
    if len(value) > MOST_DIMENSIONS:
        raise ValueError("more dimensions than torch has")
    return tuple(value)


def _tensor_v3(arguments: Any, locate: Locate, is_big_endian: bool) -> Array:
    return _tensor(arguments, locate, is_big_endian, dtype_of(arguments[6]))


def _parameter(arguments: Any, locate: Locate, is_big_endian: bool) -> Value:
    return arguments[0]


def _meta(arguments: Any, locate: Locate, is_big_endian: bool) -> Array:
    array = Array(dtype_of(arguments[0]), sizes_of(arguments[1]), sizes_of(arguments[2]), device="meta")
    return with_problem(array, problem_of(array))


def _sparse(arguments: Any, locate: Locate, is_big_endian: bool) -> Array:
    """Describe a sparse tensor by its own shape and the dtype of its values."""
    layout = text_of(arguments[0].arguments[0] if isinstance(arguments[0], Call) else arguments[0])
    parts = arguments[1]
    is_coo = layout.endswith("coo")
    values = rebuilt(parts[1 if is_coo else 2], locate, is_big_endian)
    assert isinstance(values, Array)
    layout = layout.removeprefix("torch.")
    return Array(values.dtype, sizes_of(parts[2 if is_coo else 3]), layout=layout, problem=values.problem)


def _nested(arguments: Any, locate: Locate, is_big_endian: bool) -> Array:
    buffer = rebuilt(arguments[0], locate, is_big_endian)
    assert isinstance(buffer, Array)
    return Array(buffer.dtype, buffer.shape, layout="nested", problem=buffer.problem)


def _wrapper(arguments: Any, locate: Locate, is_big_endian: bool) -> Array:
    return Array(
        dtype_of(arguments[1]), sizes_of(arguments[2]), layout=f"wrapper {text_of(arguments[0].name)}"
    )


BUILDERS: dict[str, Callable[[Any, Locate, bool], Value]] = {
    "_rebuild_tensor": _tensor,
    "_rebuild_tensor_v2": _tensor,
    "_rebuild_tensor_v3": _tensor_v3,
    "_rebuild_qtensor": _tensor,
    "_rebuild_parameter": _parameter,
    "_rebuild_parameter_with_state": _parameter,
    "_rebuild_meta_tensor_no_storage": _meta,
    "_rebuild_sparse_tensor": _sparse,
    "_rebuild_nested_tensor": _nested,
    "_rebuild_wrapper_subclass": _wrapper,
    "_rebuild_device_tensor_from_numpy": _parameter,
    "_rebuild_device_tensor_from_cpu_tensor": _parameter,
}


def dtype_of(value: Value) -> str:
    """Return the name of a torch dtype."""
    if isinstance(value, GlobalRef) and value.module == "torch":
        return value.name
    raise TypeError("no dtype")


def _numpy_state(state: Value) -> Array:
    _, shape, dtype, is_fortran, data = state
    return _numpy_array(data, dtype, shape, is_fortran is True)


def _numpy_array(data: Value, dtype: Value, shape: Value, is_fortran: bool = False) -> Array:
    """Describe an array whose bytes are in the pickle itself."""
    name, is_big_endian = _numpy_dtype(dtype)
    shape = sizes_of(shape)
    stride = tuple(reversed(contiguous(tuple(reversed(shape))))) if is_fortran else None
    array = Array(
        name, shape, stride, data=_bytes_of(data) if name in SIZES else None, is_big_endian=is_big_endian
    )
    return with_problem(array, problem_of(array))


def _numpy_dtype(dtype: Value) -> tuple[str, bool]:
    """Return the name of a numpy dtype, which a pickle writes as a call and a state, and its byte order."""
    if isinstance(dtype, GlobalRef):
        return dtype.name, False
    name = text_of(dtype.arguments[0])[:40]
    order = dtype.state[1] if isinstance(dtype.state, tuple) else name[:1]
    name = name.lstrip("<>=|")
    return NUMPY_DTYPES.get(name, f"numpy {name}"), order == ">"


def _bytes_of(data: Value) -> Optional[Region]:
    """Return bytes, which protocol 2 writes as text to be encoded."""
    if isinstance(data, (bytes, bytearray)):
        return region_of(bytes(data))
    if isinstance(data, Blob) and not data.is_text:
        return data.region
    if (
        isinstance(data, Call)
        and isinstance(data.function, GlobalRef)
        and data.function.path == "_codecs.encode"
    ):
        text = data.arguments[0]
        return region_of(text.encode("latin-1")) if isinstance(text, str) else None
    return None
