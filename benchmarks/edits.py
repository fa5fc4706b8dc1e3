"""Edit files of real projects, ask about each edited file alone, and compare with what the whole project says.

    python -m benchmarks.edits PROJECT... --edits 20 --seed 1

A copy of each project is edited again and again: a statement somewhere in a function is dropped, or moved down.
After each edit, a run that is asked about this file and some others must say of them what a run on all files says;
after the last one, a run without a cache must say the same. Times are of this process, without its start.
"""

from __future__ import annotations

import argparse
import ast
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from unittest import mock

from benchmarks.table import format_table
from flake8_ckpt import engine
from flake8_ckpt.findings import Finding
from flake8_ckpt.index.discovery import find_files
from flake8_ckpt.options import Options

HEAD = ("project", "files", "edits", "findings", "different", "asked, s", "all, s")
# Asked about besides the file that was edited.
OTHERS = 3


@dataclass(frozen=True)
class Outcome:
    """What was said after one edit, of the files that were asked about: `different` is what only one run says."""

    findings: int
    different: tuple[Finding, ...]
    asked_seconds: float
    all_seconds: float


def outcomes_of(source: Path, count: int, rng: random.Random) -> Iterator[Outcome]:
    """Yield what is said of a project after each of some edits."""
    with tempfile.TemporaryDirectory(prefix="edits-") as folder:
        root = Path(folder) / source.name
        shutil.copytree(source, root, ignore=shutil.ignore_patterns(".git", ".flake8_ckpt_cache"))
        alone, whole = (Options(cache_dir=Path(folder) / name, enable=("ALL",)) for name in ("alone", "all"))
        names = find_files(root)
        said = engine.analyze(root, whole)
        engine.analyze(root, alone)
        for _ in range(count):
            name = rng.choice([*names, *said.candidates])
            edit(root / name, rng)
            about = [name, *rng.sample(names, min(OTHERS, len(names)))]
            began = time.process_time()
            asked = engine.analyze(root, alone, about=about)
            between = time.process_time()
            said = engine.analyze(root, whole)
            yield _outcome(asked, said, about, between - began, time.process_time() - between)
        scratch = engine.analyze(root, Options(no_cache=True, enable=("ALL",)))
        yield _outcome(said, scratch, names, 0.0, 0.0)


def edit(path: Path, rng: random.Random) -> None:
    """Drop a statement of a function, or move it below the next; leave a file as it is where that breaks it."""
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError):
        return
    functions = [each for each in ast.walk(tree) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if not functions:
        return
    body = rng.choice(functions).body
    at = rng.randrange(len(body))
    first, last = body[at].lineno - 1, body[at].end_lineno or body[at].lineno
    taken, rest = lines[first:last], lines[last:]
    if rng.random() < 0.5 and at + 1 < len(body):
        below = (body[at + 1].end_lineno or last) - last
        rest = [*rest[:below], *taken, *rest[below:]]
    elif len(body) == 1:
        rest = [b" " * body[at].col_offset + b"pass\n", *rest]
    new = b"".join([*lines[:first], *rest])
    try:
        ast.parse(new)
    except (SyntaxError, ValueError):
        return
    path.write_bytes(new)


def _outcome(
    one: engine.Analysis,
    other: engine.Analysis,
    about: Sequence[str],
    one_seconds: float,
    other_seconds: float,
) -> Outcome:
    found, expected = (
        {each for path in about for each in run.candidates.get(path, ())} for run in (one, other)
    )
    return Outcome(len(expected), tuple(sorted(found ^ expected)), one_seconds, other_seconds)


def row(source: Path, outcomes: Sequence[Outcome]) -> tuple[object, ...]:
    """Return the figures of a project; the last outcome is the run without a cache."""
    steps = outcomes[:-1]
    return (
        source.name,
        len(find_files(source)),
        len(steps),
        sum(each.findings for each in outcomes),
        sum(len(each.different) for each in outcomes),
        f"{median(each.asked_seconds for each in steps):.3f}",
        f"{median(each.all_seconds for each in steps):.3f}",
    )


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.edits", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("projects", nargs="+", type=Path, help="folders, each a project of its own")
    parser.add_argument("--edits", type=int, default=20, help="how many in each project")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Edit the projects, print the table and every finding that only one of two runs has."""
    asked = read_arguments(arguments)
    rows, different = [], 0
    for source in (each.resolve() for each in asked.projects):
        with mock.patch.object(engine, "FEW", 0):
            outcomes = list(outcomes_of(source, asked.edits, random.Random(asked.seed)))
        rows.append(row(source, outcomes))
        print(*map(str, rows[-1]), file=sys.stderr)
        for each in (finding for outcome in outcomes for finding in outcome.different):
            different += 1
            print(f"{source.name}/{each.path}:{each.position.line}: {each.code} {each.message}")
    print(format_table(HEAD, rows))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
