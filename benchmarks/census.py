"""Count what is found in many real projects: a change of any rule shows as another number.

    python -m benchmarks.census FOLDER... --record CENSUS.jsonl
    python -m benchmarks.census FOLDER... --against CENSUS.jsonl --judged JUDGED.jsonl

Each folder is a project of its own, read with the default rules, without its configuration, comments and cache.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.table import format_table
from benchmarks.table import percent

COMMAND = ("-m", "flake8_ckpt", "check", "--isolated", "--disable-noqa", "--ckpt-no-baseline", "--exit-zero")
OPTIONS = ("--output-format=json", "--ckpt-root=.", "--ckpt-jobs=1", "--ckpt-no-cache", ".")
# Runs a command and says, on standard error, what processor time it took.
TIMED = """\
import resource, subprocess, sys
code = subprocess.call([sys.executable, *sys.argv[1:]])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""
HEAD = ("project", "files", "lines", "CPU s", "MiB", "findings", "by rule")
BY_RULE = ("rule", "findings", "projects", "right", "wrong", "taste", "right of right and wrong")
VERDICTS = ("right", "wrong", "taste")


class Counted(Struct, frozen=True):
    """What one project has: its size, what reading it took, and its findings by rule."""

    name: str
    files: int
    lines: int
    seconds: float
    mebibytes: int
    findings: dict[str, int]


class Judged(Struct, frozen=True):
    """What a reader says of a finding; `verdict` is right, wrong or taste."""

    project: str
    path: str
    line: int
    code: str
    verdict: str


# A finding by its project, path, line and code.
Place = tuple[str, str, int, str]


def count(folder: Path) -> tuple[Counted, list[Place]]:
    """Read a project."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED, *COMMAND, *OPTIONS], cwd=folder, capture_output=True, text=True
    )
    if done.returncode or "CKP002" in done.stdout:
        raise RuntimeError(f"{folder}: exits with {done.returncode}: {done.stderr[-500:]}")
    seconds, mebibytes = done.stderr.split()[-2:]
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    places = [(folder.name, str(Path(each["path"])), each["line"], each["code"]) for each in found]
    files = [path for path in folder.rglob("*.py") if path.is_file()]
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    by_rule = dict(sorted(Counter(code for *_, code in places).items()))
    return Counted(folder.name, len(files), lines, round(float(seconds), 2), int(mebibytes), by_rule), places


def census(folders: Sequence[Path], jobs: int) -> Iterator[tuple[Counted, list[Place]]]:
    """Read projects, some at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(count, folders):
            print(found[0].name, found[0].findings, file=sys.stderr, flush=True)
            yield found


def by_project(counted: Sequence[Counted]) -> str:
    """Return a table with a row for each project, and one for all."""
    whole = Counter[str]()
    for each in counted:
        whole.update(each.findings)
    total = Counted(
        f"all {len(counted)}",
        sum(each.files for each in counted),
        sum(each.lines for each in counted),
        sum(each.seconds for each in counted),
        max((each.mebibytes for each in counted), default=0),
        dict(sorted(whole.items())),
    )
    return format_table(HEAD, [row(each) for each in (*counted, total)])


def row(each: Counted) -> tuple[str, ...]:
    """Return the row of a project; rules are named by their numbers."""
    rules = ", ".join(f"{code.removeprefix('CKP')}: {number}" for code, number in each.findings.items())
    size = (f"{each.files:,}", f"{each.lines:,}", f"{each.seconds:.1f}", f"{each.mebibytes}")
    return each.name, *size, f"{sum(each.findings.values()):,}", rules


def by_rule(counted: Sequence[Counted], places: Iterable[Place], judged: Mapping[Place, str]) -> str:
    """Return a table with a row for each rule; verdicts are those of its findings that somebody has judged."""
    said = Counter((place[3], judged[place]) for place in places if place in judged)
    rows = []
    for code in sorted({code for each in counted for code in each.findings}):
        numbers = [each.findings.get(code, 0) for each in counted]
        verdicts = [said[code, verdict] for verdict in VERDICTS]
        share = percent(verdicts[0], verdicts[0] + verdicts[1])
        rows.append((code, f"{sum(numbers):,}", f"{sum(map(bool, numbers))}", *map(str, verdicts), share))
    return format_table(BY_RULE, rows)


def read_judged(path: Path | None) -> dict[Place, str]:
    """Read what readers have said."""
    lines = path.read_bytes().splitlines() if path is not None else []
    found = [msgspec.json.decode(line, type=Judged) for line in lines if line.strip()]
    return {(each.project, str(Path(each.path)), each.line, each.code): each.verdict for each in found}


def differences(counted: Sequence[Counted], path: Path) -> Iterator[str]:
    """Yield the numbers that are others than those of a record; projects that it lacks are left out."""
    lines = path.read_bytes().splitlines()
    before = {each.name: each for each in (msgspec.json.decode(line, type=Counted) for line in lines)}
    for each in counted:
        old = before.get(each.name, each).findings
        for code in sorted({*old, *each.findings}):
            if old.get(code, 0) != each.findings.get(code, 0):
                yield f"{each.name}: {code} {old.get(code, 0)} -> {each.findings.get(code, 0)}"


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return 1 where a number is another than that of the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.census", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="projects")
    parser.add_argument("--record", type=Path, help="where to write the numbers")
    parser.add_argument("--against", type=Path, help="a record, to compare with")
    parser.add_argument("--judged", type=Path, help="verdicts on findings: JSON lines as `Judged` has them")
    parser.add_argument("--jobs", type=int, default=1, help="projects at the same time")
    asked = parser.parse_args(arguments)
    found = list(census([each.resolve() for each in asked.folders], asked.jobs))
    counted = [each for each, _ in found]
    places = [place for _, own in found for place in own]
    print(by_project(counted), by_rule(counted, places, read_judged(asked.judged)), sep="\n\n")
    if asked.record is not None:
        asked.record.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in counted))
    changed = list(differences(counted, asked.against)) if asked.against is not None else []
    print(*changed, sep="\n")
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
