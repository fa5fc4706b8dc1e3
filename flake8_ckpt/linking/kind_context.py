"""Where a value stands that is asked for its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Optional

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Value


@dataclass(frozen=True)
class KindContext:
    """Where a value stands: its file, the class that `self` is, the class that defines the method, the method."""

    path: str
    class_id: str = ""
    owner: str = ""
    function: Optional[FunctionFacts] = None
    bound: Mapping[str, Value] = field(default_factory=dict)
    calls: int = 0
