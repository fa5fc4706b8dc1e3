"""Objects of libraries that a checkpoint leaves out: each is called by what it is, or left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_ckpt.engine import check
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.frameworks.records import Records
from flake8_ckpt.frameworks.records import StatefulClass
from flake8_ckpt.options import Options
from tests.rule_cases import lint

PROGRAM = """
import torch
from torch import nn
from {package} import {name}


class Trainer:
    def __init__(self):
        self.policy = nn.Linear(4, 2)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.held = {name}({arguments})

    def learn(self, batch):
        self.policy(batch).sum().backward()
        self.optimizer.step()
        self.held.{update}

    def save(self, path):
        torch.save({{"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}}, path)

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])


def main(path, resume):
    trainer = Trainer()
    if resume:
        trainer.load(path)
    for _ in range(100):
        trainer.learn(torch.randn(8, 4))
        trainer.save(path)
"""
SILENT = {
    "a noise scheduler has no state of training": ("diffusers", "DDPMScheduler", "", "step(batch, 0, batch)"),
    "a scheduler of noise below its package": (
        "diffusers.schedulers",
        "DDIMScheduler",
        "",
        "step(batch, 0, batch)",
    ),
    "an optimizer that is a pure function": ("flax.optim", "Adam", "", "step(batch)"),
    "a scaler that learns nothing": ("sklearn.preprocessing", "Normalizer", "", "partial_fit(batch)"),
    "a class of an unknown package": ("acme", "Helper", "", "step(batch)"),
}
FOUND = {
    "the moving average": ("torch.optim.swa_utils", "AveragedModel", "self.policy", "update(self.policy)"),
    "the moving average ": ("diffusers.training_utils", "EMAModel", "self.policy.parameters()", "step(None)"),
    "the scheduler": ("torch.optim.lr_scheduler", "StepLR", "self.optimizer, 10", "step()"),
    "the scheduler ": ("diffusers.optimization", "get_scheduler", "'linear', self.optimizer", "step()"),
    "the scheduler  ": ("speechbrain.nnet.schedulers", "NewBobScheduler", "0.1", "__call__(0.1)"),
    "the scheduler   ": ("ignite.handlers", "PiecewiseLinear", "self.optimizer, 'lr', []", "step(None)"),
    "the optimizer": (
        "torch.distributed.optim",
        "ZeroRedundancyOptimizer",
        "self.policy.parameters()",
        "step()",
    ),
    "the optimizer ": ("mmengine.optim", "OptimWrapper", "self.optimizer", "step()"),
    "the gradient scaler": ("torch.amp", "GradScaler", "", "update()"),
    "the normalizer": ("sklearn.preprocessing", "StandardScaler", "", "partial_fit(batch).transform(batch)"),
    "the normalizer ": ("ray.rllib.utils.filter", "MeanStdFilter", "(4,)", "push(batch) + self.held(batch)"),
}


def messages(package: str, name: str, arguments: str, update: str) -> list[str]:
    text = PROGRAM.format(package=package, name=name, arguments=arguments, update=update)
    return [each.message for each in lint(text) if each.code == "CKP204"]


@pytest.mark.parametrize("held", SILENT.values(), ids=[each.replace(" ", "-") for each in SILENT])
def test_object_without_state_is_silent(held: tuple[str, str, str, str]) -> None:
    assert messages(*held) == []


@pytest.mark.parametrize(("called", "held"), FOUND.items(), ids=[held[1] for held in FOUND.values()])
def test_object_with_state_is_called_what_it_is(called: str, held: tuple[str, str, str, str]) -> None:
    (message,) = messages(*held)
    assert message.startswith(f"{called.strip()} 'self.held' is neither saved nor restored")


SCHEDULED = """\
import torch


def main(resume):
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    if resume:
        state = torch.load("a.pt")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    for _ in range(100):
        optimizer.zero_grad()
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        scheduler.step()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, "a.pt")
"""


def test_record_that_says_stateless_is_believed_whatever_is_called(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCHEDULED)
    name = "torch.optim.lr_scheduler.StepLR"
    own = Frameworks(Records(stateful=(StatefulClass(names=(name,), role="stateless"),)))
    found, silent = (check(tmp_path, Options(no_cache=True, own=each.own)) for each in (DEFAULT, own))
    assert [each.code for each in found] == ["CKP204"]
    assert silent == []
