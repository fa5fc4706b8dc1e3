"""Put checkpoint bugs into copies of real projects, and count how many of them the linter reports.

    python -m benchmarks.seeded PROJECT... [--cap 10] [--kinds KIND...] [--output RECORDS.jsonl]

A bug is one edit of a scratch copy; lines keep their numbers. Only functions that something else mentions are
broken, only keys that one writer and one reader share, and only buffers that another method reads. What counts:
`caught`, a new finding of an expected code that names the key or stands within three lines of the edit; `opt-in`,
the same with --ckpt-enable=ALL only; `missed`. Not run: `ambiguous`, another writer as near to the reader still
writes the key; `known`, reported before the edit; `broken`, the edit does not parse.

The keys are found by code of this benchmark's own (`benchmarks/seeding`), so that a pair that the linter does not
see is not left out of the count.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import sys
import tempfile
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.seeding.bug import EXPECTED
from benchmarks.seeding.bug import Bug
from benchmarks.seeding.contract_bugs import contract_bugs
from benchmarks.seeding.module_bugs import module_bugs
from benchmarks.seeding.scratch import Found
from benchmarks.seeding.scratch import Scratch
from benchmarks.seeding.source_file import applied
from benchmarks.seeding.source_file import read_sources
from benchmarks.table import format_table
from benchmarks.table import percent

Status = Literal["caught", "opt-in", "missed", "ambiguous", "known", "broken"]
STATUSES: tuple[Status, ...] = ("caught", "opt-in", "missed", "ambiguous", "known", "broken")
EVERY_RULE = "--ckpt-enable=ALL"
OPT_IN = {
    "CKP102",
    "CKP110",
    "CKP112",
}  # off by default in part; only for them a second run is worth its time


@dataclass(frozen=True)
class Record:
    """What the linter said of one bug."""

    project: str
    kind: str
    status: Status
    bug: str
    found: tuple[str, ...]


class Project:
    """A scratch copy, its bugs, and the findings before any of them."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.scratch = Scratch(source, folder)
        self.files = read_sources(self.scratch.root, self.scratch.python_files())
        self.before: dict[tuple[str, ...], frozenset[Found]] = {(): frozenset(self.scratch.lint())}
        self.before[EVERY_RULE,] = frozenset(self.scratch.lint(EVERY_RULE))

    def bugs(self, cap: int, kinds: Sequence[str]) -> list[Bug]:
        """Return at most `cap` bugs of each kind, drawn at random, the same ones in each run."""
        found: dict[str, dict[object, Bug]] = defaultdict(dict)
        for each in (*contract_bugs(self.files), *module_bugs(self.files)):
            if each.kind in kinds:
                found[each.kind].setdefault(each.edits, each)
        return [bug for kind in sorted(found) for bug in self._drawn(list(found[kind].values()), cap)]

    def _drawn(self, bugs: list[Bug], cap: int) -> list[Bug]:
        random.Random(self.scratch.name).shuffle(bugs)
        return sorted(bugs, key=lambda bug: bug.ambiguous)[:cap]

    def judge(self, bug: Bug) -> Record:
        """Put a bug in, ask the linter, and take the bug out again."""
        if bug.ambiguous:
            return self._record(bug, "ambiguous", ())
        known = [each for each in self.before[()] if bug.is_named_by(each) and each.line == bug.line]
        if known:
            return self._record(bug, "known", known)
        originals = {each.path: (self.scratch.root / each.path).read_bytes() for each in bug.edits}
        broken = {path: _broken(path, data, bug) for path, data in originals.items()}
        if not all(map(_parses, broken.values())):
            return self._record(bug, "broken", ())
        try:
            self._write(broken)
            return self._record(bug, *self._answer(bug))
        finally:
            self._write(originals)

    def _answer(self, bug: Bug) -> tuple[Status, Sequence[Found]]:
        """Return what the linter says now, with all rules only where one that is off may say it."""
        asked: list[tuple[Status, tuple[str, ...]]] = [("caught", ())]
        if OPT_IN & EXPECTED[bug.kind]:
            asked.append(("opt-in", (EVERY_RULE,)))
        for status, options in asked:
            new = [each for each in self.scratch.lint(*options) if each not in self.before[options]]
            reporting = [each for each in new if bug.is_reported_by(each)]
            if reporting:
                return status, reporting
        return "missed", ()

    def _write(self, texts: dict[str, bytes]) -> None:
        for path, data in texts.items():
            (self.scratch.root / path).write_bytes(data)

    def _record(self, bug: Bug, status: Status, found: Iterable[Found]) -> Record:
        return Record(self.scratch.name, bug.kind, status, bug.shown, tuple(map(str, found))[:3])


def _broken(path: str, data: bytes, bug: Bug) -> bytes:
    return applied(data, [each for each in bug.edits if each.path == path])


def _parses(data: bytes) -> bool:
    try:
        ast.parse(data)
    except SyntaxError:
        return False
    return True


def records_of(source: Path, cap: int, kinds: Sequence[str]) -> Iterator[Record]:
    """Yield what the linter says of each bug that is put into a project."""
    with tempfile.TemporaryDirectory(prefix="seeded-") as folder:
        project = Project(source.resolve(), Path(folder))
        for bug in project.bugs(cap, kinds):
            yield project.judge(bug)


def table_by(records: Sequence[Record], column: Literal["kind", "project"]) -> str:
    """Return a table of how many bugs were caught, by kind or by project."""
    rows = [*sorted({getattr(each, column) for each in records}), "all"]
    return format_table([column, *STATUSES, "recall"], [_row(row, records, column) for row in rows])


def _row(row: str, records: Sequence[Record], column: str) -> list[str]:
    count = Counter(each.status for each in records if row in (getattr(each, column), "all"))
    ran = count["caught"] + count["opt-in"] + count["missed"]
    return [row, *(str(count[each]) for each in STATUSES), percent(count["caught"], ran)]


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.seeded", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("projects", nargs="+", type=Path, help="folders, each a project of its own")
    parser.add_argument("--cap", type=int, default=10, help="bugs of one kind in one project")
    parser.add_argument("--kinds", nargs="+", default=list(EXPECTED), choices=list(EXPECTED), metavar="KIND")
    parser.add_argument("--output", type=Path, help="one JSON line for each bug")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Break the projects, print the tables and all misses."""
    asked = read_arguments(arguments)
    records: list[Record] = []
    for source in asked.projects:
        found = list(records_of(source, asked.cap, asked.kinds))
        print(f"{source.name}: {len(found)} bugs", file=sys.stderr)
        records += found
    if asked.output is not None:
        asked.output.write_text(
            "".join(json.dumps(asdict(each)) + "\n" for each in records), encoding="utf-8"
        )
    print(table_by(records, "kind"), table_by(records, "project"), sep="\n\n")
    for each in records:
        if each.status in ("missed", "opt-in"):
            print(f"{each.status}: {each.kind}: {each.project}/{each.bug}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
