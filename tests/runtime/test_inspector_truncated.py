"""Files that end too early, at each place where one part of the format follows another."""

from __future__ import annotations

import pickle
import pickletools
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from flake8_ckpt.runtime.inspector import CheckpointError
from flake8_ckpt.runtime.inspector import inspect_checkpoint
from tests.runtime.hostile import entry
from tests.runtime.hostile import npy
from tests.runtime.hostile import safetensors
from tests.runtime.hostile import sb3
from tests.runtime.hostile import zipped

STATE = {"a": torch.arange(4.0), "b": torch.ones(2, 2, dtype=torch.float64), "c": [1, 2.5, "text"]}


def new_file(folder: Path) -> Path:
    torch.save(STATE, folder / "model.pt")
    return folder / "model.pt"


def legacy_file(folder: Path) -> Path:
    torch.save(STATE, folder / "model.pt", _use_new_zipfile_serialization=False)
    return folder / "model.pt"


def sb3_file(folder: Path) -> Path:
    return sb3({"gamma": 0.99}, [("policy.pth", new_file(folder).read_bytes())])(folder)


def safetensors_file(folder: Path) -> Path:
    return safetensors({"a": entry([4], 0, 16), "b": entry([4], 16, 32)}, bytes(32))(folder)


def npy_file(folder: Path) -> Path:
    path = folder / "a.npy"
    path.write_bytes(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}"))
    return path


def npz_file(folder: Path) -> Path:
    return zipped(folder / "a.npz", [("a.npy", npy_file(folder).read_bytes())])


def pickle_file(folder: Path) -> Path:
    (folder / "a.pkl").write_bytes(
        pickle.dumps({"a": [1, 2.5, "text", b"bytes", 2**100], "b": (None, True)}, 4)
    )
    return folder / "a.pkl"


def zip_boundaries(data: bytes) -> Iterator[int]:
    """Yield the begin of each header and record, of what its fixed part is followed by, and one byte more."""
    for signature, fixed in (
        (b"PK\x03\x04", 30),
        (b"PK\x01\x02", 46),
        (b"PK\x05\x06", 22),
        (b"PK\x07\x08", 16),
    ):
        at = data.find(signature)
        while at >= 0:
            yield from (at, at + 4, min(at + fixed, len(data) - 1))
            at = data.find(signature, at + 1)


def pickle_boundaries(data: bytes) -> Iterator[int]:
    """Yield the begin of each opcode of each pickle that the file begins with, and the byte after it."""
    at = 0
    while data[at : at + 1] == b"\x80":
        positions = [position for _, _, position in pickletools.genops(data[at:]) if position is not None]
        yield from (at + position + step for position in positions for step in (0, 1))
        at += positions[-1] + 1
    yield from range(at, len(data), 8)


def safetensors_boundaries(data: bytes) -> Iterator[int]:
    (length,) = struct.unpack("<Q", data[:8])
    yield from (
        0,
        1,
        7,
        8,
        9,
        8 + length // 2,
        8 + length - 1,
        8 + length,
        8 + length + 1,
        len(data) - 16,
        len(data) - 1,
    )


def npy_boundaries(data: bytes) -> Iterator[int]:
    begin = 10 + struct.unpack("<H", data[8:10])[0]
    yield from (0, 1, 6, 8, 9, 10, 11, begin - 1, begin, begin + 1, len(data) - 1)


KINDS = {
    "torch zip": (new_file, zip_boundaries),
    "torch legacy": (legacy_file, pickle_boundaries),
    "Stable-Baselines3 zip": (sb3_file, zip_boundaries),
    "npz": (npz_file, zip_boundaries),
    "npy": (npy_file, npy_boundaries),
    "safetensors": (safetensors_file, safetensors_boundaries),
    "pickle": (pickle_file, pickle_boundaries),
}


@pytest.mark.parametrize("kind", KINDS)
def test_cut_file_is_refused_or_reported(kind: str, tmp_path: Path) -> None:
    make, boundaries = KINDS[kind]
    path = make(tmp_path)
    data = path.read_bytes()
    assert inspect_checkpoint(path).kind == kind
    assert "damaged" not in {finding.kind for finding in inspect_checkpoint(path).findings}
    cuts = sorted({cut for cut in boundaries(data) if cut < len(data)})
    assert len(cuts) >= 9
    for cut in cuts:
        path.write_bytes(data[:cut])
        assert is_noticed(path), cut


def is_noticed(path: Path) -> bool:
    """Tell whether a file is refused in one line, or reported as damaged."""
    try:
        report = inspect_checkpoint(path)
    except CheckpointError as error:
        return bool(str(error)) and "\n" not in str(error)
    return any(finding.kind == "damaged" for finding in report.findings)


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bytes_never_break_it(kind: str, tmp_path: Path) -> None:
    make, _ = KINDS[kind]
    path = make(tmp_path)
    data = path.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 400)):
        for value in (0x00, 0xFF, data[at] ^ 0x01):
            path.write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
            outcome_of(path)


def outcome_of(path: Path) -> str:
    """Return the kind of a file or the line that refuses it; anything else that is raised is a fault."""
    try:
        return inspect_checkpoint(path).kind
    except CheckpointError as error:
        assert "\n" not in str(error)
        return str(error)
