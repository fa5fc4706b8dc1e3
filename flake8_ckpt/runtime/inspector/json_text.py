"""Parse JSON that comes from a stranger, with bounds on its size before it is parsed."""

from __future__ import annotations

import json
from typing import Any

from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.values import Mapping

LARGEST = 8 * 2**20
# Commas and brackets: each makes at most one value.
MOST_VALUES = 500_000


def load_json(region: Region, what: str) -> Any:
    """Return JSON, its objects as `Mapping`, which keeps keys that are there twice."""
    if region.size > LARGEST:
        raise CheckpointError(f"{what} has {region.size:,} bytes, which is too large to look into")
    data = region.read(0, region.size)
    if sum(data.count(sign) for sign in (b",", b"[", b"{")) > MOST_VALUES:
        raise CheckpointError(f"{what} holds too many values to look into")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=Mapping)
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{what} is not UTF-8") from error
    except RecursionError as error:
        raise CheckpointError(f"{what} is nested too deeply") from error
    except ValueError as error:
        raise CheckpointError(f"{what} is no JSON: {error}") from error
