"""The pack file: the facts of a project's files by the digest of their content."""

from __future__ import annotations

from msgspec import Struct

from flake8_ckpt.facts.model import FileFacts


class Pack(Struct, frozen=True, array_like=True):
    """What one pack holds; its name says for which version of the collector."""

    facts: dict[bytes, FileFacts]
