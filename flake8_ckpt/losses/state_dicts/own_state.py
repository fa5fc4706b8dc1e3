"""The record of a pair of methods by which a class gives its own state away and takes it back."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import FunctionRef


@dataclass(frozen=True)
class OwnState:
    """The pair of methods of one class, and the attributes of the object that it gives.

    `payloads` are what it gives, key by key; empty where only that is known which attributes it reads.
    """

    class_id: str
    writer: FunctionRef
    reader: FunctionRef
    payloads: tuple[Value, ...]
    given: frozenset[str]

    @property
    def is_inherited(self) -> bool:
        """Tell whether another class defines the method that gives the state."""
        return self.class_id != self.writer.owner
