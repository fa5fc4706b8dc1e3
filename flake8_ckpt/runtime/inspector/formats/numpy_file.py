"""Read npy files, and npz archives of them: a header of a few fields, then the bytes."""

from __future__ import annotations

import ast
import re
from typing import Any

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.content import describe_unsafe
from flake8_ckpt.runtime.inspector.content import walk_member
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.archive import Archive
from flake8_ckpt.runtime.inspector.formats.archive import describe_members
from flake8_ckpt.runtime.inspector.pickles.rebuild import NUMPY_DTYPES
from flake8_ckpt.runtime.inspector.pickles.rebuild import contiguous
from flake8_ckpt.runtime.inspector.pickles.rebuild import problem_of
from flake8_ckpt.runtime.inspector.pickles.rebuild import with_problem
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.region import region_of
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.values import Array
from flake8_ckpt.runtime.inspector.values import Mapping

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
SUFFIX = ".npy"


def is_npz(archive: Archive) -> bool:
    """Tell whether all members are arrays."""
    names = list(archive.members)
    return bool(names) and all(name.endswith(SUFFIX) for name in names)


def read_npz(archive: Archive) -> Content:
    """Return the arrays of an archive, keyed by their member without its suffix."""
    arrays, findings = [], [*describe_members(archive)]
    for name, info in archive.members.items():
        if info.compress_type and info.file_size > archive.budget.unpacked:
            region = region_of(archive.head(name, LONGEST_HEADER))
        else:
            region = archive.region_of_member(name)
        array, found = read_array(region, name, info.file_size)
        arrays.append((name.removesuffix(SUFFIX), array))
        findings += found
    covered = tuple(archive.members)
    return Content("npz", (Tree(Mapping([*arrays])),), tuple(findings), covered=covered)


def read_npy(region: Region) -> Content:
    """Return the one array of a file."""
    array, findings = read_array(region, "the array", region.size)
    return Content("npy", (Tree(Mapping([("array", array)])),), findings)


def read_array(region: Region, name: str, size: int) -> tuple[Array, tuple[Finding, ...]]:
    """Return an array, and what is unsafe in it; `size` is that of the whole file, of which we may have a part."""
    header, begin = _header(region, name)
    descr, is_fortran, shape = (header.get(each) for each in ("descr", "fortran_order", "shape"))
    if not isinstance(shape, tuple) or not all(type(each) is int for each in shape):
        raise CheckpointError(f"{name}: the numpy header has no shape")
    plain = re.fullmatch(r"([<>|=])([fiucb])(\d+)", descr) if isinstance(descr, str) else None
    dtype = NUMPY_DTYPES.get(f"{plain[2]}{plain[3]}", f"numpy {descr}") if plain else f"numpy {descr}"
    stride = tuple(reversed(contiguous(tuple(reversed(shape))))) if is_fortran and shape else None
    is_whole = region.size == size
    data = region.part(begin, region.size - begin) if is_whole and not dtype.startswith("numpy") else None
    array = Array(
        dtype[:80], shape, stride, data=data, storage=name, is_big_endian=bool(plain and plain[1] == ">")
    )
    return with_problem(array, problem_of(array)), _objects(region, name, begin, descr)


def _objects(region: Region, name: str, begin: int, descr: Any) -> tuple[Finding, ...]:
    """Return what is unsafe in an array of Python objects, whose bytes are a pickle."""
    if "O" not in str(descr):
        return ()
    walked = walk_member(region, name, begin)
    return describe_unsafe(walked.globals, name)


def _header(region: Region, name: str) -> tuple[dict[str, Any], int]:
    """Return the header and the byte after it."""
    start = region.read(0, min(12, region.size))
    if not start.startswith(MAGIC) or len(start) < 10 or start[6] not in (1, 2, 3):
        raise CheckpointError(f"{name}: no numpy array, or a truncated one")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    if length > LONGEST_HEADER:
        raise CheckpointError(f"{name}: the numpy header declares {length:,} bytes, which is too large")
    begin = 8 + width
    try:
        header = ast.literal_eval(region.read(begin, length).decode("latin-1").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise CheckpointError(f"{name}: the numpy header is damaged") from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{name}: the numpy header is damaged")
    return header, begin + length
