"""Read the opcodes of a pickle one by one, with bounds on everything that they declare."""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Iterator
from typing import Any

from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.values import Blob
from flake8_ckpt.runtime.inspector.values import Opaque

LONGEST_LINE = 4096
LONGEST_NUMBER = 256
LONGEST_TEXT = 2**16
LENGTH_FIELDS = {
    pickletools.TAKEN_FROM_ARGUMENT4: (4, True),
    pickletools.TAKEN_FROM_ARGUMENT4U: (4, False),
    pickletools.TAKEN_FROM_ARGUMENT8U: (8, False),
}
BY_CODE = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
FIXED = {"uint1": "B", "uint2": "<H", "int4": "<i", "uint4": "<I", "uint8": "<Q", "float8": ">d"}
# By their code: the name of an opcode and what reads its argument, where that has a fixed width.
PLAIN = {
    ord(opcode.code): (opcode.name, struct.Struct(FIXED[opcode.arg.name]) if opcode.arg else None)
    for opcode in pickletools.opcodes
    if opcode.arg is None or opcode.arg.name in FIXED
}
LONGEST_TEXT_LINE = 2**28
TEXT_LINES = frozenset(["STRING", "UNICODE"])
TWO_LINES = frozenset(["GLOBAL", "INST"])


def read_opcodes(region: Region, begin: int = 0) -> Iterator[tuple[str, Any, int]]:
    """Yield the name, the argument and the byte of each opcode, up to and with STOP."""
    stream = region.stream()
    stream.seek(begin)
    position = begin
    while True:
        code = stream.read(1)
        if not code:
            raise CheckpointError(f"the pickle is truncated at byte {position:,}")
        if code[0] in PLAIN:
            name, fields = PLAIN[code[0]]
            argument = _fixed_argument(stream, fields, position) if fields is not None else None
            yield name, argument, position
            if code == b".":
                return
            position += 1 + (fields.size if fields is not None else 0)
            continue
        opcode = BY_CODE.get(code[0])
        if opcode is None:
            raise CheckpointError(f"no pickle opcode at byte {position:,}: 0x{code[0]:02x}")
        yield opcode.name, _argument(stream, region, opcode, position), position
        position = stream.tell()


def _fixed_argument(stream: io.BufferedReader, fields: struct.Struct, position: int) -> Any:
    data = stream.read(fields.size)
    if len(data) != fields.size:
        raise CheckpointError(f"the pickle is truncated at byte {position:,}")
    return fields.unpack(data)[0]


def _argument(
    stream: io.BufferedReader, region: Region, opcode: pickletools.OpcodeInfo, position: int
) -> Any:
    descriptor = opcode.arg
    assert descriptor is not None
    try:
        if descriptor.n == pickletools.UP_TO_NEWLINE:
            return _line_argument(stream, opcode, position)
        if descriptor.n in LENGTH_FIELDS:
            return _long_argument(stream, region, opcode, position)
        reader: Any = descriptor.reader
        return reader(stream)
    except CheckpointError:
        raise
    # What the readers of pickletools raise is all about bad bytes.
    except (ValueError, EOFError, ArithmeticError) as error:
        kind = "truncated" if "expected" in str(error) or "not enough" in str(error) else "damaged"
        raise CheckpointError(f"the pickle is {kind} at byte {position:,} ({opcode.name})") from error


def _line_argument(stream: io.BufferedReader, opcode: pickletools.OpcodeInfo, position: int) -> Any:
    """Return what stands on a line; of GLOBAL and INST, which have two, the module and the name."""
    lines = [stream.readline(LONGEST_LINE) for _ in range(2 if opcode.name in TWO_LINES else 1)]
    if opcode.name in TEXT_LINES and len(lines[0]) == LONGEST_LINE:
        return _long_line(stream, position)
    if any(len(line) == LONGEST_LINE for line in lines):
        raise CheckpointError(
            f"the pickle has a line of more than {LONGEST_LINE:,} bytes at byte {position:,}"
        )
    if len(lines) == 2:
        # As the unpickler that is written in Python does: it takes a last line without its end for one.
        return tuple(line[:-1].decode("utf-8", "backslashreplace") for line in lines)
    if not lines[0].endswith(b"\n"):
        raise CheckpointError(f"the pickle is truncated at byte {position:,} ({opcode.name})")
    if opcode.name in ("INT", "LONG"):
        return _decimal(lines[0].strip(), opcode.name)
    assert opcode.arg is not None
    reader: Any = opcode.arg.reader
    return reader(io.BytesIO(lines[0]))


def _decimal(digits: bytes, name: str) -> int:
    """Return the number of a line; the unpickler takes other bases too, and reads 00 and 01 as false and true."""
    if name == "INT" and digits in (b"00", b"01"):
        return digits == b"01"
    return int(digits.removesuffix(b"L") if name == "LONG" else digits, 0)


def _long_line(stream: io.BufferedReader, position: int) -> Opaque:
    """Skip a long text of protocol 0."""
    for _ in range(LONGEST_TEXT_LINE // LONGEST_TEXT):
        if stream.readline(LONGEST_TEXT).endswith(b"\n"):
            return Opaque("a long text")
    raise CheckpointError(
        f"the pickle has a line of more than {LONGEST_TEXT_LINE:,} bytes at byte {position:,}"
    )


def _long_argument(
    stream: io.BufferedReader, region: Region, opcode: pickletools.OpcodeInfo, position: int
) -> Any:
    """Return text and numbers of moderate length, and a reference to anything longer."""
    assert opcode.arg is not None
    width, signed = LENGTH_FIELDS[opcode.arg.n]
    field = stream.read(width)
    length = int.from_bytes(field, "little", signed=signed)
    begin = position + 1 + width
    if len(field) != width or not 0 <= length <= region.size - begin:
        there = max(0, region.size - begin)
        message = f"{opcode.name} at byte {position:,} declares {length:,} bytes, {there:,} are there"
        raise CheckpointError(f"the pickle is truncated: {message}")
    if opcode.name == "LONG4":
        return _number(stream, length)
    is_text = opcode.name in ("BINUNICODE", "BINUNICODE8", "BINSTRING")
    if is_text and length <= LONGEST_TEXT:
        encoding = "latin-1" if opcode.name == "BINSTRING" else "utf-8"
        return str(stream.read(length), encoding, "surrogatepass")
    stream.seek(length, io.SEEK_CUR)
    return Blob(region.part(begin, length), is_text)


def _number(stream: io.BufferedReader, length: int) -> Any:
    if length <= LONGEST_NUMBER:
        return int.from_bytes(stream.read(length), "little", signed=True)
    stream.seek(length, io.SEEK_CUR)
    return Opaque(f"an integer of {length:,} bytes")
