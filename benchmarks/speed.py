"""Measure what the linter costs, as ratios to and on top of what else a user runs: one table.

    python -m benchmarks.speed FOLDER --changed src/model.py src/train.py --rounds 5 --tools DIR

The commands run on a copy of the folder, all once before the first round, which fills our cache. A round then runs
all of them in turn, and ratios are taken within a round, so that a busy machine troubles all alike.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Optional

from benchmarks import linters
from benchmarks.cold import PARSER
from benchmarks.linters import describe_tree
from benchmarks.measure import Usage
from benchmarks.measure import measure
from benchmarks.measure import pin
from benchmarks.table import format_table

LIMIT = 1800.0
HEAD = ("what", "ours", "theirs", "ratio", "difference", "bar")
# flake8 with its own checks, and ours where it is asked for; plugins that happen to be installed stay out.
FLAKE8 = """\
import sys
from flake8.main.cli import main
from flake8.plugins import finder
find, kept = finder._find_importlib_plugins, {{"flake8", "pycodestyle", "pyflakes", {ours!r}}}
finder._find_importlib_plugins = lambda: (each for each in find() if each.package in kept)
sys.exit(main(sys.argv[1:]))
"""
OURS = "flake8-ckpt"
RUFF = ("ruff", "check", "--isolated", "--no-cache", "--select", "F,B")
Used = Mapping[str, Sequence[Usage]]


@dataclass(frozen=True)
class Command:
    """What runs in a round; `changed` is a file that changes before."""

    name: str
    argv: Sequence[str]
    changed: Optional[Path] = None


@dataclass(frozen=True)
class Comparison:
    """A figure of two commands of a round, by their names, and what is promised of their ratio or difference."""

    what: str
    ours: str
    theirs: str
    figure: Callable[[Usage], float]
    bar: str = ""


def wall(used: Usage) -> float:
    """Return the elapsed time."""
    return used.wall


def cpu(used: Usage) -> float:
    """Return the processor time."""
    return used.cpu


def peak(used: Usage) -> float:
    """Return the peak of memory."""
    return used.peak


COMPARISONS = (
    Comparison("check, unchanged, beside ruff, wall s", "check", "ruff", wall, "0.3x"),
    Comparison("check, unchanged, beside ruff, peak MiB", "check", "ruff", peak, "60 MiB"),
    Comparison("flake8, all unchanged, with and without, CPU s", "flake8 + ckpt", "flake8", cpu, "+0.1"),
    Comparison("flake8 on `x = 1`, with and without, CPU s", "one + ckpt", "one", cpu, "+0.020"),
    Comparison("check, cold, one core, beside ast.parse, CPU s", "cold", "parse", cpu, "3x, torchrl; 2x"),
    Comparison("check, cold, two cores beside one, wall s", "cold, two cores", "cold", wall, "0.59x"),
    Comparison("fix --diff beside check, unchanged, CPU s", "fix", "check", cpu, "1.3x"),
)


def main(arguments: Sequence[str]) -> int:
    """Print one row for each comparison, and where tools are asked for, the table of other linters."""
    asked = read_arguments(arguments)
    if asked.pin is not None:
        pin(asked.pin)
    with tempfile.TemporaryDirectory(prefix="speed-") as scratch:
        folder = Path(scratch) / asked.folder.resolve().name
        shutil.copytree(asked.folder, folder, ignore=shutil.ignore_patterns(".git", ".flake8_ckpt_cache"))
        commands = [*commands_for(folder, Path(scratch), asked.whole), *changes_for(folder, asked.changed)]
        rows = [*COMPARISONS, *(on_changed(name) for name in asked.changed)]
        rows = [each for each in rows if any(word in each.what for word in asked.only)]
        named = {name for each in rows for name in (each.ours, each.theirs)}
        # The first one fills the cache.
        used = run_rounds([each for each in commands if each.name in {"check", *named}], asked.rounds)
        described = describe_tree(folder)
    print(f"{described}, median of {asked.rounds} rounds, {date.today()}, {machine()}", end="\n\n")
    print(format_table(HEAD, [row(each, used) for each in rows if {each.ours, each.theirs} <= used.keys()]))
    if asked.tools is not None:
        print()
        linters.main([str(asked.folder), f"--tools={asked.tools}", f"--rounds={asked.rounds}"])
    return 0


def machine() -> str:
    """Say what the figures were taken with."""
    names = ", ".join(f"{name} {version(name)}" for name in ("flake8", "ruff"))
    return f"{platform.machine()}, Python {platform.python_version()}, {names}"


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="the folder to lint")
    parser.add_argument("--changed", nargs="*", default=[], help="files of it that are linted after a change")
    parser.add_argument(
        "--whole", action="store_true", help="run flake8 on the whole folder too, which takes long"
    )
    parser.add_argument(
        "--only", nargs="+", default=[""], help="words of the rows to measure, all by default"
    )
    parser.add_argument(
        "--tools", type=Path, help="compare with other linters too; where their environments are kept"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs")
    parser.add_argument(
        "--pin", type=int, help="the core to run on, which makes the row of two cores useless"
    )
    return parser.parse_args(arguments)


def commands_for(folder: Path, scratch: Path, is_whole: bool) -> Iterator[Command]:
    """Yield what runs in a round, in order; the cache lies in a scratch folder."""
    (scratch / "one").mkdir()
    one = scratch / "one" / "one.py"
    one.write_text("x = 1\n")
    tree, cache = [f"--ckpt-root={folder}", str(folder)], cache_of(folder)
    check = [sys.executable, "-m", "flake8_ckpt", "check", "--isolated"]
    yield Command("check", [*check, cache, *tree])
    yield Command("ruff", [*RUFF, str(folder)])
    yield Command("fix", [sys.executable, "-m", "flake8_ckpt", "fix", "--diff", "--isolated", cache, *tree])
    yield Command("parse", [sys.executable, "-c", PARSER, str(folder)])
    yield Command("cold", [*check, "--ckpt-no-cache", "--ckpt-jobs=1", *tree])
    yield Command("cold, two cores", [*check, "--ckpt-no-cache", "--ckpt-jobs=2", *tree])
    if is_whole:
        yield Command("flake8", flake8("", str(folder)))
        yield Command("flake8 + ckpt", flake8(OURS, cache, *tree))
    yield Command("one", flake8("", str(one)))
    yield Command("one + ckpt", flake8(OURS, cache, f"--ckpt-root={one.parent}", str(one)))


def changes_for(folder: Path, names: Sequence[str]) -> Iterator[Command]:
    """Yield the commands that lint one file, which is another one before each of ours."""
    for name in names:
        path = folder / name
        yield Command(name, flake8("", str(path)))
        root = f"--ckpt-root={folder}"
        yield Command(f"{name} + ckpt", flake8(OURS, cache_of(folder), root, str(path)), path)


def on_changed(name: str) -> Comparison:
    """Return what is asked of one changed file among many."""
    return Comparison(f"flake8 on {name}, changed, CPU s", f"{name} + ckpt", name, cpu, "+0.35")


def cache_of(folder: Path) -> str:
    """Return the option for the cache of a scratch folder."""
    return f"--ckpt-cache-dir={folder.parent / 'cache'}"


def flake8(ours: str, *arguments: str) -> list[str]:
    """Return a command for flake8 in one process, with or without us."""
    return [sys.executable, "-c", FLAKE8.format(ours=ours), "--isolated", "--jobs=1", *arguments]


def run_rounds(commands: Sequence[Command], rounds: int) -> Used:
    """Run everything once for the cache, then all in turn, round after round.

    Files that a round has changed are in the cache again before the next: its first command runs once more.
    """
    used: dict[str, list[Usage]] = {each.name: [] for each in commands}
    for number in range(rounds + 1):
        if number and any(each.changed is not None for each in commands):
            measure(commands[0].argv, LIMIT)
        for each in commands:
            if each.changed is not None:
                with each.changed.open("a", encoding="utf-8") as stream:
                    stream.write(f"CHANGED_{number} = {number}\n")
            # Bare flake8 has no cache to fill, and takes the longest.
            if number or each.name != "flake8":
                usage = measure(each.argv, LIMIT)
                used[each.name] += [usage] if number else []
                print(f"round {number}: {each.name}: {usage}", file=sys.stderr)
    return used


def row(asked: Comparison, used: Used) -> tuple[str, ...]:
    """Return a comparison's two medians, and the medians of the ratio and of the difference within a round."""
    ours, theirs = ([asked.figure(each) for each in used[name]] for name in (asked.ours, asked.theirs))
    ratio = median(one / other for one, other in zip(ours, theirs))
    difference = median(one - other for one, other in zip(ours, theirs))
    figures = (f"{median(ours):.3f}", f"{median(theirs):.3f}", f"{ratio:.2f}x", f"{difference:+.3f}")
    return asked.what, *figures, asked.bar


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
