"""The header of a file of a cache, which only the holder of a key can make: a digest of the payload, signed."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Optional

KEY_VARIABLE = "FLAKE8_CKPT_CACHE_KEY"
KEY_BYTES = 32
PART_BYTES = 32
HEADER_BYTES = 2 * PART_BYTES


def environment_key() -> Optional[bytes]:
    """Return the key that the environment names, which may be a secret of several machines."""
    named = os.environ.get(KEY_VARIABLE)
    if not named:
        return None
    return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def header(key: bytes, name: str, payload: bytes) -> bytes:
    """Return what stands before a payload in the file of this name."""
    digest = _digest(payload)
    return digest + _signature(key, name, digest)


def is_signed(key: bytes, name: str, head: bytes) -> bool:
    """Say whether a header was made with this key for the file of this name, before the payload is read."""
    digest, signature = head[:PART_BYTES], head[PART_BYTES:]
    return hmac.compare_digest(signature, _signature(key, name, digest))


def is_whole(head: bytes, payload: bytes) -> bool:
    """Say whether a payload is the one that its header speaks of."""
    return _digest(payload) == head[:PART_BYTES]


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=PART_BYTES).digest()


def _signature(key: bytes, name: str, digest: bytes) -> bytes:
    """Sign a payload under the name of its file, so that one file cannot stand in for another."""
    return hashlib.blake2b(digest + name.encode(), key=key, digest_size=PART_BYTES).digest()
