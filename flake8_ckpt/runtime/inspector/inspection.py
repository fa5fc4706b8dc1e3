"""Open a file, find out what kind it is, and report what is in it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Union

from flake8_ckpt.runtime.inspector.assemble import make_report
from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.archive import Archive
from flake8_ckpt.runtime.inspector.formats.archive import open_archive
from flake8_ckpt.runtime.inspector.formats.archive import root_of
from flake8_ckpt.runtime.inspector.formats.distributed import INDEX
from flake8_ckpt.runtime.inspector.formats.distributed import read_distributed
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
from flake8_ckpt.runtime.inspector.pickles.opening import open_region
from flake8_ckpt.runtime.inspector.pickles.pickled import read_pickle
from flake8_ckpt.runtime.inspector.pickles.safety import is_command
from flake8_ckpt.runtime.inspector.pickles.walker import PickleError
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Report

# The first byte of a pickle of protocol 2 or later: PROTO.
PICKLE = b"\x80"
UNKNOWN = "neither a checkpoint of torch, Stable-Baselines3, safetensors or numpy, nor a pickle"


def inspect_checkpoint(path: Union[str, os.PathLike[str]], *, scan: bool = False) -> Report:
    """Report what a checkpoint holds, without unpickling, importing or executing anything of it.

    Values are read of the tensors that look like statistics of a normalizer and of small ones; with `scan`, those
    of all floating-point tensors, which takes up to three times as long as loading the file. Raises
    `CheckpointError`, with one line, for what cannot be read.
    """
    where = Path(path)
    if where.is_dir():
        return _inspect_folder(where, scan)
    with ExitStack() as stack:
        region = open_region(where, stack)
        return make_report(str(path), region.size, _read(region, where), scan)


def _inspect_folder(folder: Path, scan: bool) -> Report:
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise CheckpointError(error.strerror or str(error)) from error
    if INDEX not in names:
        raise CheckpointError(
            f"a folder without {INDEX}, so no distributed checkpoint; give one of its files"
        )
    size = sum(map(_size_of, (folder / name for name in names)))
    with ExitStack() as stack:
        index = open_region(folder / INDEX, stack)
        return make_report(str(folder), size, read_distributed(index, Shards(folder, stack)), scan)


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _read(region: Region, path: Path) -> Content:
    head = region.read(0, min(16, region.size))
    if not head:
        raise CheckpointError("the file is empty")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _read_archive(open_archive(region, Budget()), path)
    if head.startswith(LEGACY):
        return read_torch_legacy(region)
    if head.startswith(MAGIC):
        return read_npy(region)
    # The length of a safetensors header may begin with any byte, also with that of a pickle.
    if is_safetensors(head, region.size):
        return read_safetensors(region)
    if head.startswith(PICKLE):
        return read_pickle(region)
    return _read_old_pickle(region)


def _read_archive(archive: Archive, path: Path) -> Content:
    if is_sb3(archive):
        return read_sb3(archive, path)
    root = root_of(archive)
    if root is not None:
        return read_torch_zip(archive, root)
    if is_npz(archive):
        return read_npz(archive)
    raise CheckpointError("a zip archive, but not of torch, Stable-Baselines3 or numpy")


def _read_old_pickle(region: Region) -> Content:
    """Read a pickle of protocol 0 or 1, which has no magic number: it is one if it can be walked to its end."""
    try:
        return read_pickle(region)
    except PickleError as error:
        # A text may look as if it named something; a command is named on purpose.
        if any(map(is_command, error.globals)):
            raise
        raise CheckpointError(UNKNOWN) from error
