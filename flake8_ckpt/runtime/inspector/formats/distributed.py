"""Read the folder of a distributed checkpoint: an index, which is a pickle, and files of shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Optional

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.content import describe_unsafe
from flake8_ckpt.runtime.inspector.content import walk_member
from flake8_ckpt.runtime.inspector.content import warning_of
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.shards import Place
from flake8_ckpt.runtime.inspector.formats.shards import Shards
from flake8_ckpt.runtime.inspector.pickles.rebuild import dtype_of
from flake8_ckpt.runtime.inspector.pickles.rebuild import problem_of
from flake8_ckpt.runtime.inspector.pickles.rebuild import sizes_of
from flake8_ckpt.runtime.inspector.pickles.rebuild import with_problem
from flake8_ckpt.runtime.inspector.pickles.safety import DISTRIBUTED
from flake8_ckpt.runtime.inspector.pickles.safety import SAFE
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.roles import role_of
from flake8_ckpt.runtime.inspector.values import Array
from flake8_ckpt.runtime.inspector.values import Call
from flake8_ckpt.runtime.inspector.values import GlobalRef
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import Value
from flake8_ckpt.runtime.inspector.values import text_of

INDEX = ".metadata"


def read_distributed(index: Region, shards: Shards) -> Content:
    """Return the tensors of the index, and what is wrong with the files that it names.

    Only what looks like statistics of a normalizer is read from the shards.
    """
    walked = walk_member(index, INDEX)
    fields = _fields(walked.value)
    tensors = fields.get("state_dict_metadata")
    if not isinstance(tensors, Mapping):
        warning = warning_of(walked.globals, SAFE | DISTRIBUTED)
        raise CheckpointError(f"{INDEX} is no index of a distributed checkpoint{warning}")
    places = _places(fields.get("storage_data"))
    alone = _alone(places)
    arrays = [
        (key, _with_data(_array(value), key, alone, shards))
        for key, value in tensors.items
        if _is_tensor(value)
    ]
    others = len(tensors.items) - len(arrays)
    notes = (f"the shards also hold pickles ({others}), which were not looked into",) if others else ()
    unsafe = describe_unsafe(walked.globals, INDEX, SAFE | DISTRIBUTED)
    findings = (*unsafe, *_bad_places(shards.folder, places))
    return Content("distributed checkpoint", (Tree(Mapping([*arrays])),), findings, notes)


def _fields(value: Value) -> dict[str, Value]:
    """Return the attributes of an object."""
    state = value.state if isinstance(value, Call) else None
    pairs = state.items if isinstance(state, Mapping) else ()
    return {key: each for key, each in pairs if isinstance(key, str)}


def _is_tensor(value: Value) -> bool:
    return (
        isinstance(value, Call)
        and isinstance(value.function, GlobalRef)
        and value.function.name == "TensorStorageMetadata"
    )


def _array(value: Value) -> Array:
    """Describe one tensor, which may be spread over several shards."""
    fields = _fields(value)
    try:
        properties = fields["properties"].state
        dtype = properties[0] if isinstance(properties, tuple) else _fields(fields["properties"])["dtype"]
        array = Array(dtype_of(dtype), sizes_of(fields["size"]), storage=_shards(len(fields["chunks"])))
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        return Array("unknown", (), problem="an entry of the index that torch does not write")
    return with_problem(array, problem_of(array))


def _shards(count: int) -> str:
    return f"{count} shard{'s' if count != 1 else ''}"


def _places(storage: Optional[Value]) -> list[tuple[str, Optional[Place]]]:
    """Return the key and the place of each shard; a place that torch does not write is None."""
    pairs = storage.items if isinstance(storage, Mapping) else ()
    return [(text_of(_fields(index).get("fqn")), _place_of(_fields(info))) for index, info in pairs]


def _place_of(fields: dict[str, Any]) -> Optional[Place]:
    name, offset, length = (fields.get(each) for each in ("relative_path", "offset", "length"))
    if not isinstance(name, str) or not isinstance(offset, int) or not isinstance(length, int):
        return None
    return Place(name, offset, length) if min(offset, length) >= 0 else None


def _with_data(array: Array, key: Value, alone: dict[str, Place], shards: Shards) -> Array:
    """Return a statistic of a normalizer with its values, where one shard has all of it."""
    if array.problem or not isinstance(key, str) or not role_of(key) or key not in alone:
        return array
    stored = shards.read(alone[key])
    if stored is None or (stored.dtype, stored.shape) != (array.dtype, array.shape):
        return array
    return replace(stored, storage=array.storage)


def _alone(places: list[tuple[str, Optional[Place]]]) -> dict[str, Place]:
    """Return the place of each tensor that is in one shard."""
    counts = Counter(key for key, _ in places)
    return {key: place for key, place in places if place is not None and counts[key] == 1}


def _bad_places(folder: Path, places: list[tuple[str, Optional[Place]]]) -> Iterator[Finding]:
    """Yield the files of the index that are missing, too short, or outside of the folder."""
    ends: dict[str, int] = {}
    for key, place in places:
        if place is None:
            yield Finding("damaged", "the index has a place that torch does not write", key)
        elif not place.is_inside:
            yield Finding("unsafe", f"shard {place.name} is outside of the folder", key)
        else:
            ends[place.name] = max(ends.get(place.name, 0), place.offset + place.length)
    for name, end in ends.items():
        yield from _short_file(folder, name, end)


def _short_file(folder: Path, name: str, end: int) -> Iterator[Finding]:
    try:
        size = (folder / name).stat().st_size
    except OSError:
        yield Finding("damaged", f"shard {name} is missing", name)
        return
    if size < end:
        yield Finding("damaged", f"shard {name} is truncated: {size:,} bytes instead of {end:,}", name)
