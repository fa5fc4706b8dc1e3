"""How an attribute lives, in one word, for each way in which methods may change it."""

from __future__ import annotations

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.linked_project import Project
from flake8_ckpt.modules.attribute_lifetime import lifetime

CLASS = """
import torch
from torch import nn

class Filter(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.{attr} = torch.zeros(size)
        self.started = False
"""
MIXED = "\ndef mixed(self, x):\n    return self.level + x"
LIVES = {
    "constant: nothing changes it": ("gain", "def forward(self, x):\n    return x * self.gain"),
    "constant: it is only moved": ("gain", "def cuda(self, device=None):\n    self.gain = self.gain.cuda()"),
    "state: its new value builds on the old one": (
        "level",
        "def forward(self, x):\n    self.level = 0.9 * self.level + x\n    return self.level",
    ),
    "state: one of two writers builds on the old one": (
        "level",
        "def forward(self, x):\n    self.level = self.level + x\n\ndef put(self, x):\n    self.level = x",
    ),
    "state: a method computes the new value from the old one": (
        "level",
        "def forward(self, x):\n    self.level = self.mixed(x)\n" + MIXED,
    ),
    "state: a method that is asked in one case computes it from the old one": (
        "level",
        "def forward(self, x):\n    self.level = self.mixed(x) if x.any() else x\n\n"
        "def mixed(self, x):\n    return self.level + x",
    ),
    "state: a method computes it from the old one, in an argument": (
        "level",
        "def forward(self, x):\n    self.level = blended(self.mixed(x))\n" + MIXED,
    ),
    "state: a method computes it from the old one, in a keyword": (
        "level",
        "def forward(self, x):\n    self.level = blended(old=self.mixed(x))\n" + MIXED,
    ),
    "state: a method computes it from the old one, in a chain of calls": (
        "level",
        "def forward(self, x):\n    self.level = self.mixed(x).detach()\n" + MIXED,
    ),
    "state: a method computes it from the old one, in a product": (
        "level",
        "def forward(self, x):\n    self.level = self.mixed(x) * 2\n" + MIXED,
    ),
    "state: a method computes it from the old one, in an item": (
        "level",
        "def forward(self, x):\n    self.level = self.mixed(x)[0]\n" + MIXED,
    ),
    "state: a method computes it from the old one, in an attribute": (
        "level",
        "def forward(self, x):\n    self.level = self.mixed(x).T\n" + MIXED,
    ),
    "state: a statistic outlives resets": (
        "running_mean",
        "def forward(self, x):\n    self.running_mean += x\n\ndef reset(self):\n    self.running_mean = 0.0",
    ),
    "scratch: a statistic of an environment": (
        "returns",
        "def step(self, x):\n    self.returns += x\n\ndef reset(self):\n    self.returns = 0.0",
    ),
    "scratch: a statistic of an environment of torchrl": (
        "returns",
        "def _step(self, x):\n    self.returns += x\n\ndef _reset(self, x):\n    self.returns = 0.0",
    ),
    "scratch: a reset begins it again": (
        "level",
        "def forward(self, x):\n    self.level += x\n\ndef reset(self):\n    self.level = 0.0",
    ),
    "scratch: the method that carries it on begins it": (
        "level",
        "def forward(self, x):\n    self.level = x\n    for _ in range(3):\n        self.level += x",
    ),
    "scratch: a caller begins it": (
        "level",
        "def forward(self, x):\n    self.level = x\n    self.add(x)\n\ndef add(self, x):\n    self.level += x",
    ),
    "state: a caller begins it in one case": (
        "level",
        "def forward(self, x):\n    if x.any():\n        self.level = x\n    self.add(x)\n\n"
        "def add(self, x):\n    self.level += x",
    ),
    "scratch: a first call adjusts it once": (
        "level",
        "def forward(self, x):\n    if not self.started:\n        self.level = self.level + x\n"
        "        self.started = True\n    return x * self.level",
    ),
    "state: the flag is another method's": (
        "level",
        "def forward(self, x):\n    if not self.started:\n        self.level = self.level + x\n"
        "    return x * self.level\n\ndef begin(self):\n    self.started = True",
    ),
    "scratch: steps set it and others look at it": (
        "level",
        "def forward(self, x):\n    self.level = x\n\ndef show(self):\n    return self.level + 1",
    ),
    "scratch: nobody reads it": ("level", "def fit(self, x):\n    self.level = x.mean(0)"),
    "scratch: only its shape is read": (
        "level",
        "def fit(self, x):\n    self.level = x.mean(0)\n\ndef forward(self, x):\n    return x.view(self.level.shape)",
    ),
    "scratch: episodes begin it": (
        "level",
        "def on_epoch_start(self, x):\n    self.level = x\n\ndef forward(self, x):\n    return x + self.level",
    ),
    "cache: it is looked at before it is set": (
        "level",
        "def forward(self, x):\n    if self.level is None:\n        self.level = x.mean(0)\n    return x + self.level",
    ),
    "fitted: a method sets it for the steps": (
        "level",
        "def fit(self, x):\n    self.level = x.mean(0)\n\ndef forward(self, x):\n    return x + self.level",
    ),
    "fitted: a statistic that is summed up from the start": (
        "running_mean",
        "def fit(self, rows):\n    self.running_mean = rows[0]\n    for row in rows:\n"
        "        self.running_mean += row\n\ndef forward(self, x):\n    return x - self.running_mean",
    ),
}


@pytest.mark.parametrize(
    ("said", "attr", "methods"), [(said, *life) for said, life in LIVES.items()], ids=LIVES
)
def test_lifetime_of_an_attribute(said: str, attr: str, methods: str) -> None:
    body = "".join(f"    {line}\n" for line in methods.splitlines())
    source = f"{CLASS.format(attr=attr)}\n{body}"
    (state,) = Project({"model.py": collect_file(source.encode())}).modules.classes
    assert lifetime(state, attr) == said.partition(":")[0]
