"""The records that come with the package, in the form that is fast to read.

The TOML files of `data/` are what people write; `records.json` is made from them by
`python -m tests.records --write`, and a test holds the two equal. Read in a new process, the JSON file costs
about 3 ms, the TOML files 85 ms.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from flake8_ckpt.frameworks.records import Records

PACKED = Path(__file__).with_name("records.json")


@cache
def packed_records() -> Records:
    """Return what is known of libraries without any file of the user."""
    return msgspec.json.decode(PACKED.read_bytes(), type=Records)
