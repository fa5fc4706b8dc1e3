"""Read what `torch.save` wrote before it wrote zip archives: five pickles, then the bytes of the storages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.content import describe_unsafe
from flake8_ckpt.runtime.inspector.content import walk_member
from flake8_ckpt.runtime.inspector.content import warning_of
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.pickles.pickled import read_rest
from flake8_ckpt.runtime.inspector.pickles.safety import SIZES
from flake8_ckpt.runtime.inspector.pickles.safety import STORAGES
from flake8_ckpt.runtime.inspector.pickles.walker import Walked
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.values import GlobalRef
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import Value
from flake8_ckpt.runtime.inspector.values import text_of

MAGIC = 0x1950A86A20F9469CFC6C
# The first pickle: PROTO 2, LONG1 of ten bytes, the magic number, STOP.
HEAD = b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little") + b"."
VERSION = 1001
COUNT_SIZE = 8


def read_torch_legacy(region: Region) -> Content:
    """Return the pickle of a legacy file, which begins with `HEAD`."""
    version = walk_member(region, "the version", len(HEAD))
    if version.value != VERSION:
        raise CheckpointError("a legacy torch file of an unknown version")
    system = walk_member(region, "the system information", version.end)
    main = walk_member(region, "the pickle", system.end)
    keys = walk_member(region, "the list of storages", main.end)
    uses = (*version.globals, *system.globals, *main.globals, *keys.globals)
    try:
        storages, end = _storages(region, keys, main)
    except CheckpointError as error:
        raise CheckpointError(f"{error}{warning_of(uses)}") from error
    tree = Tree(main.value, storages.get, is_big_endian=_is_big_endian(system.value))
    rest = read_rest(region, end, Budget())
    findings = (*describe_unsafe(uses, "the file"), *rest.findings)
    return Content("torch legacy", (tree, *rest.trees), findings, rest.notes)


def _is_big_endian(system: Value) -> bool:
    """Return the byte order; torch writes little-endian in any case, and says so."""
    pairs = system.items if isinstance(system, Mapping) else ()
    return any(key == "little_endian" and value is False for key, value in pairs)


def _storages(region: Region, keys: Walked, main: Walked) -> tuple[dict[str, Region], int]:
    """Return where each storage is, and the byte after the last.

    Each is an 8-byte count of elements, then the bytes, in the order of the keys.
    """
    if not isinstance(keys.value, list) or not all(isinstance(key, str) for key in keys.value):
        raise CheckpointError("the legacy torch file has no list of storages")
    sizes = {key: SIZES[dtype] for key, dtype in _storage_dtypes(main)}
    storages = {}
    at = keys.end
    for key in keys.value:
        count = int.from_bytes(region.read(at, COUNT_SIZE), "little", signed=True)
        if count < 0 or key not in sizes:
            raise CheckpointError(f"storage {key!r} of the legacy torch file is damaged")
        storages[key] = region.part(at + COUNT_SIZE, count * sizes[key])
        at += COUNT_SIZE + count * sizes[key]
    return storages, at


def _storage_dtypes(main: Walked) -> Iterator[tuple[str, str]]:
    """Yield the key and the dtype of each storage that the pickle refers to."""
    for reference in main.references:
        found = _storage_of(reference.identity)
        if found is not None:
            yield found


def _storage_of(identity: Value) -> Optional[tuple[str, str]]:
    """Return the key and dtype of `("storage", class, key, device, count, view)`."""
    if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
        return None
    kind, key = identity[1:3]
    return (
        (text_of(key), STORAGES[kind.name]) if isinstance(kind, GlobalRef) and kind.name in STORAGES else None
    )
