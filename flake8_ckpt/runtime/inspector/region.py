"""A part of a file with known bounds: everything is read through it, and never past its end."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any
from typing import BinaryIO

from flake8_ckpt.runtime.inspector.errors import CheckpointError

BUFFER = 2**16


@dataclass(frozen=True)
class Region:
    """`size` bytes of a seekable file from byte `begin`."""

    file: BinaryIO
    begin: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes; raise `CheckpointError` where the region has fewer."""
        self._check(offset, length)
        self.file.seek(self.begin + offset)
        data = self.file.read(length)
        if len(data) != length:
            raise CheckpointError(f"truncated at byte {self.begin + offset + len(data)}")
        return data

    def part(self, offset: int, length: int) -> Region:
        """Return a region inside this one."""
        self._check(offset, length)
        return Region(self.file, self.begin + offset, length)

    def stream(self) -> io.BufferedReader:
        """Return the region as a file of its own."""
        return io.BufferedReader(_RegionFile(self), BUFFER)

    def _check(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size:
            wanted = f"{length:,} bytes from byte {offset:,} are wanted, {self.size:,} are there"
            raise CheckpointError(f"truncated: {wanted}")


def region_of(data: bytes) -> Region:
    """Return bytes as a region."""
    return Region(io.BytesIO(data), 0, len(data))


class _RegionFile(io.RawIOBase):
    """What `zipfile` and the reader of pickles take for a file."""

    def __init__(self, region: Region) -> None:
        super().__init__()
        self.region = region
        self.position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.region.size}[whence]
        self.position = max(0, base + offset)
        return self.position

    def readinto(self, buffer: Any, /) -> int:
        length = max(0, min(len(buffer), self.region.size - self.position))
        data = self.region.read(self.position, length) if length else b""
        buffer[:length] = data
        self.position += length
        return length
