"""Measure what linking checkpoints costs on generated projects, without reading files and without other rules."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Optional

from benchmarks.table import format_table
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.linked_project import Project
from flake8_ckpt.linking.functions import functions_of
from flake8_ckpt.losses.overwrites.overwrites import Overwrites
from flake8_ckpt.rules.base import all_rules

FILES_IN_PACKAGE = 100
HEAD = ("files", "saving", "families s", "keys s", "forgotten s", "replaced s", "rules s", "all s", "us/file")
# The first file of a tree: what all others may save with and derive from.
SHARED = '''\
import torch


def save_checkpoint(state, path):
    """Write what a program gives."""
    torch.save(state, path)


def load_checkpoint(path, model, optimizer):
    """Restore what all programs have."""
    state = torch.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state


class Runner:
    """A base class with checkpoints."""

    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters())
        self.steps = 0

    def train(self, batches):
        for batch in batches:
            self.model(batch).mean().backward()
            self.optimizer.step()
            self.steps += 1

    def save(self, path):
        torch.save({{"model": self.model.state_dict(), **self.extras()}}, path)

    def load(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.take(state)

    def extras(self):
        return {{"steps": self.steps}}

    def take(self, state):
        self.steps = state["steps"]
'''
AGENT = '''\
import torch
from torch import nn


class Statistics{n}:
    """Running statistics."""

    def __init__(self):
        self.mean = torch.zeros(3)
        self.var = torch.ones(3)
        self.count = 0

    def update(self, x):
        self.count += 1
        self.mean = self.mean + (x - self.mean) / self.count
        self.var = self.var + (x - self.mean) ** 2 / self.count

    def normalize(self, x):
        return (x - self.mean) / self.var.sqrt()


class Agent{n}:
    """An agent whose statistics only some of its callers save."""

    def __init__(self):
        self.net = nn.Linear(3, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.steps = 0

    def learn(self, batch):
        self.net(batch).mean().backward()
        self.optimizer.step()
        self.steps += 1

    def save(self, path, metadata=None):
        payload = {{"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "steps": self.steps}}
        if metadata:
            payload["metadata"] = metadata
        torch.save(payload, path)

    @classmethod
    def load(cls, path):
        payload = torch.load(path)
        agent = cls()
        agent.net.load_state_dict(payload["net"])
        agent.optimizer.load_state_dict(payload["optimizer"])
        agent.steps = payload["steps"]
        return agent
'''
TRAINER = '''\
import torch

from {package}.part_{before} import Agent{before}
from {package}.part_{before} import Statistics{before}


def train(path, resume=None, episodes=100):
    """Train an agent, or go on with it."""
    statistics = Statistics{before}()
    agent = Agent{before}.load(resume) if resume else Agent{before}()
    if resume:
        metadata = torch.load(resume).get("metadata", {{}})
        statistics.mean = metadata["mean"]
        statistics.var = metadata["var"]
    for episode in range(episodes):
        batch = torch.randn(3)
        statistics.update(batch)
        agent.learn(statistics.normalize(batch))
    agent.save(path)
'''
HEIR = '''\
from package_0.part_1 import Runner


class Runner{n}(Runner):
    """A heir of the one base class: its keys go in and out through two of the base's methods."""

    def __init__(self, model):
        super().__init__(model)
        self.best = 0.0

    def train(self, batches):
        super().train(batches)
        self.best = max(self.best, self.steps / 2)

    def extras(self):
        return {{**super().extras(), "best": self.best}}

    def take(self, state):
        super().take(state)
        self.best = state["best"]
'''
SCRIPT = '''\
import torch
from torch import nn

from package_0.part_1 import load_checkpoint
from package_0.part_1 import save_checkpoint


def main(path, resume):
    """Train with the helpers that all programs share."""
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    first = 0
    if resume:
        state = load_checkpoint(resume, model, optimizer)
        scheduler.load_state_dict(state["scheduler"])
        first = state["epoch"]
    for epoch in range(first, 100):
        model(torch.randn(3)).mean().backward()
        optimizer.step()
        scheduler.step()
        state = {{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}}
        state["scheduler"] = scheduler.state_dict()
        save_checkpoint(state, path)
'''
HOOKS = '''\
import torch
from torch import nn


class Hooked{n}(nn.Module):
    """A module with a pair of hooks and files of its own."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(3, 1)
        self.rate = 0.5

    def forward(self, x):
        self.rate = 0.9 * self.rate + 0.1
        return self.net(x) * self.rate

    def get_extra_state(self):
        return {{"rate": self.rate}}

    def set_extra_state(self, state):
        self.rate = state["rate"]


if __name__ == "__main__":
    model = Hooked{n}()
    model.load_state_dict(torch.load("hooked_{n}.pt")["model"])
    torch.save({{"model": model.state_dict(), "n": {n}}}, "hooked_{n}.pt")
'''
PLAIN = '''\
import json

from {package}.part_{before} import total_{before}


def total_{n}(path):
    """Add up a table."""
    with open(path) as stream:
        return total_{before}(path) + sum(row["value"] for row in json.load(stream))
'''
PROGRAMS = (AGENT, TRAINER, HEIR, SCRIPT, HOOKS)


def generate_programs(size: int) -> Iterator[tuple[str, str]]:
    """Yield the files of a project of which every tenth saves and loads, with imports between neighbours."""
    for number in range(size):
        package, place = f"package_{number // FILES_IN_PACKAGE}", number % FILES_IN_PACKAGE
        if place == 0:
            yield f"{package}/__init__.py", ""
            continue
        text = PROGRAMS[place // 10 % len(PROGRAMS)] if place % 10 == 2 else PLAIN
        text = SHARED if number == 1 else text
        before = number - (10 if text is TRAINER else 1)
        yield f"{package}/part_{number}.py", text.format(n=number, before=before, package=package)


def measure_linking(size: int) -> list[str]:
    """Link the checkpoints of one project and lay out the seconds of each step as a row."""
    files = {path: collect_file(text.encode()) for path, text in generate_programs(size)}
    saving = sum(any(each.contract for each in functions_of(facts)) for facts in files.values())
    with paused_gc():
        seconds = [clock(step) for step in list_steps(Project(files))]
    whole = sum(seconds)
    cells = [f"{each:.2f}" for each in (*seconds, whole)]
    return [f"{size:,}", f"{saving:,}", *cells, f"{1e6 * whole / size:.0f}"]


def list_steps(project: Project) -> list[Callable[[], object]]:
    """Return the steps of linking in their order: each builds on what those before it found."""
    checks = [
        check for rule in all_rules() if rule.code.startswith("CKP2") for check in (rule.check, rule.opt_in)
    ]
    return [
        lambda: (project.groups.files, project.groups.hooks),
        lambda: (project.contract.missing, project.contract.unrestored),
        lambda: project.losses.unsaved_objects,
        lambda: Overwrites(project.contract).found(),
        lambda: [list(check(project)) for check in checks if check is not None],
    ]


def clock(step: Callable[[], object]) -> float:
    """Return the seconds of processor time that a step takes."""
    begin = time.process_time()
    step()
    return time.process_time() - begin


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print a table with a row for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.linking", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 5000, 20000], help="numbers of files")
    sizes = parser.parse_args(argv).sizes
    print(format_table(HEAD, [measure_linking(size) for size in sizes]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
