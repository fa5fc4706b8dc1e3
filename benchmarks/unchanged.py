"""Measure what the linter costs where nothing has changed: beside ruff on a folder, and on top of bare flake8.

    python -m benchmarks.unchanged FOLDER --rounds 5

Every command runs once before the first round, which fills our cache. A round then runs all of them in turn,
and ratios are taken within a round, so that a busy machine troubles all alike.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.measure import Usage
from benchmarks.measure import measure
from benchmarks.measure import pin
from benchmarks.speed import describe_tree
from benchmarks.table import format_table

LIMIT = 1800.0
HEAD = ("what", "ours", "theirs", "ratio", "difference")
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
Used = Mapping[str, Sequence[Usage]]


@dataclass(frozen=True)
class Comparison:
    """A figure of two commands of a round, by their names."""

    what: str
    ours: str
    theirs: str
    figure: Callable[[Usage], float]


COMPARISONS = (
    Comparison("check beside ruff, wall s", "check", "ruff", lambda used: used.wall),
    Comparison("check beside ruff, peak MiB", "check", "ruff", lambda used: used.peak),
    Comparison("flake8 with and without, CPU s", "flake8 + ckpt", "flake8", lambda used: used.cpu),
    Comparison("on `x = 1`, CPU s", "one file + ckpt", "one file", lambda used: used.cpu),
)


def main(arguments: Sequence[str]) -> int:
    """Print one row for each comparison."""
    asked = read_arguments(arguments)
    if asked.pin is not None:
        pin(asked.pin)
    folder = asked.folder.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        commands = commands_for(folder, Path(scratch))
        used = run_rounds(commands, asked.rounds)
    print(f"{describe_tree(folder)}, median of {asked.rounds} rounds", end="\n\n")
    print(format_table(HEAD, [row(each, used) for each in COMPARISONS]))
    return 0


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unchanged", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder to lint; better none that changes meanwhile")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs")
    parser.add_argument("--pin", type=int, help="the core to run on")
    return parser.parse_args(arguments)


def commands_for(folder: Path, scratch: Path) -> dict[str, list[str]]:
    """Return what runs in a round, in order; the cache lies in a scratch folder."""
    (scratch / "one").mkdir()
    one = scratch / "one" / "one.py"
    one.write_text("x = 1\n")
    cache = f"--ckpt-cache-dir={scratch / 'cache'}"
    check = [sys.executable, "-m", "flake8_ckpt", "check", "--isolated", cache, f"--ckpt-root={folder}"]
    return {
        "check": [*check, str(folder)],
        "ruff": ["ruff", "check", "--isolated", "--no-cache", "--select", "F,B", str(folder)],
        "flake8": flake8("", str(folder)),
        "flake8 + ckpt": flake8(OURS, cache, f"--ckpt-root={folder}", str(folder)),
        "one file": flake8("", str(one)),
        "one file + ckpt": flake8(OURS, cache, f"--ckpt-root={one.parent}", str(one)),
    }


def flake8(ours: str, *arguments: str) -> list[str]:
    """Return a command for flake8 in one process, with or without us."""
    return [sys.executable, "-c", FLAKE8.format(ours=ours), "--isolated", "--jobs=1", *arguments]


def run_rounds(commands: Mapping[str, Sequence[str]], rounds: int) -> Used:
    """Run everything once for the cache, then all in turn, round after round."""
    used: dict[str, list[Usage]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            # Bare flake8 has no cache to fill, and takes the longest.
            if number or name != "flake8":
                usage = measure(command, LIMIT)
                used[name] += [usage] if number else []
                print(f"round {number}: {name}: {usage}", file=sys.stderr)
    return used


def row(asked: Comparison, used: Used) -> tuple[str, ...]:
    """Return a comparison's two medians, and the medians of the ratio and of the difference within a round."""
    ours, theirs = ([asked.figure(each) for each in used[name]] for name in (asked.ours, asked.theirs))
    ratio = median(one / other for one, other in zip(ours, theirs))
    difference = median(one - other for one, other in zip(ours, theirs))
    return asked.what, f"{median(ours):.3f}", f"{median(theirs):.3f}", f"{ratio:.2f}x", f"{difference:+.3f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
