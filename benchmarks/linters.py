"""Compare what linters cost on one tree, in one run: processor time, memory, ratios to bare flake8."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Optional

from benchmarks.measure import Usage
from benchmarks.measure import measure
from benchmarks.measure import pin
from benchmarks.table import format_table

PROJECT = Path(__file__).resolve().parent.parent
# One environment each, so that no plugin leaks into another's flake8.
TOOLS = {
    "flake8": ["flake8"],
    "bugbear": ["flake8", "flake8-bugbear"],
    "ckpt": ["flake8"],
    "torchfix": ["flake8", "torchfix"],
    "ruff": ["ruff"],
}
ONCE = "torchfix"
BASE = "flake8"
HOW = ("cold", "warm")
Results = dict[str, list[Usage]]


@dataclass(frozen=True)
class Entrant:
    """A command to measure; a cold one starts without its cache."""

    name: str
    tool: str
    command: tuple[str, ...]
    cache: Optional[Path] = None
    is_cold: bool = False


def make_environment(directory: Path, tool: str) -> None:
    """Create a tool's environment where there is none; our own project is installed anew each time."""
    if not (directory / "bin").is_dir():
        venv.create(directory, with_pip=True)
        pip(directory, ["install", *TOOLS[tool]])
    if tool == "ckpt":
        pip(directory, ["uninstall", "--yes", "flake8-ckpt"])
        with tempfile.TemporaryDirectory() as copy:
            pip(directory, ["install", str(copy_project(Path(copy)))])


def copy_project(directory: Path) -> Path:
    """Copy what a build needs, because a build writes into its source."""
    shutil.copytree(PROJECT / "flake8_ckpt", directory / "flake8_ckpt")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, directory)
    return directory


def pip(directory: Path, arguments: list[str]) -> None:
    """Run pip in an environment."""
    subprocess.run([directory / "bin" / "python", "-m", "pip", "--quiet", *arguments], check=True)


def list_entrants(tree: Path, tools: Path, skip: Sequence[str]) -> list[Entrant]:
    """List what runs in a round, in order; a warm run follows the cold one that filled its cache."""
    flake8 = ["flake8", "--isolated", "--jobs=1"]
    ruff = ["ruff", "check", "--isolated", "--no-cache"]
    check = ["flake8-ckpt", "check", "--isolated", "--ckpt-jobs=1"]
    bare = {"flake8": flake8, "bugbear": flake8, "torchfix": flake8, "ruff": ruff}
    entrants = [entrant(label(tool), tool, tools, command, tree) for tool, command in bare.items()]
    for name, command in (("flake8 + ckpt", flake8), ("flake8-ckpt check", check)):
        cache = tools / "cache" / name.replace(" ", "-")
        options = [*command, f"--ckpt-root={tree}", f"--ckpt-cache-dir={cache}"]
        plain = entrant(name, "ckpt", tools, options, tree)
        entrants += [replace(plain, name=f"{name}, {how}", cache=cache, is_cold=how == "cold") for how in HOW]
    return [one for one in entrants if one.tool not in skip]


def label(tool: str) -> str:
    """Name a tool as the table does: plugins stand beside the flake8 that they run in."""
    return tool if tool in (BASE, "ruff") else f"{BASE} + {tool}"


def entrant(name: str, tool: str, tools: Path, command: list[str], tree: Path) -> Entrant:
    """Make an entrant whose command is that of the tool's own environment."""
    return Entrant(name, tool, (str(tools / tool / "bin" / command[0]), *command[1:], str(tree)))


def run_rounds(entrants: Sequence[Entrant], rounds: int, run: Callable[[Entrant], Usage]) -> Results:
    """Run all entrants in turn, round after round; the slowest only once."""
    results: Results = {}
    for number in range(rounds):
        for one in entrants:
            if number == 0 or one.tool != ONCE:
                results.setdefault(one.name, []).append(run(one))
                print(f"round {number + 1}: {one.name}: {results[one.name][-1].cpu:.2f} s", file=sys.stderr)
    return results


def run_once(one: Entrant, limit: float) -> Usage:
    """Measure an entrant, its cache removed before if it is a cold one."""
    if one.cache and one.is_cold:
        shutil.rmtree(one.cache, ignore_errors=True)
    return measure(one.command, limit)


def format_results(results: Results) -> str:
    """Lay out medians and ratios; the ratio of a round is to the bare flake8 of that same round."""
    head = ["command", "CPU s", "wall s", "peak MiB", "x flake8", "added s", "added", "x bugbear's"]
    return format_table(head, [format_row(name, results) for name in results])


def format_row(name: str, results: Results) -> list[str]:
    """Lay out one entrant."""
    runs = results[name]
    cut = ">" if any(run.is_cut for run in runs) else ""
    cpu, wall, peak = (statistics.median(values) for values in zip(*((r.cpu, r.wall, r.peak) for r in runs)))
    row = [name, f"{cut}{cpu:.2f}", f"{cut}{wall:.2f}", f"{peak:.0f}"]
    return [*row, *format_ratios(name, results)]


def format_ratios(name: str, results: Results) -> list[str]:
    """Compare an entrant with bare flake8, and what it adds to it with what bugbear adds."""
    if BASE not in results:
        return ["", "", "", ""]
    base = results[BASE]
    ratio = statistics.median(run.cpu / bare.cpu for run, bare in zip(results[name], base))
    if not name.startswith(f"{BASE} + "):
        return [f"{ratio:.2f}x", "", "", ""]
    more = added(name, results)
    other = added(label("bugbear"), results) if label("bugbear") in results else 0.0
    bugbear = f"{more / other:.2f}x" if other > 0 else ""
    return [f"{ratio:.2f}x", f"{more:+.2f}", f"{100 * (ratio - 1):+.1f}%", bugbear]


def added(name: str, results: Results) -> float:
    """Return the seconds that an entrant needs more than bare flake8, the median over the rounds."""
    return statistics.median(run.cpu - bare.cpu for run, bare in zip(results[name], results[BASE]))


def describe_tree(tree: Path) -> str:
    """Say how large a tree is."""
    texts = [path.read_bytes() for path in tree.rglob("*.py")]
    return f"{tree.name}: {len(texts):,} files, {sum(text.count(10) for text in texts):,} lines"


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.linters", description=__doc__)
    parser.add_argument("tree", type=Path, help="the directory to lint")
    parser.add_argument("--tools", type=Path, required=True, help="where the environments are kept")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip", default=[], type=lambda text: text.split(","), help="tools to leave out")
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds for one command")
    parser.add_argument("--pin", type=int, metavar="CORE", help="run everything on this core")
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measure and print one table."""
    options = build_parser().parse_args(argv)
    tools, tree = options.tools.resolve(), options.tree.resolve()
    for tool in TOOLS:
        if tool not in options.skip:
            make_environment(tools / tool, tool)
    if options.pin is not None:
        pin(options.pin)
    entrants = list_entrants(tree, tools, options.skip)
    results = run_rounds(entrants, options.rounds, lambda one: run_once(one, options.timeout))
    print(f"{describe_tree(tree)}, median of {options.rounds} rounds", format_results(results), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
