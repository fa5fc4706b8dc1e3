"""How much of a file is kept in memory at most, all its parts together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Budget:
    """What is left: bytes of compressed members, and bytes that the values of pickles take, as estimated."""

    unpacked: int = 32 * 2**20
    values: int = 100 * 2**20
