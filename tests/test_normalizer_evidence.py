"""What counts as a normalizer: statistics that are updated, and that some code takes off or divides by."""

from __future__ import annotations

from time import process_time

from flake8_ckpt.source.running_statistics import normalized_in
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRACKER = """
import numpy as np


class Tracker:
    def __init__(self, n):
        self.mean, self.var, self.count = np.zeros(n), np.ones(n), 0

    def push(self, x):
        self.count += 1
        self.mean = self.mean + (x - self.mean) / self.count
        self.var = self.var + ((x - self.mean) ** 2 - self.var) / self.count
"""
TRAINER = """
import numpy as np
import torch
from torch import nn
from tracker import Tracker


class Learner:
    def __init__(self, n):
        self.net = nn.Linear(n, 1)
        self.adam = torch.optim.Adam(self.net.parameters())
        self.seen = Tracker(n)
        self.step = 0

    def learn(self, batches):
        for x in batches:
            self.seen.push(x)
            {use}
            loss = self.net(torch.as_tensor(x, dtype=torch.float32)).sum()
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
            self.step += 1

    def save(self, path):
        {save}

    def load(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.adam.load_state_dict(data["adam"])
        self.step = data["step"]
        {load}
"""
SAVE = 'torch.save({"net": self.net.state_dict(), "adam": self.adam.state_dict(), "step": self.step}, path)'


def learner(use: str, save: str = SAVE, load: str = "") -> dict[str, str]:
    """Return a project whose learner uses its statistics in some way, and saves and loads with some statements."""
    return {"tracker.py": TRACKER, "learner.py": TRAINER.format(use=use, save=save, load=load)}


SCRIPT = """
import torch
from torch import nn


class Whiten:
    def __init__(self, n):
        self.running_mean = torch.zeros(n)
        self.running_std = torch.ones(n)
        self.momentum = 0.9

    def update(self, x):
        self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * x.mean(0)
        self.running_std = self.momentum * self.running_std + (1 - self.momentum) * x.std(0)


def whitened(x, stats):
    return (x - stats.running_mean) / stats.running_std


def main(batches, path, resume):
    net = nn.Linear(3, 1)
    adam = torch.optim.Adam(net.parameters())
    white = Whiten(3)
    start = 0
    if resume:
        data = torch.load(path)
        net.load_state_dict(data["net"])
        adam.load_state_dict(data["adam"])
        start = data["epoch"] + 1
    for epoch in range(start, 10):
        for x in batches:
            white.update(x)
            adam.zero_grad()
            net({use}).sum().backward()
            adam.step()
        torch.save({{"net": net.state_dict(), "adam": adam.state_dict(), "epoch": epoch}}, path){marker}
"""
OWN_DIVISION = """
import torch
from torch import nn


class Moments:
    def __init__(self):
        self.mean = 0.0
        self.m2 = 0.0
        self.num = 0

    def update_and_rate(self, x):
        self.num += 1
        delta = x - self.mean
        self.mean += delta / self.num
        self.m2 += delta * (x - self.mean)
        return x / max((self.m2 / self.num) ** 0.5, 1e-4)


class Learner:
    def __init__(self):
        self.net = nn.Linear(3, 1)
        self.adam = torch.optim.Adam(self.net.parameters())
        self.rewards = Moments()

    def learn(self, batches):
        for x, reward in batches:
            self.adam.zero_grad()
            (self.net(x).sum() * self.rewards.update_and_rate(reward)).backward()
            self.adam.step()

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "adam": self.adam.state_dict()}, path)  # CKP204

    def load(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.adam.load_state_dict(data["adam"])
"""
RATED = "(self.net(x).sum() * self.rewards.update_and_rate(reward)).backward()"
DISCARDED = "self.rewards.update_and_rate(reward)\n            self.net(x).sum().backward()"
SILENT: dict[str, Case] = {
    "a meter whose mean is only logged": learner('print("mean", self.seen.mean, "var", self.seen.var)'),
    "the statistics are saved": learner(
        "x = (x - self.seen.mean) / np.sqrt(self.seen.var + 1e-8)",
        SAVE.replace("self.step}", 'self.step, "seen": vars(self.seen)}'),
        'vars(self.seen).update(data["seen"])',
    ),
    "what it gives is thrown away": OWN_DIVISION.replace(RATED, DISCARDED).replace("  # CKP204", ""),
    "a script that logs a mean": SCRIPT.format(use="x", marker="").replace(
        "return (x - stats.running_mean) / stats.running_std", "return str(stats.running_mean)"
    ),
    "a policy with a mean and a deviation": TRACKER.replace("def push", "def forward").replace(
        "Tracker", "Gaussian"
    )
    + TRAINER.format(use="x = x", save=SAVE, load="")
    .replace("from tracker import Tracker", "")
    .replace("Tracker", "Gaussian")
    .replace("self.seen.push(x)", "self.seen.forward(x)"),
}
FOUND: dict[str, Case] = {
    "the owner divides": learner(
        "x = (x - self.seen.mean) / np.sqrt(self.seen.var + 1e-8)", f"{SAVE}  # CKP204"
    ),
    "the owner binds locals first": learner(
        "mean, var = self.seen.mean, self.seen.var\n            x = (x - mean) / np.sqrt(var)",
        f"{SAVE}  # CKP204",
    ),
    "the owner takes off the mean alone": learner(
        "x = x - torch.as_tensor(self.seen.mean)", f"{SAVE}  # CKP204"
    ),
    "a helper is given the statistics": SCRIPT.format(use="whitened(x, white)", marker="  # CKP204"),
    "the class divides in a method of any name": OWN_DIVISION,
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_forgotten_statistics(case: Case) -> None:
    check_findings(case)


def test_arithmetic_is_looked_for_in_linear_time() -> None:
    line = "        mean_{0} = stats_{0}.mean; y_{0} = (x - stats_{0}.mean) / stats_{0}.std\n"
    text = "".join(line.format(number) for number in range(5_000))
    begin = process_time()
    assert len(set(normalized_in(text))) == 5_000
    assert process_time() - begin < 5.0
