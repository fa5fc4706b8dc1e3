"""Open a zip archive with bounds, and say which of its members mislead whoever unpacks it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Optional

from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.region import region_of
from flake8_ckpt.runtime.inspector.report import Finding

END, END64, LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
END_SIZE, LOCATOR_SIZE, END64_SIZE, LOCAL_SIZE = 22, 20, 56, 30
LONGEST_COMMENT = 2**16
# The directory is read whole: this is about 70,000 members.
LARGEST_DIRECTORY = 6 * 2**20
MOST_FINDINGS = 1000
BOMB_SIZE, BOMB_RATIO = 100 * 2**20, 100
ENCRYPTED = 0x1
# What `zipfile` raises for a member that is not what its header says, or that it cannot unpack.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Archive:
    """A zip file, or one inside of another, with a budget that they share."""

    region: Region
    file: zipfile.ZipFile
    budget: Budget

    @cached_property
    def members(self) -> dict[str, zipfile.ZipInfo]:
        """Return the members by name; of two with one name the last, as `zipfile` does."""
        return {info.filename: info for info in self.file.infolist()}

    def region_of_member(self, name: str) -> Region:
        """Return where a member is stored, or its bytes where it is compressed and not large."""
        info = self.members[name]
        if info.flag_bits & ENCRYPTED:
            raise CheckpointError(f"member {name} is encrypted")
        if info.compress_type == zipfile.ZIP_STORED:
            return self._stored(info)
        return region_of(self._unpacked(name))

    def _unpacked(self, name: str) -> bytes:
        """Return a compressed member; raise `CheckpointError` where it is larger than what is left."""
        limit = self.budget.unpacked
        info = self.members[name]
        if info.flag_bits & ENCRYPTED:
            raise CheckpointError(f"member {name} is encrypted")
        try:
            with self.file.open(info) as stream:
                data = stream.read(limit + 1)
        except DAMAGE as error:
            raise CheckpointError(f"member {name} is damaged: {error}") from error
        if len(data) > limit:
            raise CheckpointError(f"member {name} unpacks to more than {limit:,} bytes (zip bomb?)")
        self.budget.unpacked -= len(data)
        return data

    def head(self, name: str, length: int) -> bytes:
        """Return the first bytes of a member, however large it is."""
        info = self.members[name]
        if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & ENCRYPTED:
            region = self._stored(info)
            return region.read(0, min(length, region.size))
        return self._unpacked_head(info, length)

    def _unpacked_head(self, info: zipfile.ZipInfo, length: int) -> bytes:
        if info.flag_bits & ENCRYPTED:
            raise CheckpointError(f"member {info.filename} is encrypted")
        try:
            with self.file.open(info) as stream:
                return stream.read(length)
        except DAMAGE as error:
            raise CheckpointError(f"member {info.filename} is damaged: {error}") from error

    def _stored(self, info: zipfile.ZipInfo) -> Region:
        """Return the bytes of a stored member, which its local header precedes."""
        if info.compress_size != info.file_size:
            raise CheckpointError(f"member {info.filename} is damaged: it is stored with two different sizes")
        try:
            header = self.region.read(info.header_offset, LOCAL_SIZE)
            signature, name_length, extra_length = struct.unpack("<4s22xHH", header)
            if signature != b"PK\x03\x04":
                raise CheckpointError("no local header")
            begin = info.header_offset + LOCAL_SIZE + name_length + extra_length
            return self.region.part(begin, info.file_size)
        except CheckpointError as error:
            raise CheckpointError(f"member {info.filename} is damaged: {error}") from error


def open_archive(region: Region, budget: Budget) -> Archive:
    """Open a zip file; raise `CheckpointError` where its directory is damaged or too large."""
    _check_directory(region)
    try:
        return Archive(region, zipfile.ZipFile(region.stream()), budget)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OverflowError) as error:
        raise CheckpointError(f"the zip archive is damaged: {error}") from error


def _check_directory(region: Region) -> None:
    """Look at the size and the place of the directory before anything reads it."""
    size, offset, end = _directory_of(region)
    if size > end or offset > end:
        raise CheckpointError("the zip archive is truncated: its directory lies outside of the file")
    if offset + size != end:
        before = f"{end - offset - size:,} bytes too many, or it is truncated"
        raise CheckpointError(f"the zip archive does not begin where the file begins: {before}")
    if size > LARGEST_DIRECTORY:
        raise CheckpointError(
            f"the zip archive has a directory of {size:,} bytes, which is too large to look into"
        )


def _directory_of(region: Region) -> tuple[int, int, int]:
    """Return the size and the offset of the directory as declared, and the byte where it has to end."""
    begin = max(0, region.size - END_SIZE - LONGEST_COMMENT)
    tail = region.read(begin, region.size - begin)
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_SIZE:
        raise CheckpointError("the zip archive is truncated: its directory is missing")
    size, offset = struct.unpack("<II", tail[at + 12 : at + 20])
    end = begin + at
    end64 = end - LOCATOR_SIZE - END64_SIZE
    if end64 >= 0 and region.read(end - LOCATOR_SIZE, 4) == LOCATOR64 and region.read(end64, 4) == END64:
        size, offset = struct.unpack("<QQ", region.read(end64 + 40, 16))
        end = end64
    return size, offset, end


def describe_members(archive: Archive) -> tuple[Finding, ...]:
    """Return what is wrong with the members as such: names, duplicates, sizes."""
    return tuple(islice(_bad_members(archive), MOST_FINDINGS))


def _bad_members(archive: Archive) -> Iterator[Finding]:
    seen: set[str] = set()
    for info in archive.file.infolist():
        name = info.filename
        if name in seen:
            yield Finding("unsafe", f"two members are named {name}: readers disagree on which counts", name)
        if _leaves_folder(info.orig_filename):
            yield Finding("unsafe", f"member {name} would be unpacked outside of its folder", name)
        if info.file_size > BOMB_SIZE and info.file_size > BOMB_RATIO * max(1, info.compress_size):
            sizes = f"{info.compress_size:,} bytes that unpack to {info.file_size:,}"
            yield Finding("unsafe", f"member {name} has {sizes}: a zip bomb?", name)
        seen.add(name)


def _leaves_folder(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return (
        name.startswith(("/", "\\")) or ".." in parts or (":" in parts[0] and len(parts) > 1) or "\0" in name
    )


def root_of(archive: Archive) -> Optional[str]:
    """Return the folder of a torch archive, the one that holds `data.pkl` or `constants.pkl`, with its slash."""
    for name in archive.members:
        folder, _, file = name.rpartition("/")
        if file == "data.pkl" and folder.count("/") == 0:
            return f"{folder}/" if folder else ""
    return None
