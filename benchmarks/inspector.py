"""Measure what it costs to look into a checkpoint, beside loading it."""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Optional

import torch

from benchmarks.measure import MEBIBYTE
from benchmarks.table import format_table
from flake8_ckpt.runtime.inspector import inspect_checkpoint

HEAD = ("what", "median s", "of torch.load", "worst of its round", "peak MiB")
WIDTH = 1024
COMMAND = """
import resource
import sys

from flake8_ckpt.cli import main

code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def write_checkpoint(path: Path, megabytes: int) -> None:
    """Write float32 weights of 4 MiB each, the statistics of a normalizer, and an optimizer's step."""
    torch.manual_seed(0)
    count = max(1, megabytes * 10**6 // (4 * WIDTH * WIDTH))
    state = {f"actor.layers.{at}.weight": torch.randn(WIDTH, WIDTH) for at in range(count)}
    state |= {
        "normalizer.mean": torch.randn(64),
        "normalizer.var": torch.rand(64),
        "normalizer.count": torch.tensor(9),
    }
    torch.save({"model": state, "step": 1000}, path)


def time_rounds(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each call in each round; a round makes every call once, after one to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    # torch brings so many objects that a collection now and then would be all that one sees.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, call in calls.items():
            begin = time.perf_counter()
            result = call()
            seconds[name].append(time.perf_counter() - begin)
            del result
    return seconds


def list_calls(path: Path) -> dict[str, Callable[[], object]]:
    """Return what is compared; the first is what the others are a part of."""
    return {
        "torch.load": lambda: torch.load(path, weights_only=True),
        "torch.load, mmap": lambda: torch.load(path, weights_only=True, mmap=True),
        "inspect_checkpoint": lambda: inspect_checkpoint(path),
        "inspect_checkpoint, all values": lambda: inspect_checkpoint(path, scan=True),
    }


def rows_of(seconds: dict[str, list[float]]) -> list[list[str]]:
    """Lay out the medians, and the ratios within a round."""
    full = next(iter(seconds.values()))
    rows = []
    for name, values in seconds.items():
        ratios = [value / whole for value, whole in zip(values, full)]
        rows.append(
            [name, f"{median(values):.4f}", f"{100 * median(ratios):.1f}%", f"{100 * max(ratios):.1f}%", "-"]
        )
    return rows


def measure_command(path: Path, full: float, *options: str) -> list[str]:
    """Run the command in a process of its own, with the start of Python."""
    # A process counts the memory of the one that started it, and this one holds torch: start it from a shell.
    shell = ["sh", "-c", '"$0" "$@"; exit $?', sys.executable, "-c", COMMAND, "inspect", str(path), *options]
    begin = time.perf_counter()
    done = subprocess.run(shell, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    wall = time.perf_counter() - begin
    name = " ".join(["flake8-ckpt inspect", *options])
    peak = int(done.stderr) * (1 if sys.platform == "darwin" else 1024) / MEBIBYTE
    return [name, f"{wall:.4f}", f"{100 * wall / full:.1f}%", "-", f"{peak:.0f}"]


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print a table with a row for each way."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inspector", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=400, help="size of the checkpoint")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is run")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pt"
        write_checkpoint(path, args.megabytes)
        print(f"{path.stat().st_size / MEBIBYTE:,.0f} MiB, {args.rounds} rounds")
        seconds = time_rounds(list_calls(path), args.rounds)
        full = median(seconds["torch.load"])
        rows = rows_of(seconds) + [
            measure_command(path, full),
            measure_command(path, full, "--fail-on=nonfinite"),
        ]
        print(format_table(HEAD, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
