"""Measure how the linter's cost grows with the number of files, on generated trees: cold, unchanged, one file changed.

python -m benchmarks.growth --sizes 1000,10000,100000 --plot curve.svg
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from benchmarks.measure import Usage
from benchmarks.measure import measure
from benchmarks.measure import pin
from benchmarks.table import format_table

FILES_IN_PACKAGE = 100
# Of ten files one holds a module with lost state, one a subclass of it, one a checkpoint, seven nothing.
STATEFUL = '''\
import torch
from torch import nn


class Tracker{n}(nn.Module):
    """A module whose running mean is lost."""

    def __init__(self, size):
        super().__init__()
        self.linear = nn.Linear(size, size)
        self.register_buffer("scale", torch.ones(size))
        self.mean = torch.zeros(size)

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return self.linear(x - self.mean) * self.scale
'''
SUBCLASS = '''\
import torch

from {package}.part_{before} import Tracker{before}


class Wide{n}(Tracker{before}):
    """A subclass that stands in another file than its base."""

    def __init__(self, size):
        super().__init__(size)
        self.offset = torch.arange(size)

    def forward(self, x):
        return super().forward(x) + self.offset
'''
CHECKPOINT = '''\
import torch


def save(path, model, optimizer, step):
    """Write all state."""
    torch.save({{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}}, path)


def load(path, model, optimizer):
    """Read all state."""
    state = torch.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state["step"]
'''
PLAIN = '''\
import json
from collections import Counter


class Table{n}:
    """Rows of text and what they add up to."""

    def __init__(self, rows):
        self.rows = list(rows)
        self.counts = Counter(row["kind"] for row in self.rows)

    def total(self, kind):
        """Add up one kind."""
        return sum(row["value"] for row in self.rows if row["kind"] == kind)

    def as_text(self):
        """Lay out the totals."""
        lines = []
        for kind in sorted(self.counts):
            lines.append(f"{{kind}}: {{self.total(kind)}}")
        return "\\n".join(lines)


def read_table(path):
    """Read a table."""
    with open(path) as stream:
        return Table{n}(json.load(stream))
'''
# Files that change: a module with lost state, and one that saves.
CHANGED = ("package_0/part_1.py", "package_0/part_3.py")
RUNS = ("cold", "unchanged", "changed", "changed, saves")
TEMPLATES = (STATEFUL, SUBCLASS, CHECKPOINT, *[PLAIN] * 7)


def write_tree(root: Path, size: int) -> int:
    """Write a tree of `size` files, the same for the same size, and return its lines."""
    lines = 0
    for path, text in generate(size):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
        lines += text.count("\n")
    return lines


def generate(size: int) -> Iterator[tuple[str, str]]:
    """Yield the files of a tree: packages that each begin with an empty `__init__.py`."""
    for number in range(size):
        package = f"package_{number // FILES_IN_PACKAGE}"
        if number % FILES_IN_PACKAGE == 0:
            yield f"{package}/__init__.py", ""
        else:
            template = TEMPLATES[(number - 1) % len(TEMPLATES)]
            text = template.format(n=number, before=number - 1, package=package)
            yield f"{package}/part_{number}.py", text


def measure_tree(root: Path, cache: Path, jobs: Sequence[str], limit: float) -> list[Usage]:
    """Measure a run without a cache, one with it, and one on two files after these have changed: one of them saves."""
    command = [sys.executable, "-m", "flake8_ckpt", "check", "--isolated", *jobs]
    command += [f"--ckpt-root={root}", f"--ckpt-cache-dir={cache}"]
    runs = [measure([*command, str(root)], limit) for _ in ("cold", "warm")]
    for name in CHANGED:
        with (root / name).open("a", encoding="utf-8") as stream:
            stream.write("\n\nCHANGED = True\n")
        runs.append(measure([*command, str(root / name)], limit))
    return runs


def measure_size(size: int, directory: Path, jobs: Sequence[str], limit: float) -> list[Usage]:
    """Measure one size of tree."""
    root, cache = directory / f"tree-{size}", directory / f"cache-{size}"
    write_tree(root, size)
    runs = measure_tree(root, cache, jobs, limit)
    shutil.rmtree(root)
    shutil.rmtree(cache, ignore_errors=True)
    print(f"{size:,} files: {runs[0].cpu:.1f} s cold", file=sys.stderr)
    return runs


def row(size: int, runs: Sequence[Usage]) -> list[str]:
    """Lay out the figures of a size."""
    cells = [cell for run in runs for cell in (f"{run.cpu:.2f}", f"{run.wall:.2f}", f"{run.peak:.0f}")]
    return [f"{size:,}", *cells, *(f"{1e6 * run.cpu / size:.0f}" for run in runs[:2])]


def draw(path: Path, measured: Mapping[int, Sequence[Usage]]) -> None:
    """Draw processor time and memory over the number of files, with a line that grows as that does."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    sizes = sorted(measured)
    for axis, what, unit in zip(axes, ("cpu", "peak"), ("CPU seconds", "peak MiB")):
        for number, name in enumerate(RUNS):
            axis.plot(
                sizes, [getattr(measured[size][number], what) for size in sizes], marker="o", label=name
            )
        first = getattr(measured[sizes[0]][0], what)
        axis.plot(sizes, [first * size / sizes[0] for size in sizes], "k:", label="linear")
        axis.set(xscale="log", yscale="log", xlabel="files", ylabel=unit)
        axis.grid(visible=True, which="both", alpha=0.3)
    axes[0].legend()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of files")
    parser.add_argument("--directory", type=Path, help="where to write the trees")
    parser.add_argument("--plot", type=Path, help="where to draw the curve, as .svg or .png")
    parser.add_argument("--jobs", type=int, help="processes that read files")
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds for one command")
    parser.add_argument("--pin", type=int, metavar="CORE", help="run everything on this core")
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measure all sizes and print one table."""
    options = build_parser().parse_args(argv)
    if options.pin is not None:
        pin(options.pin)
    jobs = [f"--ckpt-jobs={options.jobs}"] if options.jobs else []
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        measured = {size: measure_size(size, Path(directory), jobs, options.timeout) for size in sizes}
    runs = [f"{run} {what}" for run in RUNS for what in ("CPU s", "wall s", "MiB")]
    rows = [row(size, used) for size, used in measured.items()]
    print(format_table(["files", *runs, "cold us/file", "unchanged us/file"], rows))
    if options.plot is not None:
        draw(options.plot, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
