"""A file of records that a user wrote: read, and refused with one line that says where it is wrong."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Literal
from typing import get_args
from typing import get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from flake8_ckpt.frameworks.records import ASKED
from flake8_ckpt.frameworks.records import OUR_TABLES
from flake8_ckpt.frameworks.records import TABLES
from flake8_ckpt.frameworks.records import Hint
from flake8_ckpt.frameworks.records import Record
from flake8_ckpt.frameworks.records import Records
from flake8_ckpt.frameworks.records import SaveCall
from flake8_ckpt.frameworks.toml_lines import line_of_record
from flake8_ckpt.frameworks.toml_lines import line_of_table
from flake8_ckpt.plain_file import read_plain

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
VALUE_PLACE = re.compile(r" - at `\$\.?(\w*)[^`]*`$")


class RefusedFile(ValueError):
    """A file of records that cannot be used; the text is one line."""


def read_records(paths: Iterable[Path], allowed: Collection[str] = TABLES) -> Records:
    """Return what some files say together; raise RefusedFile where one is wrong, or two speak of one name."""
    tables: dict[str, list[Struct]] = {table: [] for table in OUR_TABLES}
    named: dict[tuple[str, str], str] = {}
    for path in paths:
        text = _text_of(path)
        for table, index, raw in _raw_records(path, text, allowed):
            line = line_of_record(text, table, index)
            record = _record(raw, table, f"{path}:{line}: [[{table}]]", path, text, index)
            tables[table].append(record)
            for name in record.names if isinstance(record, Record) else ():
                if (table, name) in named:
                    other = named[table, name]
                    raise RefusedFile(
                        f"{path}:{line}: [[{table}]] names: {name!r} is there already ({other})"
                    )
                named[table, name] = f"{path}:{line}"
    return msgspec.convert({table: tuple(records) for table, records in tables.items()}, Records)


def _text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise RefusedFile(f"{path}: cannot be read: not a file")
        return read_plain(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RefusedFile(f"{path}:{line}: not UTF-8: a file of records is TOML, which is UTF-8") from error
    except OSError as error:
        raise RefusedFile(f"{path}: cannot be read: {error.strerror or error}") from error


def _raw_records(
    path: Path, text: str, allowed: Collection[str]
) -> Iterator[tuple[str, int, dict[str, object]]]:
    """Yield the tables of a file: which, the how-manieth of its kind, and its keys."""
    for table, content in _parsed(path, text).items():
        place = f"{path}:{line_of_table(text, table)}: "
        if table not in allowed:
            raise RefusedFile(f"{place}unknown table {table!r}: {_hint(table, allowed)}")
        if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
            raise RefusedFile(f"{place}{table!r} is a list of tables: write [[{table}]]")
        for index, raw in enumerate(content):
            yield table, index, raw


def _parsed(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = SYNTAX_PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        raise RefusedFile(f"{path}:{line}: not TOML: {SYNTAX_PLACE.sub('', str(error))}") from error
    except RecursionError as error:
        raise RefusedFile(f"{path}:1: not a file of records: nested too deep") from error


def _record(raw: dict[str, object], table: str, place: str, path: Path, text: str, index: int) -> Struct:
    """Return a table of the file as a record; a key that is wrong is named with its own line."""
    kind = OUR_TABLES[table]
    for key in raw:
        if key not in kind.__struct_fields__:
            line = line_of_record(text, table, index, key)
            hint = _hint(key, kind.__struct_fields__)
            raise RefusedFile(f"{path}:{line}: [[{table}]] unknown key {key!r}: {hint}")
    try:
        record = msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        found = VALUE_PLACE.search(str(error))
        key = found[1] if found else ""
        where = f"{path}:{line_of_record(text, table, index, key)}: [[{table}]]{f' {key}:' if key else ''}"
        raise RefusedFile(f"{where} {_complaint(str(error), raw, kind, key)}") from error
    _check_content(record, place)
    return record


def _complaint(error: str, raw: dict[str, object], kind: type[Struct], key: str) -> str:
    """Return in our words what msgspec says of a value."""
    values = next((_values_of(each.type) for each in fields(kind) if each.name == key), ())
    if values and isinstance(raw[key], str):
        return f"unknown value {raw[key]!r}: {_hint(str(raw[key]), values)}"
    text = VALUE_PLACE.sub("", error).replace("Object missing", "missing").replace("`", "'")
    return f"{text[:1].lower()}{text[1:]}"


def _values_of(annotation: Any) -> tuple[str, ...]:
    """Return the strings that a field may hold, where it may not hold any."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next((found for each in get_args(annotation) if (found := _values_of(each))), ())


def _check_content(record: Struct, place: str) -> None:
    """Refuse what has the right types and still means nothing."""
    if isinstance(record, Record):
        wrong = [name for name in record.names if not all(part.isidentifier() for part in name.split("."))]
        if wrong or not record.names:
            raise RefusedFile(
                f"{place} names: {wrong[0]!r} is no dotted name" if wrong else f"{place} names: is empty"
            )
    if isinstance(record, SaveCall) and record.writes == "payload":
        if not record.payload and record.payload_at is None:
            raise RefusedFile(f"{place} payload_at: missing: the argument that is written, counted from 0")
    if isinstance(record, Hint):
        if record.says not in ASKED[record.of]:
            asked = ", ".join(ASKED[record.of])
            raise RefusedFile(f"{place} says: a name of this kind may hint {asked}, not {record.says!r}")
        try:
            re.compile(record.pattern)
        except (re.error, RecursionError) as error:
            raise RefusedFile(f"{place} pattern: {error}") from error


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
