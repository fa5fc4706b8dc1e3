"""The subcommand `frameworks`: what is known of libraries, the records of the user's files among it."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import msgspec
from flake8.options.manager import OptionManager
from msgspec import Struct

from flake8_ckpt.commands.arguments import declare_ours
from flake8_ckpt.commands.arguments import read_options
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.frameworks.records import OUR_TABLES
from flake8_ckpt.frameworks.records import Hint
from flake8_ckpt.frameworks.records import Hook
from flake8_ckpt.frameworks.records import LoadCall
from flake8_ckpt.frameworks.records import ModuleBase
from flake8_ckpt.frameworks.records import NormalizingWrapper
from flake8_ckpt.frameworks.records import Record
from flake8_ckpt.frameworks.records import Registry
from flake8_ckpt.frameworks.records import SaveCall
from flake8_ckpt.frameworks.records import StatefulClass
from flake8_ckpt.frameworks.records import TakeOver
from flake8_ckpt.frameworks.records import Vocabulary

DESCRIPTION = (
    "Show what is known of libraries: how they save and load, and what has state. With names, only the records"
    " that speak of something with such a name, in full."
)
# Options that mean nothing here: those of reading a project.
UNUSED = frozenset(
    "--bug-report --enable-extensions --require-plugins --ckpt-root --ckpt-exclude --ckpt-enable --ckpt-module-bases"
    " --ckpt-cache-dir --ckpt-no-cache --ckpt-jobs".split()
)
HINTS = "what identifiers hint"
KIND_WIDTH = 11
WRITES = {
    "extra": "writes what was registered, and '{0.payload}'",
    "module": "writes the state of '{0.state_of}'",
    "registered": "writes what was registered",
    "self": "writes its own state",
    "configuration": "writes no state of training",
    "files": "keeps files that were written before",
}


def show_frameworks(arguments: Sequence[str]) -> int:
    """Print the records that the arguments ask for."""
    namespace, options, _ = read_options(arguments, _declare)
    known = options.frameworks
    asked = [name.casefold() for name in namespace.filenames]
    found = [(table, each) for table, each in _records(known) if _is_asked(each, asked)]
    if namespace.output_format == "json":
        text = json.dumps([_as_json(table, each, known) for table, each in found], indent=2)
    else:
        text = "\n".join(_pages(found, known, in_full=bool(asked)))
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding) or "nothing is known of such a name")
    return 0


def _declare(manager: OptionManager) -> None:
    declare_ours(manager, "frameworks", "the records", unused=UNUSED)
    manager.parser.usage = "%(prog)s [options] [name ...]"
    manager.parser.description = DESCRIPTION


def _records(known: Frameworks) -> Iterator[tuple[str, Struct]]:
    for table in OUR_TABLES:
        for each in getattr(known.records, table):
            yield table, each


def _is_asked(record: Struct, asked: Sequence[str]) -> bool:
    names = [name.casefold() for name in names_of(record)]
    return not asked or any(each in name for name in names for each in asked)


def names_of(record: Struct) -> Sequence[str]:
    """Return what a record speaks of: dotted names, or what an identifier looks like."""
    if isinstance(record, Vocabulary):
        return record.names or (record.pattern,)
    if isinstance(record, Record):
        return record.names
    return (f"{record.of}: {record.note or record.pattern}",) if isinstance(record, Hint) else ()


def _pages(found: Sequence[tuple[str, Struct]], known: Frameworks, *, in_full: bool) -> Iterator[str]:
    """Yield the lines: a heading for each library, a line for each record, and its keys where asked."""
    by_library: Mapping[str, list[tuple[str, Struct]]] = defaultdict(list)
    for table, record in found:
        by_library[library_of(record)].append((table, record))
    for library in sorted(by_library, key=lambda each: (each == HINTS, each)):
        yield library
        for table, record in by_library[library]:
            yield _line(table, record, known)
            yield from _details(record) if in_full else ()
        yield ""


def library_of(record: Struct) -> str:
    """Return the package that a record belongs to."""
    if isinstance(record, Vocabulary):
        return record.library
    return record.names[0].partition(".")[0] if isinstance(record, Record) else HINTS


def _line(table: str, record: Struct, known: Frameworks) -> str:
    if isinstance(record, Vocabulary):
        return f"  {table.ljust(KIND_WIDTH)}  {record.of}, {record.says}: {summary_of(record)}"
    name, *others = names_of(record)
    more = f" (and {len(others)} more)" if others else ""
    mark = "  [yours]" if is_own(record, table, known) else ""
    return f"  {table.ljust(KIND_WIDTH)}  {name}{more}: {summary_of(record)}{mark}"


def summary_of(record: Struct) -> str:
    """Return what a record says in a few words."""
    return _SUMMARIES[type(record)](record)


def _save(record: SaveCall) -> str:
    if record.writes == "payload":
        said = f"writes '{record.payload}'"
    else:
        said = WRITES[record.writes].format(record)
    return said + {"file": "", "bytes": " to bytes", "state": " to a mapping"}[record.to]


def _load(record: LoadCall) -> str:
    if record.fills in ("self", "registered"):
        return "restores its own state" if record.fills == "self" else "restores what was registered"
    gives = "gives a payload" if record.returns in ("payload", "remainder") else "gives an object"
    return f"fills '{record.fills}'" if record.fills else gives


def _hook(record: Hook) -> str:
    pair = f", the partner of {record.partner}" if record.partner else ""
    payload = (
        "what it returns"
        if record.payload == "return"
        else f"'{record.payload}'"
        if record.payload
        else "files"
    )
    return f"called to {record.when} {payload}{pair}"


def _take_over(record: TakeOver) -> str:
    return f"saved by {record.saved_by} from then on" if record.saved_by else "wraps, and saves nothing"


_SUMMARIES: dict[type[Struct], Callable[[Any], str]] = {
    SaveCall: _save,
    LoadCall: _load,
    StatefulClass: lambda record: record.role.replace("_", " "),
    NormalizingWrapper: lambda record: "normalizes" if record.updates_in else "has no statistics of its own",
    Hook: _hook,
    Registry: lambda record: f"registers '{record.object}'" if record.object else "a registry",
    TakeOver: _take_over,
    ModuleBase: lambda record: "modules" if record.is_module else "no modules",
    Hint: lambda record: f"hints {record.says.replace('_', ' ')}",
    Vocabulary: lambda record: f"{len(record.names)} names" if record.names else "what a pattern matches",
}


def _details(record: Struct) -> Iterator[str]:
    said = msgspec.to_builtins(record)
    for key in sorted(said, key=lambda each: each != "names"):
        yield f"    {key.ljust(KIND_WIDTH)}  {_text(said[key])}"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def is_own(record: Struct, table: str, known: Frameworks) -> bool:
    """Tell whether a record comes from a file of the user."""
    return record in getattr(known.own, table)


def _as_json(table: str, record: Struct, known: Frameworks) -> dict[str, object]:
    return {"table": table, "own": is_own(record, table, known), **msgspec.to_builtins(record)}
