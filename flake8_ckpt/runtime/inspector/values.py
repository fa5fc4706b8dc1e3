"""What a pickle is turned into: inert values, in which nothing is imported and nothing was called.

Lists stand for lists and sets, tuples for tuples; they and these records are filled while the pickle is walked,
so they are not frozen. They may contain themselves: compare them by identity only.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import Optional

from flake8_ckpt.runtime.inspector.region import Region

Value = Any
Shape = tuple[int, ...]
LONGEST_TEXT = 200


@dataclass(eq=False, repr=False, slots=True)
class Mapping:
    """A dict, as pairs: its keys need not be hashable here."""

    items: list[tuple[Value, Value]] = field(default_factory=list)


@dataclass(eq=False, frozen=True, repr=False, slots=True)
class GlobalRef:
    """A class or function that unpickling would import."""

    module: str
    name: str

    @property
    def path(self) -> str:
        """Return the dotted name."""
        return f"{self.module}.{self.name}"


@dataclass(eq=False, repr=False, slots=True)
class Call:
    """A call that unpickling would make, and what it would do to the result: state, items, elements.

    `built` keeps what it is known to build, so that a value that is there many times is described once.
    """

    function: Value
    arguments: Value
    state: Value = None
    items: list[tuple[Value, Value]] = field(default_factory=list)
    elements: list[Value] = field(default_factory=list)
    built: Value = None


@dataclass(eq=False, frozen=True, repr=False, slots=True)
class Persistent:
    """A reference to something outside of the pickle: in torch files a storage."""

    identity: Value


@dataclass(eq=False, frozen=True, repr=False, slots=True)
class Blob:
    """Bytes, or text, that stay in the file because they are long."""

    region: Region
    is_text: bool = False


@dataclass(eq=False, frozen=True, repr=False, slots=True)
class Opaque:
    """A value that is named and not kept, such as an integer of a thousand digits."""

    what: str


@dataclass(eq=False, frozen=True, repr=False, slots=True)
class Array:
    """A tensor or an array: its layout, and where its numbers are.

    `stride` and `offset` count elements. `data` is absent where the file has none, as for the meta device.
    `problem` says what is wrong with it.
    """

    dtype: str
    shape: Shape
    stride: Optional[Shape] = None
    offset: int = 0
    data: Optional[Region] = None
    storage: str = ""
    device: str = "cpu"
    layout: str = "strided"
    is_big_endian: bool = False
    problem: str = ""


def text_of(value: Value) -> str:
    """Return a value where it is text, cut to a length that can be printed; never what a container holds."""
    return value[:LONGEST_TEXT] if isinstance(value, str) else f"<{type(value).__name__.lower()}>"
