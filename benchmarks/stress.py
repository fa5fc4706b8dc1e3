"""Measure what the linter costs on programs at which a search grows out of hand: is it linear in their size?

    python -m benchmarks.stress --programs "equal classes" --scale 0.5

Each program is read and linked in two sizes, the second twice the first: a ratio of two is linear, one of four
is not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from benchmarks.table import format_table
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import all_rules

HEAD = ("program", "size", "collect s", "link s", "all s", "twice the size s", "ratio")
IMPORTS = "import torch\nfrom torch import nn\nfrom torch.optim.lr_scheduler import StepLR\n\n\n"
TRAINER = """\
class Trainer{n}{base}:
    def __init__(self, net):
        self.net = net
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        self.schedule = StepLR(self.optimizer, 10)
        self.steps = 0

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.net(batch).mean().backward()
        self.optimizer.step()
        self.schedule.step()
        self.steps += 1

    def save(self, path):
        payload = {{"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}}
        payload["steps"] = self.steps
        torch.save(payload, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]


"""


def long_function(size: int) -> Iterator[str]:
    """Yield a function of so many lines, each of which builds on those before it."""
    yield IMPORTS + "def main(path, resume, data):\n    net = nn.Linear(3, 1)\n"
    yield "    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n    state = torch.load(resume)\n    x0 = data\n"
    for number in range(1, size // 4):
        before = number - 1
        yield f"    x{number} = prepare(x{before}, state['k{before}'], {number})\n"
        yield f"    if x{number} is None:\n        x{number} = x{before}\n"
        yield f"    state['k{number}'] = x{number}\n"
    yield "    net.load_state_dict(state['net'])\n    optimizer.step()\n"
    yield "    torch.save({'net': net.state_dict(), 'more': state}, path)\n"


def equal_classes(size: int) -> Iterator[str]:
    """Yield classes with the same keys, all of which leave the same out."""
    yield IMPORTS
    yield from (TRAINER.format(n=number, base="") for number in range(size))


def derived_classes(size: int) -> Iterator[str]:
    """Yield classes that derive from one, and override what it does with the same."""
    yield IMPORTS + TRAINER.format(n="", base="")
    yield from (TRAINER.format(n=number, base="(Trainer)") for number in range(1, size))


def passed_payload(size: int) -> Iterator[str]:
    """Yield functions that pass a payload on, each to the next, if they do not save or load it themselves."""
    yield IMPORTS
    for number in range(size // 2):
        yield f"def store{number}(state, path):\n    state['k{number}'] = {number}\n    if path.exists():\n"
        yield f"        torch.save(state, path)\n    store{number + 1}(state, path)\n\n\n"
        yield f"def fetch{number}(path):\n    state = fetch{number + 1}(path)\n    if state is None:\n"
        yield f"        state = torch.load(path)\n    print(state['k{number}'])\n    return state\n\n\n"


def shared_helper(size: int) -> Iterator[str]:
    """Yield functions that all save with the same helper, and hand it what they train."""
    yield IMPORTS
    yield "def keep(state, path, net, schedule):\n    torch.save({'net': net.state_dict(), **state}, path)\n\n\n"
    for number in range(size):
        yield f"def main{number}(path, net, batches):\n    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        yield "    schedule = StepLR(optimizer, 10)\n    state = torch.load(path)\n"
        yield "    net.load_state_dict(state['net'])\n    optimizer.load_state_dict(state['optimizer'])\n"
        yield "    for batch in batches:\n        net(batch).mean().backward()\n        optimizer.step()\n"
        yield "        schedule.step()\n"
        yield "    keep({'optimizer': optimizer.state_dict()}, path, net, schedule)\n\n\n"


def mutual_recursion(size: int) -> Iterator[str]:
    """Yield functions in a circle, each of which calls the next and the one before."""
    yield IMPORTS
    for number in range(size):
        after, before = (number + 1) % size, (number - 1) % size
        yield f"def walk{number}(state, path):\n    state = walk{after}(state, path) or torch.load(path)\n"
        yield f"    walk{before}(state['k'], path)\n    torch.save({{'k': state, 'n': {number}}}, path)\n"
        yield f"    return walk{before}(state, path)\n\n\n"


# Each with the size for which it has to take less than five seconds.
PROGRAMS: Mapping[str, tuple[Callable[[int], Iterator[str]], int]] = {
    "long function": (long_function, 1000),
    "equal classes": (equal_classes, 500),
    "derived classes": (derived_classes, 500),
    "passed payload": (passed_payload, 2000),
    "shared helper": (shared_helper, 500),
    "mutual recursion": (mutual_recursion, 500),
}


def measure(text: str) -> tuple[float, float]:
    """Return the seconds of processor time that reading a file takes, and those of linking it."""
    with paused_gc():
        begin = time.process_time()
        facts = collect_file(text.encode())
        read = time.process_time()
        project = Project({"program.py": facts})
        for rule in all_rules():
            for check in (rule.check, rule.opt_in):
                list(check(project) if check is not None else ())
    return read - begin, time.process_time() - read


def row(name: str, scale: float) -> list[str]:
    """Measure a program in two sizes."""
    generate, size = PROGRAMS[name]
    size = int(size * scale)
    collect, link = measure("".join(generate(size)))
    once, twice = collect + link, sum(measure("".join(generate(2 * size))))
    return [name, f"{size:,}", *(f"{each:.2f}" for each in (collect, link, once, twice, twice / once))]


def main(arguments: Sequence[str]) -> int:
    """Print a row for each program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stress", description=__doc__)
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), help="which ones")
    parser.add_argument("--scale", type=float, default=1.0, help="how much of the full size")
    asked = parser.parse_args(arguments)
    print(format_table(HEAD, [row(name, asked.scale) for name in asked.programs]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
