"""Measure what `flake8-ckpt watch` costs a program: on its start, a step, a save and the making of objects."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Optional

from benchmarks.table import format_table
from flake8_ckpt.commands.watch import INJECTED
from flake8_ckpt.commands.watch import VARIABLE

HEAD = ("what", "without", "with", "more", "ratio")
PROGRAM = """\
import json
import sys
import time

begun = time.process_time()
import torch

imported = time.process_time() - begun
torch.set_num_threads(1)
clock = time.thread_time


class Item:
    def __init__(self, value):
        self.value = value


class Agent:
    def __init__(self, width, depth):
        layers = [torch.nn.Linear(width, width) for _ in range(depth)]
        self.net = torch.nn.Sequential(*layers)
        self.optimizer = torch.optim.Adam(self.net.parameters(), foreach=False)
        self.mean = torch.zeros(width)
        self.x = torch.randn(64, width)

    def step(self):
        self.mean = 0.9 * self.mean + 0.1 * self.x.mean(0)
        loss = self.net(self.x).pow(2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def save(self):
        torch.save({"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}, sys.argv[1])


def timed(call, count):
    seconds = []
    for _ in range(count):
        begin = clock()
        call()
        seconds.append(clock() - begin)
    return seconds


def low(seconds):
    return sorted(seconds)[len(seconds) // 4]


small, medium, large = Agent(16, 1), Agent(64, 4), Agent(2048, 6)
found = {"import torch": imported}
found["first step"] = timed(small.step, 1)[0]
timed(medium.step, 200)
found["step, small"] = low(timed(small.step, 3000))
found["step, medium"] = low(timed(medium.step, 1000))
large.step()
found["first save"] = timed(small.save, 1)[0]
found["save, medium"] = low(timed(medium.save, 20))
found["save, 300 MB"] = low(timed(large.save, 3))
begin = clock()
items = [Item(index) for index in range(100_000)]
found["100,000 objects"] = clock() - begin
print(json.dumps(found))
"""


def run(folder: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """Run the program once, and return seconds of processor time by name."""
    command = [sys.executable, str(folder / "train.py"), str(folder / "out.pt")]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=True)
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


def measure(rounds: int) -> list[list[str]]:
    """Return a row for each part; a round runs the program with and without the recorder."""
    plain: list[dict[str, float]] = []
    watched: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.py").write_text(PROGRAM, encoding="utf-8")
        injected = {"PYTHONPATH": str(INJECTED), VARIABLE: name}
        for _ in range(rounds):
            plain.append(run(folder, {"PYTHONPATH": ""}))
            watched.append(run(folder, injected))
    return [_row(what, [each[what] for each in plain], [each[what] for each in watched]) for what in plain[0]]


def _row(what: str, plain: Sequence[float], watched: Sequence[float]) -> list[str]:
    ratio = median(after / before for before, after in zip(plain, watched))
    more = median(after - before for before, after in zip(plain, watched))
    return [what, _seconds(median(plain)), _seconds(median(watched)), _seconds(more), f"{ratio:.3f}"]


def _seconds(value: float) -> str:
    return f"{value * 1e3:.1f} ms" if abs(value) >= 1e-3 else f"{value * 1e6:.1f} us"


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args(arguments)
    print(format_table(HEAD, measure(args.rounds)))


if __name__ == "__main__":
    main()
