"""Ask for the findings of a project by every road there is, and say where two roads differ.

    python -m benchmarks.roads FOLDER... [--roads ROAD...]

Cold is the command without a cache. The others: with a new cache and with a full one, with four processes, files named
in another order, other hash seeds and locales, flake8 with one process, four, and four that are started afresh,
standard input for some files, and one file changed after the cache was filled.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from shutil import copytree
from shutil import ignore_patterns

from benchmarks.table import format_table

# flake8 with no plugin but ours, whose other checks take most of its time; spawn is how macOS and Windows start.
FLAKE8 = """\
import multiprocessing, sys
from flake8.main.cli import main
from flake8.plugins import finder
find = finder._find_importlib_plugins
finder._find_importlib_plugins = lambda: (
    each for each in find() if each.package == "flake8-ckpt" or each.entry_point.group == "flake8.report"
)
if __name__ == "__main__":
    multiprocessing.set_start_method({start!r})
    sys.exit(main(sys.argv[1:]))
"""
COMMON = ("--isolated", "--ckpt-root=.", "--ckpt-enable=ALL")
COMMAND = ("-m", "flake8_ckpt", "check", "--no-summary", "--output-format=concise", *COMMON)
HEAD = ("project", "files", "findings", "roads", "differences")
# flake8 says itself that it cannot parse a file, and asks nobody about it.
NOT_READ = ("E902", "E999", "CKP001")
# Files whose text goes through standard input, and files that are changed one by one.
PIPED, CHANGED = 2, 2
LINES_SHOWN = 6


@dataclass
class Tree:
    """A copy of a project, with scripts and a cache beside it; `cold` is what its first run printed."""

    name: str
    root: Path
    beside: Path
    cold: list[str] = field(default_factory=list)

    def run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> list[str]:
        """Run Python in the copy, and return the lines that it prints."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            input=stdin.encode("utf-8", "surrogateescape"),
            capture_output=True,
            env={**os.environ, **(env or {})},
        )
        if done.returncode not in (0, 1) or b"CKP002" in done.stdout:
            raise RuntimeError(
                f"{self.name}: {done.returncode} {done.stderr[-500:]!r} {done.stdout[-500:]!r}"
            )
        return done.stdout.decode("utf-8", "surrogateescape").splitlines()

    def check(self, *arguments: str, **options: str) -> list[str]:
        """Run the command; `options` are variables of the environment."""
        return self.run(*COMMAND, *(arguments or ("--ckpt-no-cache",)), env=options)

    def flake8(self, start: str, *arguments: str, stdin: str = "") -> list[str]:
        """Run flake8 with its workers started in some way."""
        script = self.beside / f"flake8_{start}.py"
        script.write_text(FLAKE8.format(start=start))
        return self.run(str(script), "--select=CKP", "--no-show-source", *COMMON, *arguments, stdin=stdin)

    @property
    def cache(self) -> str:
        """Return the option that names the cache."""
        return f"--ckpt-cache-dir={self.beside / 'cache'}"

    def files(self) -> list[str]:
        """Return the files that findings are in, then others."""
        found = list(dict.fromkeys(path_of(line) for line in self.cold))
        others = [path.relative_to(self.root).as_posix() for path in sorted(self.root.rglob("*.py"))]
        return list(dict.fromkeys((*found, *(f"./{each}" for each in others))))


def path_of(line: str) -> str:
    """Return the path that a line of output begins with."""
    return line.split(":", 1)[0]


def code_of(line: str) -> str:
    """Return the code of a line of output."""
    return line.split(" ", 2)[1] if line.count(" ") > 1 else ""


# A road yields a name, what it should print, and what it prints.
Compared = tuple[str, list[str], list[str]]
Road = Callable[[Tree], Iterator[Compared]]


def warm(tree: Tree) -> Iterator[Compared]:
    """With a new cache, and with a full one."""
    yield "new cache", tree.cold, tree.check(tree.cache)
    yield "full cache", tree.cold, tree.check(tree.cache)


def jobs(tree: Tree) -> Iterator[Compared]:
    """With four processes."""
    yield "four jobs", tree.cold, tree.check("--ckpt-no-cache", "--ckpt-jobs=4")


def order(tree: Tree) -> Iterator[Compared]:
    """With the files named in another order: findings are printed in the order that was asked for."""
    names = tree.files()
    random.Random(0).shuffle(names)
    yield "other order", sorted(tree.cold), sorted(tree.check("--ckpt-no-cache", *names))


def environment(tree: Tree) -> Iterator[Compared]:
    """With other hash seeds and another locale."""
    for seed in ("0", "1", "4242"):
        yield f"hash seed {seed}", tree.cold, tree.check(PYTHONHASHSEED=seed)
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"}
    yield "locale C", tree.cold, tree.check(**plain)


def front_ends(tree: Tree) -> Iterator[Compared]:
    """By flake8."""
    for name, start, count in (("flake8", "fork", 1), ("flake8 -j4", "fork", 4), ("spawn", "spawn", 4)):
        said = tree.flake8(start, tree.cache, f"--jobs={count}", ".")
        yield name, *comparable(tree.cold, said)


def piped(tree: Tree) -> Iterator[Compared]:
    """By standard input."""
    for name in tree.files()[:PIPED]:
        text = (tree.root / name).read_bytes().decode("utf-8", "surrogateescape")
        said = tree.flake8("fork", tree.cache, f"--stdin-display-name={name}", "-", stdin=text)
        own = [line for line in tree.cold if path_of(line) == name]
        yield f"stdin {name}", *comparable(own, said)


def incremental(tree: Tree) -> Iterator[Compared]:
    """After a change of one file, with the cache of before: a line more above all, half of it gone, and as it was."""
    tree.check(tree.cache)
    for name in tree.files()[:CHANGED]:
        path = tree.root / name
        before = path.read_bytes()
        lines = before.splitlines(keepends=True)
        for what, text in {"line more": b"\n" + before, "half": b"".join(lines[: len(lines) // 2])}.items():
            path.write_bytes(text)
            cold = tree.check()
            single = [line for line in cold if path_of(line) == name]
            yield f"{what}, alone: {name}", single, tree.check(tree.cache, name)
            yield f"{what}: {name}", cold, tree.check(tree.cache)
        path.write_bytes(before)
        yield f"as it was: {name}", tree.cold, tree.check(tree.cache)


ROADS: Mapping[str, Road] = {
    each.__name__: each for each in (warm, jobs, order, environment, front_ends, piped, incremental)
}


def comparable(ours: Sequence[str], flake8: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return sorted lines of both without those of the files that flake8 does not read."""
    unread = {path_of(line) for line in (*ours, *flake8) if code_of(line) in NOT_READ}
    ours, flake8 = ([each for each in lines if path_of(each) not in unread] for lines in (ours, flake8))
    return sorted(ours), sorted(flake8)


def differences(tree: Tree, roads: Sequence[str]) -> tuple[int, int]:
    """Return how many roads were gone and how many differ, and show those."""
    count = different = 0
    for road in roads:
        for name, expected, said in ROADS[road](tree):
            count += 1
            if said != expected:
                different += 1
                lost, new = (sorted(set(a) - set(b)) for a, b in ((expected, said), (said, expected)))
                shown = [*(f"  - {each}" for each in lost), *(f"  + {each}" for each in new)][:LINES_SHOWN]
                print(f"{tree.name}: {name} differs", *shown, sep="\n", flush=True)
    return count, different


def row(source: Path, roads: Sequence[str]) -> tuple[str, ...]:
    """Go all roads with one project."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "tree")
        copytree(source, root, symlinks=True, ignore=ignore_patterns(".git", "__pycache__"))
        tree = Tree(source.name, root, Path(scratch))
        tree.cold = tree.check()
        count, different = differences(tree, roads)
        files = sum(1 for _ in root.rglob("*.py"))
        return source.name, f"{files:,}", f"{len(tree.cold):,}", f"{count}", f"{different}"


def main(arguments: Sequence[str]) -> int:
    """Print a row for each project; return 1 where two roads differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.roads", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="projects, each read as a root of its own")
    parser.add_argument("--roads", nargs="+", choices=ROADS, default=list(ROADS), help="which roads")
    asked = parser.parse_args(arguments)
    rows = []
    for folder in asked.folders:
        rows.append(row(folder.resolve(), asked.roads))
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    print(format_table(HEAD, rows))
    return int(any(each[-1] != "0" for each in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
