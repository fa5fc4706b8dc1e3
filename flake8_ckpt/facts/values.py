"""Abstract values: what an expression may be, as far as one file can tell.

The evaluator of both rule families gives these records. A file alone cannot know what
`helper(x)` returns or what `config.size` is; such values stay symbolic (`Name`, `Call`,
`Attr`, `Param`) and the project resolves them when it links the files. `Unknown` is the
honest answer to everything else, and rules are silent on it.
"""

from __future__ import annotations

from typing import Literal
from typing import Union

from msgspec import Struct

# What a tensor's numbers come from, the weakest first: handed in is "data", a placeholder "empty".
Origin = Literal["constant", "empty", "data", "random", "complex"]
ContainerKind = Literal["list", "tuple", "dict", "set"]


class Unknown(Struct, frozen=True, array_like=True, gc=False, tag="?"):
    """Nothing is known."""


class Const(Struct, frozen=True, array_like=True, gc=False, tag="c"):
    """A literal: None, a bool, a number that fits 64 bits, or a short string."""

    value: Union[None, bool, int, float, str]


class Number(Struct, frozen=True, array_like=True, gc=False, tag="n"):
    """Some Python number, bool, string, shape, dtype or device: never tensor state."""


class Tensor(Struct, frozen=True, array_like=True, gc=False, tag="t"):
    """A tensor; `placed` where it was put on a device by hand, `scalar` where it has no dimension."""

    origin: Origin = "constant"
    trainable: bool = False
    placed: bool = False
    scalar: bool = False


class NdArray(Struct, frozen=True, array_like=True, gc=False, tag="a"):
    """A numpy array."""


class Parameter(Struct, frozen=True, array_like=True, gc=False, tag="P"):
    """An `nn.Parameter`: registered as soon as it is an attribute."""


class Buffer(Struct, frozen=True, array_like=True, gc=False, tag="B"):
    """An `nn.Buffer`: registered as soon as it is an attribute."""

    persistent: bool = True


class Module(Struct, frozen=True, array_like=True, gc=False, tag="m"):
    """An `nn.Module` of the class that a name refers to."""

    path: str


class Container(Struct, frozen=True, array_like=True, gc=False, tag="l"):
    """A plain Python container; `of` joins its elements.

    `size` is the number of elements that a display shows, -1 where it is not known; `items` are the
    elements of a short tuple display.
    """

    kind: ContainerKind
    of: Value
    size: int = -1
    items: tuple[Value, ...] = ()


class Field(Struct, frozen=True, array_like=True, gc=False):
    """One key of a record; `always` is false where a condition decides."""

    key: str
    value: Value
    always: bool = True


class Record(Struct, frozen=True, array_like=True, gc=False, tag="r"):
    """A dict with known string keys; `open` when it may hold other keys too."""

    fields: tuple[Field, ...]
    open: bool = False


class Name(Struct, frozen=True, array_like=True, gc=False, tag="g"):
    """A global name: absolute ("torch.zeros"), of this file (":helper") or relative ("..mod.f")."""

    path: str


class Instance(Struct, frozen=True, array_like=True, gc=False, tag="i"):
    """An object of the class that a name refers to (from an annotation)."""

    path: str


class Self(Struct, frozen=True, array_like=True, gc=False, tag="s"):
    """The object a method runs on."""


class Super(Struct, frozen=True, array_like=True, gc=False, tag="u"):
    """`super()` of that object."""


class Param(Struct, frozen=True, array_like=True, gc=False, tag="p"):
    """A parameter of the function, as its caller gave it."""

    name: str


class Local(Struct, frozen=True, array_like=True, gc=False, tag="L"):
    """An object that a local variable names: what was bound to it, and the name that tells it from others."""

    name: str
    value: Value


class Attr(Struct, frozen=True, array_like=True, gc=False, tag="."):
    """An attribute of a value."""

    base: Value
    name: str


class Item(Struct, frozen=True, array_like=True, gc=False, tag="["):
    """A subscript of a value."""

    base: Value
    key: Value


class Element(Struct, frozen=True, array_like=True, gc=False, tag="e"):
    """What iterating over a value gives."""

    base: Value


class Call(Struct, frozen=True, array_like=True, gc=False, tag="("):
    """A call that one file cannot resolve; `keywords` pairs names with values."""

    callee: Value
    args: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()


class Arith(Struct, frozen=True, array_like=True, gc=False, tag="+"):
    """Arithmetic: a tensor if an operand is one, else an array, else a number."""

    operands: tuple[Value, ...]


class Join(Struct, frozen=True, array_like=True, gc=False, tag="|"):
    """One of several values, as branches decide."""

    options: tuple[Value, ...]


Value = Union[
    Unknown,
    Const,
    Number,
    Tensor,
    NdArray,
    Parameter,
    Buffer,
    Module,
    Container,
    Record,
    Name,
    Instance,
    Self,
    Super,
    Param,
    Local,
    Attr,
    Item,
    Element,
    Call,
    Arith,
    Join,
]
UNKNOWN = Unknown()
NONE = Const(None)
NUMBER = Number()
SELF = Self()
MAX_OPTIONS = 6


def join(values: list[Value]) -> Value:
    """Join the values of several branches, without repeats; too many are Unknown."""
    options: list[Value] = []
    for value in values:
        for option in value.options if isinstance(value, Join) else (value,):
            if option not in options:
                options.append(option)
        if len(options) > MAX_OPTIONS:
            return UNKNOWN
    if len(options) == 1:
        return options[0]
    return Join(tuple(options)) if options else UNKNOWN


def options_of(value: Value) -> tuple[Value, ...]:
    """Return the alternatives of a join, or the value itself."""
    return value.options if isinstance(value, Join) else (value,)


def is_flag(value: Value) -> bool:
    """Tell whether a value is True or False."""
    return isinstance(value, Const) and isinstance(value.value, bool)
