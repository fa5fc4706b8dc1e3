"""The evidence file: written as a whole or not at all, and checked when it is read."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from flake8_ckpt.evidence.records import Evidence

MAX_SIZE = 64 << 20
VERSION = 1


class EvidenceError(Exception):
    """A file cannot be written, or is none of ours; the message names it."""


@dataclass(frozen=True)
class WritableFile:
    """A file that can be written, as was tried when it was opened; it appears when all is in it."""

    path: Path

    @staticmethod
    def open(name: str) -> WritableFile:
        """Make sure that a file can be written, before anything is run for it."""
        path = Path(os.path.abspath(name))
        try:
            if path.is_dir():
                raise IsADirectoryError(None, "is a folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not os.access(path, os.W_OK):
                raise PermissionError(None, "Permission denied")
            with tempfile.TemporaryFile(dir=path.parent):
                return WritableFile(path)
        except OSError as error:
            raise EvidenceError(f"--output: {name!r}: {error.strerror or error}") from error

    def write(self, data: bytes) -> None:
        """Put a file with this content in place, or leave what is there."""
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            fresh.write_bytes(data)
            os.replace(fresh, self.path)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            raise EvidenceError(f"--output: {str(self.path)!r}: {error.strerror or error}") from error


def encode(evidence: Evidence) -> bytes:
    """Return the text of an evidence file."""
    return msgspec.json.format(msgspec.json.encode(evidence), indent=2) + b"\n"


def read_evidence(name: str) -> Evidence:
    """Return what an evidence file says.

    Raises EvidenceError where it cannot be read, is too large, or is none.
    """
    try:
        if os.path.getsize(name) > MAX_SIZE:
            raise EvidenceError(f"{name!r} is too large for an evidence file")
        data = Path(name).read_bytes()
        evidence = msgspec.json.decode(data, type=Evidence)
    except OSError as error:
        raise EvidenceError(f"{name!r}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(
            f"{name!r} is no evidence file of `flake8-ckpt watch --output`: {error}"
        ) from error
    if evidence.version != VERSION:
        raise EvidenceError(
            f"{name!r} has version {evidence.version}; this flake8-ckpt reads version {VERSION}"
        )
    return evidence
