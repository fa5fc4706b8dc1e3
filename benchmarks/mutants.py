"""Do the tests notice when a guard is weakened? Random mutants of some rooms, each run against its tests.

    python -m benchmarks.mutants rules checkpoints losses modules --count 150 --seed 1 --at-least 85

Every mutant is applied to a copy of the working tree. The tests run once to learn which cases execute which
lines; then only the cases that execute the lines of a mutant are run, in a fork of a process that has its
libraries loaded. A mutant that lives is a guard that no test needs, unless `equivalents.txt` says why none can.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

from benchmarks import reached
from benchmarks.mutations import Mutant
from benchmarks.mutations import is_other_program
from benchmarks.mutations import mutants_of
from benchmarks.reached import Reached
from benchmarks.table import format_table
from benchmarks.table import percent

PACKAGE = "flake8_ckpt"
ROOMS = ("rules", "checkpoints", "losses", "modules")
# Those that link projects in the process of the test, so that it is known what they execute.
TESTS = (
    "tests/rules",
    "tests/test_attribute_lifetime.py",
    "tests/test_contract_adversarial.py",
    "tests/test_contract_linking.py",
    "tests/test_contract_strangers.py",
    "tests/test_frameworks_classes.py",
    "tests/test_frameworks_saves.py",
    "tests/test_linking.py",
    "tests/test_payloads.py",
    "tests/test_seeds.py",
)
EQUIVALENTS = Path(__file__).parent / "equivalents.txt"
# What the tests import beside our own: loaded once, then forked.
LIBRARIES = ["pytest", "libcst", "libcst.matchers", "libcst.metadata", "msgspec", "rich.console"]
OUTPUT = "output.txt"
KILLED, SURVIVED, TIMEOUT, EQUIVALENT = "killed", "survived", "timeout", "equivalent"
# The cases of a mutant take this part of its time at most, as they were before; the rest is for slower mutants.
SHARE = 2
# A loaded machine gives a process a part of its time only.
PATIENCE = 30
TICKS = count(1)


@dataclass(frozen=True)
class Verdict:
    """What the tests said of a mutant; `cases` counts those that execute it, `lines` are those before and after."""

    mutant: Mutant
    outcome: str
    cases: int
    lines: tuple[str, str]

    @property
    def room(self) -> str:
        """Return the folder of the package that the mutant lies in."""
        return Path(self.mutant.path).parts[1]


def main(arguments: Sequence[str]) -> int:
    """Make mutants, run them, print what became of them; return 1 where too few die, 2 where tests fail before."""
    asked = read_arguments(arguments)
    known = read_equivalents(EQUIVALENTS.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copies = [copy_tree(Path.cwd(), Path(name) / str(number)) for number in range(asked.jobs)]
        learned = learn(copies[0], asked.map or Path(name) / "reached.json")
        if learned is None:
            return 2
        for root in copies:
            if run_cases(root, learned.cases("", (), (), asked.seconds / SHARE), asked.seconds) != SURVIVED:
                print((root / OUTPUT).read_text(encoding="utf-8"), file=sys.stderr)
                return 2
        mutants = pick(copies[0], asked.rooms, asked.count, asked.seed)
        verdicts = list(run_all(mutants, known, copies, learned, asked.seconds))
    print("", summary(asked.rooms, verdicts), sep="\n")
    return int(100 * died(verdicts) < asked.at_least * counted(verdicts))


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", default=list(ROOMS), help=f"folders of {PACKAGE}")
    parser.add_argument("--count", type=int, default=150, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="which mutants")
    parser.add_argument("--at-least", type=float, default=0, help="the share in percent that must die")
    parser.add_argument("--seconds", type=int, default=20, help="processor time of one mutant at most")
    parser.add_argument("--jobs", type=int, default=2, help="mutants run at the same time")
    parser.add_argument("--map", type=Path, help="where to keep what the tests execute for the next run")
    return parser.parse_args(arguments)


def copy_tree(root: Path, target: Path) -> Path:
    """Copy what git tracks or would track; the working tree itself is never edited."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    for name in listed.split("\0"):
        if name and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
    return target


def learn(root: Path, output: Path) -> Reached | None:
    """Return which cases execute which lines, `None` where a test fails; it is kept while no file changes."""
    tests = [each for each in TESTS if (root / each).exists()]
    kept = output.with_suffix(f".{digest(root)}.json")
    if not kept.exists():
        command = [sys.executable, "-m", "benchmarks.reached", PACKAGE, str(kept), *tests]
        if subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}).returncode:
            kept.unlink(missing_ok=True)
            return None
    return reached.read(kept)


def digest(root: Path) -> str:
    """Return a digest of all Python files of the package and its tests."""
    found = hashlib.sha256()
    for folder in (PACKAGE, "tests"):
        for path in sorted((root / folder).rglob("*.py")):
            found.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def pick(root: Path, rooms: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Return so many mutants of the rooms, by chance, in the order of their files."""
    found = []
    for room in rooms:
        for path in sorted((root / PACKAGE / room).rglob("*.py")):
            found.extend(mutants_of(path.relative_to(root).as_posix(), path.read_bytes()))
    random.Random(seed).shuffle(found)
    valid = (each for each in found if is_other_program(each, (root / each.path).read_bytes()))
    return sorted(islice(valid, count), key=lambda each: (each.path, each.start))


def run_all(
    mutants: Sequence[Mutant],
    known: Mapping[tuple[str, str, str, str], str],
    copies: Sequence[Path],
    learned: Reached,
    seconds: int,
) -> Iterator[Verdict]:
    """Yield a verdict for each mutant, as many at a time as there are copies."""
    free: SimpleQueue[Path] = SimpleQueue()
    for root in copies:
        free.put(root)

    def judge(mutant: Mutant) -> Verdict:
        root = free.get()
        try:
            lines = mutant.diff((root / mutant.path).read_bytes())
            own = [(mutant.path, line) for line in range(mutant.line, mutant.last_line + 1)]
            cases = learned.cases(mutant.path, own, naming(mutant, root), seconds / SHARE)
            if mutant.key in known:
                return Verdict(mutant, EQUIVALENT, len(cases), lines)
            with edited(root, mutant):
                return Verdict(mutant, run_cases(root, cases, seconds), len(cases), lines)
        finally:
            free.put(root)

    with ThreadPoolExecutor(len(copies)) as pool:
        for number, verdict in enumerate(pool.map(judge, mutants), start=1):
            print(f"{number}/{len(mutants)} {verdict.outcome}", file=sys.stderr, flush=True)
            if verdict.outcome in (SURVIVED, TIMEOUT):
                print(show(verdict), flush=True)
            yield verdict


def naming(mutant: Mutant, root: Path) -> Iterator[tuple[str, int]]:
    """Yield the lines that name the function or table around a mutant."""
    word = re.compile(rf"\b{mutant.scope.rpartition('.')[2]}\b")
    for path in (root / PACKAGE).rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if word.search(line):
                yield path.relative_to(root).as_posix(), number


@contextmanager
def edited(root: Path, mutant: Mutant) -> Iterator[None]:
    """Apply a mutant to a copy, and take it back."""
    path = root / mutant.path
    source, before = path.read_bytes(), path.stat().st_mtime
    # Compiled files are known by the second in which their source was written.
    seconds = next(TICKS)
    path.write_bytes(mutant.applied(source))
    os.utime(path, (before + seconds, before + seconds))
    try:
        yield
    finally:
        path.write_bytes(source)
        os.utime(path, (before, before))


def run_cases(root: Path, cases: Sequence[str], seconds: int) -> str:
    """Run cases in a fork of a process that has the libraries loaded, and tell what became of the mutant."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    process = context.Process(target=run_tests, args=(root, cases, seconds))
    process.start()
    process.join(PATIENCE * seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        return TIMEOUT
    if process.exitcode < 0:
        return TIMEOUT
    return SURVIVED if process.exitcode in (0, 5) else KILLED


def run_tests(root: Path, cases: Sequence[str], seconds: int) -> None:
    """Be the fork: run cases of a copy until one fails, silently, and exit with the code of pytest."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    os.chdir(root)
    with open(root / OUTPUT, "w", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    forget_ours(root)
    try:
        import pytest

        options = ["-x", "-q", "--tb=line", "-p", "no:cacheprovider"]
        code = int(
            pytest.main([*options, *dict.fromkeys(each.partition("::")[0] for each in cases)], [Only(cases)])
        )
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    os._exit(code)


def forget_ours(root: Path) -> None:
    """Let imports find the copy, not the working tree."""
    for name in [name for name in sys.modules if name.partition(".")[0] in (PACKAGE, "tests", "benchmarks")]:
        del sys.modules[name]
    sys.path.insert(0, str(root))


class Only:
    """A plugin of pytest that keeps some cases, in their order."""

    def __init__(self, cases: Sequence[str]) -> None:
        self.ranks = {case: rank for rank, case in enumerate(cases)}

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        """Keep and sort the cases."""
        ranked = [
            (self.ranks[name], item) for item in items if (name := getattr(item, "nodeid")) in self.ranks
        ]
        items[:] = [item for _, item in sorted(ranked, key=lambda each: each[0])]


def read_equivalents(text: str) -> dict[tuple[str, str, str, str], str]:
    """Read the list of mutants that are no other program, with the reason of each."""
    found = {}
    reason = ""
    for line in text.splitlines():
        if line.startswith("#"):
            reason = line.removeprefix("#").strip()
        elif line.strip():
            path, function, operator, mutated = line.split(" :: ")
            found[path, function, operator, mutated] = reason
    return found


def died(verdicts: Sequence[Verdict]) -> int:
    """Count the mutants that the tests noticed."""
    return sum(each.outcome in (KILLED, TIMEOUT) for each in verdicts)


def counted(verdicts: Sequence[Verdict]) -> int:
    """Count the mutants that a test could notice."""
    return sum(each.outcome != EQUIVALENT for each in verdicts)


def summary(rooms: Sequence[str], verdicts: Sequence[Verdict]) -> str:
    """Return the table of rooms."""
    rows = []
    for room in [*rooms, "all"]:
        own = [each for each in verdicts if room in ("all", each.room)]
        outcomes = [each.outcome for each in own]
        numbers = [outcomes.count(outcome) for outcome in (KILLED, TIMEOUT, SURVIVED, EQUIVALENT)]
        rows.append([room, *numbers, percent(died(own), counted(own))])
    return format_table(["room", KILLED, TIMEOUT, SURVIVED, EQUIVALENT, "die"], rows)


def show(verdict: Verdict) -> str:
    """Return a mutant as a place, its key as `equivalents.txt` has it, and the lines that it edits."""
    mutant = verdict.mutant
    before, after = verdict.lines
    head = f"\n{mutant.path}:{mutant.line} {verdict.outcome} after {verdict.cases} cases"
    return "\n".join([head, " :: ".join(mutant.key), f"- {before}", f"+ {after}"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
