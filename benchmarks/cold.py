"""Measure what reading a tree for the first time costs, as a multiple of parsing it.

    python -m benchmarks.cold TREE --rounds 5 --against OTHER_CHECKOUT

The standard library's parser is the floor: nothing that reads Python in Python is faster. Each round runs
it over the files of the tree, then the linter on one core and without a cache, in processes of their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.measure import Usage
from benchmarks.measure import measure
from benchmarks.measure import pin
from benchmarks.table import format_table

HEAD = ("command", "CPU s, minimum", "median", "of parsing: minima", "median of rounds", "peak MiB")
PARSE = "parse"
LIMIT = 600.0
# Only what is parsed, so that memory is that of one tree at a time.
PARSER = """
import ast, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
for path in sorted(Path(sys.argv[1]).rglob("*.py")):
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        pass
"""
# The folder of the checkout comes first on the path, also before an installed copy.
LINTER = (
    "import sys; sys.path.insert(0, {!r}); from flake8_ckpt.cli import main; sys.exit(main(sys.argv[1:]))"
)


def main(arguments: Sequence[str]) -> int:
    """Print one row for each command."""
    asked = read_arguments(arguments)
    if asked.pin is not None:
        pin(asked.pin)
    commands = commands_for(asked.tree.resolve(), [Path(__file__).parent.parent, *asked.against])
    used: dict[str, list[Usage]] = {name: [] for name in commands}
    for _ in range(asked.rounds):
        for name, command in commands.items():
            used[name].append(measure(command, LIMIT))
    print(format_table(HEAD, [row(name, used) for name in used]))
    return 0


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold", description=__doc__)
    parser.add_argument("tree", type=Path, help="the files to read")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs")
    parser.add_argument(
        "--against", type=Path, nargs="*", default=[], help="other checkouts of this repository"
    )
    parser.add_argument("--pin", type=int, help="the core to run on")
    return parser.parse_args(arguments)


def commands_for(tree: Path, checkouts: Sequence[Path]) -> dict[str, list[str]]:
    """Return the command that parses the tree, and the one of each checkout that checks it."""
    options = ["--isolated", "--ckpt-no-cache", "--ckpt-jobs=1", f"--ckpt-root={tree}", str(tree)]
    checks = {
        f"check, {checkout.resolve().name}": [
            sys.executable,
            "-c",
            LINTER.format(str(checkout.resolve())),
            "check",
            *options,
        ]
        for checkout in checkouts
    }
    return {PARSE: [sys.executable, "-c", PARSER, str(tree)], **checks}


def row(name: str, used: Mapping[str, Sequence[Usage]]) -> tuple[str, ...]:
    """Return the figures of one command, and what they are beside those of parsing."""
    own, floor = [each.cpu for each in used[name]], [each.cpu for each in used[PARSE]]
    rounds = median(one / other for one, other in zip(own, floor))
    peak = max(each.peak for each in used[name])
    figures = (min(own), median(own), min(own) / min(floor), rounds)
    return (name, *(f"{figure:.2f}" for figure in figures), f"{peak:.0f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
