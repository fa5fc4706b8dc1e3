"""Open a file, find out what kind it is, and report what is in it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Optional
from typing import Union

from flake8_ckpt.runtime.inspector.assemble import Look
from flake8_ckpt.runtime.inspector.assemble import make_report
from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.archive import Archive
from flake8_ckpt.runtime.inspector.formats.archive import describe_members
from flake8_ckpt.runtime.inspector.formats.archive import open_archive
from flake8_ckpt.runtime.inspector.formats.archive import root_of
from flake8_ckpt.runtime.inspector.formats.distributed import INDEX
from flake8_ckpt.runtime.inspector.formats.distributed import read_distributed
from flake8_ckpt.runtime.inspector.formats.exported import read_exported
from flake8_ckpt.runtime.inspector.formats.exported import root_of_export
from flake8_ckpt.runtime.inspector.formats.nested import bundle
from flake8_ckpt.runtime.inspector.formats.nested import with_members
from flake8_ckpt.runtime.inspector.formats.numpy_file import MAGIC
from flake8_ckpt.runtime.inspector.formats.numpy_file import is_npz
from flake8_ckpt.runtime.inspector.formats.numpy_file import read_npy
from flake8_ckpt.runtime.inspector.formats.numpy_file import read_npz
from flake8_ckpt.runtime.inspector.formats.safetensors import is_safetensors
from flake8_ckpt.runtime.inspector.formats.safetensors import read_safetensors
from flake8_ckpt.runtime.inspector.formats.sb3 import is_sb3
from flake8_ckpt.runtime.inspector.formats.sb3 import read_sb3
from flake8_ckpt.runtime.inspector.formats.shards import Shards
from flake8_ckpt.runtime.inspector.formats.torch_legacy import HEAD as LEGACY
from flake8_ckpt.runtime.inspector.formats.torch_legacy import read_torch_legacy
from flake8_ckpt.runtime.inspector.formats.torch_zip import read_torch_zip
from flake8_ckpt.runtime.inspector.formats.weight_folder import Files
from flake8_ckpt.runtime.inspector.formats.weight_folder import others_of
from flake8_ckpt.runtime.inspector.formats.weight_folder import read_index
from flake8_ckpt.runtime.inspector.formats.weight_folder import weights_of
from flake8_ckpt.runtime.inspector.pickles.opening import open_region
from flake8_ckpt.runtime.inspector.pickles.pickled import read_pickle
from flake8_ckpt.runtime.inspector.pickles.safety import is_command
from flake8_ckpt.runtime.inspector.pickles.walker import PickleError
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Report

# The first byte of a pickle of protocol 2 or later: PROTO.
PICKLE = b"\x80"
UNKNOWN = "neither a checkpoint of torch, Stable-Baselines3, safetensors or numpy, nor a pickle"
JSON = ".json"
# Archives inside of archives are looked into so many times.
DEEPEST = 4


def inspect_checkpoint(
    path: Union[str, os.PathLike[str]], *, scan: bool = False, digest: bool = False
) -> Report:
    """Report what a checkpoint holds, without unpickling, importing or executing anything of it.

    Values are read of the tensors that look like statistics of a normalizer and of small ones; with `scan`, those
    of all floating-point tensors, which takes up to three times as long as loading the file. With `digest` each
    entry has a digest of its values, for which all of the file is read. Raises `CheckpointError`, with one line,
    for what cannot be read.
    """
    where, look = Path(path), Look(scan, digest)
    with ExitStack() as stack:
        if where.is_dir():
            return make_report(str(where), *_read_folder(where, stack), look)
        region = open_region(where, stack)
        if where.name.endswith(JSON):
            content = read_index(region, Files(where.parent, stack, _read))
        else:
            content = _read(region, where)
        return make_report(str(path), region.size, content, look)


def _read_folder(folder: Path, stack: ExitStack) -> tuple[int, Content]:
    """Return the size of a folder, and what its index or its file of weights holds."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise CheckpointError(error.strerror or str(error)) from error
    size = sum(map(_size_of, (folder / name for name in names)))
    if INDEX in names:
        return size, read_distributed(open_region(folder / INDEX, stack), Shards(folder, stack))
    name = weights_of(names)
    if not name:
        raise CheckpointError(
            f"a folder without {INDEX} or weights of a model, so no distributed checkpoint; give one of its files"
        )
    region = open_region(folder / name, stack)
    content = (
        read_index(region, Files(folder, stack, _read))
        if name.endswith(JSON)
        else _read(region, folder / name)
    )
    notes = (f"read from {name}", *content.notes, *others_of(names, name))
    return size, replace(content, notes=notes)


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _read(region: Region, path: Path) -> Content:
    return _read_at(region, path, Budget(), 0)


def _read_at(region: Region, path: Path, budget: Budget, depth: int) -> Content:
    """Return what a file holds, or the member of an archive at a depth."""
    head = region.read(0, min(16, region.size))
    if not head:
        raise CheckpointError("the file is empty")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _read_archive(open_archive(region, budget), path, depth)
    if head.startswith(LEGACY):
        return read_torch_legacy(region)
    if head.startswith(MAGIC):
        return read_npy(region)
    # The length of a safetensors header may begin with any byte, also with that of a pickle.
    if is_safetensors(head, region.size):
        return read_safetensors(region)
    if head.startswith(PICKLE):
        return read_pickle(region, budget)
    return _read_old_pickle(region, budget)


def _read_archive(archive: Archive, path: Path, depth: int) -> Content:
    def read(region: Region, name: str) -> Content:
        if depth == DEEPEST:
            raise CheckpointError(f"archives inside of archives more than {DEEPEST} deep are not looked into")
        return _read_at(region, path / name, archive.budget, depth + 1)

    content = _content_of(archive, path)
    if content is None:
        return bundle(archive, describe_members(archive), read)
    return with_members(content, archive, read)


def _content_of(archive: Archive, path: Path) -> Optional[Content]:
    """Return what the members of a known archive hold, or None where the archive is of no known kind."""
    if is_sb3(archive):
        return read_sb3(archive, path)
    root = root_of_export(archive)
    if root is not None:
        return read_exported(archive, root)
    root = root_of(archive)
    if root is not None:
        return read_torch_zip(archive, root)
    return read_npz(archive) if is_npz(archive) else None


def _read_old_pickle(region: Region, budget: Budget) -> Content:
    """Read a pickle of protocol 0 or 1, which has no magic number: it is one if it can be walked to its end."""
    try:
        return read_pickle(region, budget)
    except PickleError as error:
        # A text may look as if it named something; a command is named on purpose.
        if any(map(is_command, error.globals)):
            raise
        raise CheckpointError(UNKNOWN) from error
