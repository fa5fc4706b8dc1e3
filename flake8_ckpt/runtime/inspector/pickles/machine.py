"""What a pickle is a program for: a stack, marks and a memo, and a note of all that it names."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.values import GlobalRef
from flake8_ckpt.runtime.inspector.values import Persistent
from flake8_ckpt.runtime.inspector.values import Value

MOST_GLOBALS = 10_000


@dataclass(frozen=True)
class GlobalUse:
    """Where a pickle names a class or function first: byte `position` of that pickle."""

    module: str
    name: str
    position: int

    @property
    def path(self) -> str:
        """Return the dotted name."""
        return f"{self.module}.{self.name}"


class Machine:
    """The stack, the marks and the memo."""

    def __init__(self, budget: int) -> None:
        self.stack: list[Value] = []
        self.marks: list[list[Value]] = []
        self.memo: dict[int, Value] = {}
        self.uses: dict[tuple[str, str], GlobalUse] = {}
        self.references: list[Persistent] = []
        self.budget = budget

    @property
    def found(self) -> tuple[GlobalUse, ...]:
        return tuple(self.uses.values())

    def pop(self) -> Value:
        return self.stack.pop()

    def pop_mark(self) -> list[Value]:
        items, self.stack = self.stack, self.marks.pop()
        return items

    def name_global(self, module: Value, name: Value, position: int) -> GlobalRef:
        """Note an import; a name that is itself computed is as bad as one can be."""
        if len(self.uses) > MOST_GLOBALS:
            raise CheckpointError(f"the pickle names more than {MOST_GLOBALS:,} classes and functions")
        texts = [each if isinstance(each, str) else "<computed>" for each in (module, name)]
        self.uses.setdefault((texts[0], texts[1]), GlobalUse(texts[0], texts[1], position))
        return GlobalRef(texts[0], texts[1])

    def remember(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def recall(self, index: int) -> None:
        if index not in self.memo:
            raise IndexError(index)
        self.stack.append(self.memo[index])
