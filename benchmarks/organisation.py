"""Measure a scan of many repositories: alone, in two processes, with a cluster of two workers, with a shared cache.

    python -m benchmarks.organisation FOLDER... --rounds 3

The Python files of each folder are copied first. Every way runs once in a round, in turn, and ratios are taken
within a round, so that a busy machine troubles all alike. What is printed has to be the same for all.
The processor time is that of the command and its processes, without the workers of the cluster.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.table import format_table

HEAD = ("way", "wall s", "beside the first", "CPU s", "beside the first")
# The processes of a scan are children of multiprocessing's server, whose time counts once it has ended.
COUNTED = """\
import resource, sys
from multiprocessing import forkserver
from flake8_ckpt.cli import main
code = main(sys.argv[1:])
forkserver._forkserver._stop()
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(each.ru_utime + each.ru_stime for each in used), file=sys.stderr)
sys.exit(code)
"""
SCAN = (sys.executable, "-c", COUNTED, "scan", "LIST", "--isolated", "--output-format=concise", "-q")
CACHE = ".flake8_ckpt_cache"
COLD = "--ckpt-no-cache"


@dataclass(frozen=True)
class Way:
    """A way to scan: its options, and what is done to the copies before."""

    name: str
    options: tuple[str, ...]
    before: Callable[[Path], None]


@dataclass(frozen=True)
class Ran:
    """The seconds that a way took: on the clock, and of processors."""

    wall: float
    cpu: float


def main(arguments: Sequence[str]) -> int:
    """Print one row for each way."""
    from distributed import LocalCluster

    asked = read_arguments(arguments)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        copy_all(asked.folders, scratch)
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            rounds = [
                run_round(ways(cluster.scheduler_address, scratch / f"store{number}"), scratch)
                for number in range(asked.rounds)
            ]
    print(f"{len(asked.folders)} repositories, median of {asked.rounds} rounds", end="\n\n")
    print(format_table(HEAD, [row(name, rounds) for name in rounds[0]]))
    return 0


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.organisation", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a repository")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way runs")
    return parser.parse_args(arguments)


def copy_all(folders: Sequence[Path], scratch: Path) -> None:
    """Copy the Python files of the repositories, and write their list."""
    for number, folder in enumerate(folders):
        for path in folder.resolve().rglob("*.py"):
            target = scratch / f"{number}-{folder.name}" / path.relative_to(folder.resolve())
            if path.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    names = [each.name for each in scratch.iterdir()]
    (scratch / "LIST").write_text("".join(f"{name}\n" for name in sorted(names)))


def ways(scheduler: str, store: Path) -> tuple[Way, ...]:
    """Return the ways of a round, in order: one leaves in the store what the next finds there."""
    cluster, shared = f"--cluster={scheduler}", f"--ckpt-cache-dir=file://{store}"
    return (
        Way("one process", (COLD, "--jobs=1"), forget),
        Way("two processes", (COLD, "--jobs=2"), forget),
        Way("one process, two workers", (COLD, "--jobs=1", cluster), forget),
        Way("two processes, two workers", (COLD, "--jobs=2", cluster), forget),
        Way("one process, fills a shared cache", ("--jobs=1", shared), forget),
        Way("one process, shared cache, one file of each changed", ("--jobs=1", shared), change),
        Way("one process, shared cache, nothing changed", ("--jobs=1", shared), forget),
        Way("one process, its own cache, nothing changed", ("--jobs=1",), lambda scratch: None),
    )


def forget(scratch: Path) -> None:
    """Make the copies those of a machine that was never here."""
    for path in list(scratch.rglob(CACHE)):
        shutil.rmtree(path)


def change(scratch: Path) -> None:
    """Add a line that changes nothing to the largest file of each copy, on a new machine."""
    forget(scratch)
    for folder in (each for each in scratch.iterdir() if each.is_dir() and not each.name.startswith("store")):
        files = sorted(folder.rglob("*.py"), key=lambda path: (path.stat().st_size, path))
        if files:
            with open(files[-1], "a", encoding="utf-8") as file:
                file.write(f"\n# {time.time_ns()}\n")


def run_round(all_ways: Sequence[Way], scratch: Path) -> dict[str, Ran]:
    """Return what each way takes; raise where one prints something else than the first."""
    ran: dict[str, Ran] = {}
    printed: set[bytes] = set()
    env = {**os.environ, "FLAKE8_CKPT_CACHE_KEY": "benchmark"}
    for way in all_ways:
        way.before(scratch)
        begin = time.perf_counter()
        done = subprocess.run([*SCAN, *way.options], cwd=scratch, env=env, capture_output=True)
        wall = time.perf_counter() - begin
        printed.add(done.stdout)
        if done.returncode > 1 or len(printed) > 1:
            raise RuntimeError(f"{way.name}: not the same findings, or {done.stderr.decode()}")
        ran[way.name] = Ran(wall, float(done.stderr.split()[-1]))
        print(f"{way.name}: {ran[way.name]}", file=sys.stderr)
    return ran


def row(name: str, rounds: Sequence[dict[str, Ran]]) -> tuple[str, ...]:
    """Return the medians of a way, and of its ratios to the first within a round."""
    first = next(iter(rounds[0]))
    cells = [name]
    for figure in ("wall", "cpu"):
        ours, theirs = ([getattr(each[way], figure) for each in rounds] for way in (name, first))
        ratio = median(one / other for one, other in zip(ours, theirs))
        cells += [f"{median(ours):.2f}", f"{ratio:.2f}x"]
    return tuple(cells)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
