"""What each opcode does to the machine: as in `pickle.Unpickler`, but a name stays a name and a call a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flake8_ckpt.runtime.inspector.pickles.machine import Machine
from flake8_ckpt.runtime.inspector.values import Blob
from flake8_ckpt.runtime.inspector.values import Call
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import Opaque
from flake8_ckpt.runtime.inspector.values import Persistent
from flake8_ckpt.runtime.inspector.values import Value


def _same(argument: Any) -> Value:
    return argument


PUSHES: dict[str, Callable[[Any], Value]] = {
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_DICT": lambda _: Mapping(),
    "EMPTY_SET": lambda _: [],
    "NEXT_BUFFER": lambda _: Opaque("an out-of-band buffer"),
}
TEXTS = ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
BYTES = ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
PUSHES |= dict.fromkeys((*TEXTS, *BYTES, *NUMBERS), _same)


def _nothing(machine: Machine, argument: Any, position: int) -> None:
    """Take PROTO, FRAME and STOP as they are."""


def _mark(machine: Machine, argument: Any, position: int) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: Machine, argument: Any, position: int) -> None:
    if machine.stack:
        machine.pop()
    else:
        machine.pop_mark()


def _pop_mark(machine: Machine, argument: Any, position: int) -> None:
    machine.pop_mark()


def _dup(machine: Machine, argument: Any, position: int) -> None:
    machine.stack.append(machine.stack[-1])


def _put(machine: Machine, argument: Any, position: int) -> None:
    machine.remember(argument)


def _memoize(machine: Machine, argument: Any, position: int) -> None:
    machine.remember(len(machine.memo))


def _get(machine: Machine, argument: Any, position: int) -> None:
    machine.recall(argument)


def _list(machine: Machine, argument: Any, position: int) -> None:
    items = machine.pop_mark()
    machine.stack.append(items)


def _tuple(machine: Machine, argument: Any, position: int) -> None:
    items = machine.pop_mark()
    machine.stack.append(tuple(items))


def _short_tuple(length: int) -> Callable[[Machine, Any, int], None]:
    def operation(machine: Machine, argument: Any, position: int) -> None:
        items = [machine.pop() for _ in range(length)]
        machine.stack.append(tuple(reversed(items)))

    return operation


def _dict(machine: Machine, argument: Any, position: int) -> None:
    items = machine.pop_mark()
    machine.stack.append(Mapping(_pairs(items)))


def _append(machine: Machine, argument: Any, position: int) -> None:
    item = machine.pop()
    _elements(machine.stack[-1]).append(item)


def _appends(machine: Machine, argument: Any, position: int) -> None:
    items = machine.pop_mark()
    _elements(machine.stack[-1]).extend(items)


def _set_item(machine: Machine, argument: Any, position: int) -> None:
    value, key = machine.pop(), machine.pop()
    _items(machine.stack[-1]).append((key, value))


def _set_items(machine: Machine, argument: Any, position: int) -> None:
    pairs = _pairs(machine.pop_mark())
    _items(machine.stack[-1]).extend(pairs)


def _global(machine: Machine, argument: Any, position: int) -> None:
    machine.stack.append(machine.name_global(argument[0], argument[1], position))


def _stack_global(machine: Machine, argument: Any, position: int) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(machine.name_global(module, name, position))


def _extension(machine: Machine, argument: Any, position: int) -> None:
    machine.stack.append(machine.name_global("copyreg", f"<extension {argument}>", position))


def _reduce(machine: Machine, argument: Any, position: int) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.stack.append(Call(function, arguments))


def _new_object_ex(machine: Machine, argument: Any, position: int) -> None:
    keywords, arguments, function = machine.pop(), machine.pop(), machine.pop()
    machine.stack.append(Call(function, arguments, items=_items(keywords)))


def _object(machine: Machine, argument: Any, position: int) -> None:
    items = machine.pop_mark()
    machine.stack.append(Call(items[0], tuple(items[1:])))


def _instance(machine: Machine, argument: Any, position: int) -> None:
    # The import comes first, and happens even where there is no mark.
    function = machine.name_global(argument[0], argument[1], position)
    items = machine.pop_mark()
    machine.stack.append(Call(function, tuple(items)))


def _build(machine: Machine, argument: Any, position: int) -> None:
    state = machine.pop()
    target = machine.stack[-1]
    if isinstance(target, Call):
        target.state = state


def _persistent(machine: Machine, argument: Any, position: int) -> None:
    reference = Persistent(machine.pop() if argument is None else argument)
    machine.references.append(reference)
    machine.stack.append(reference)


def _read_only(machine: Machine, argument: Any, position: int) -> None:
    if not isinstance(machine.stack[-1], (bytes, bytearray, Blob, Opaque)):
        raise TypeError(type(machine.stack[-1]))


def _pairs(items: list[Value]) -> list[tuple[Value, Value]]:
    if len(items) % 2:
        raise IndexError("a key without a value")
    return list(zip(items[::2], items[1::2]))


def _elements(target: Value) -> list[Value]:
    """Return what takes elements; of a persistent object or a bytearray they are of no interest."""
    if isinstance(target, Call):
        return target.elements
    if isinstance(target, list):
        return target
    if isinstance(target, (Persistent, Blob)):
        return []
    raise TypeError(type(target))


def _items(target: Value) -> list[tuple[Value, Value]]:
    """Return what takes items; a list takes them too, by index, which is of no interest."""
    if isinstance(target, (Call, Mapping)):
        return target.items
    if isinstance(target, (Persistent, Blob, list)):
        return []
    raise TypeError(type(target))


OPERATIONS: dict[str, Callable[[Machine, Any, int], None]] = {
    **dict.fromkeys(["PROTO", "FRAME", "STOP"], _nothing),
    **dict.fromkeys(["PUT", "BINPUT", "LONG_BINPUT"], _put),
    **dict.fromkeys(["GET", "BINGET", "LONG_BINGET"], _get),
    **dict.fromkeys(["EXT1", "EXT2", "EXT4"], _extension),
    **dict.fromkeys(["REDUCE", "NEWOBJ"], _reduce),
    **dict.fromkeys(["APPENDS", "ADDITEMS"], _appends),
    **dict.fromkeys(["LIST", "FROZENSET"], _list),
    "MARK": _mark,
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": _dup,
    "MEMOIZE": _memoize,
    "TUPLE": _tuple,
    "TUPLE1": _short_tuple(1),
    "TUPLE2": _short_tuple(2),
    "TUPLE3": _short_tuple(3),
    "DICT": _dict,
    "APPEND": _append,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "NEWOBJ_EX": _new_object_ex,
    "OBJ": _object,
    "INST": _instance,
    "BUILD": _build,
    "BINPERSID": _persistent,
    **dict.fromkeys(["PERSID", "BINPERSID"], _persistent),
    "READONLY_BUFFER": _read_only,
}
