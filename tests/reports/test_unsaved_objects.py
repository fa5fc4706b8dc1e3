"""The picture of a checkpoint shows the objects that no key holds, and only those that `check` reports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.front_end import here
from tests.front_end import write

TRAINER = """\
import argparse

import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.net = nn.Linear(4, 2)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 10)
        self.epoch = 0

    def save(self, path):
        kept = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "epoch": self.epoch}
        torch.save(kept, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch = state["epoch"]

    def train(self):
        while self.epoch < 10:
            self.net(torch.randn(8, 4)).sum().backward()
            self.optimizer.step()
            self.scheduler.step()
            self.epoch += 1
            self.save("last.pt")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--resume")
    args = parser.parse_args()
    trainer = Trainer()
    if args.resume:
        trainer.load(args.resume)
    trainer.train()
"""
SAVED = TRAINER.replace(
    '"epoch": self.epoch}', '"epoch": self.epoch, "scheduler": self.scheduler.state_dict()}'
).replace('["optimizer"])', '["optimizer"])\n        self.scheduler.load_state_dict(state["scheduler"])')
EVALUATION = """\
import torch
from torch import nn

net = nn.Linear(4, 2)
torch.save({"weights": net.state_dict()}, "weights.pt")
net.load_state_dict(torch.load("weights.pt")["weights"])
"""


def page(folder: Path, text: str) -> str:
    write(folder, {"train.py": text, "evaluate.py": EVALUATION, "setup.cfg": ""})
    return here(folder, "check", "--output-format=html").out


def absent(page: str) -> list[str]:
    return re.findall(r'class="key broken absent" data-key="([^"]*)"', page)


def test_saved_object_is_a_key(tmp_path: Path) -> None:
    found = page(tmp_path, SAVED)
    assert absent(found) == [] and 'data-key="scheduler"' in found


def test_object_that_no_key_holds_is_drawn_and_leads_to_its_finding(tmp_path: Path) -> None:
    found = page(tmp_path, TRAINER)
    assert absent(found) == ["self.scheduler"] * 2
    (anchor,) = re.findall(r'<a href="#(finding-\w+)">in no key</a>', found)
    assert f'id="{anchor}" data-rule="CKP204"' in found
    assert re.findall(r"(\d+) keys", found) == ["3"] and found.count("1 broken") == 1


@pytest.mark.parametrize("command", [["contract"], ["contract", "--output-format=json"]])
def test_tables_of_keys_have_keys_alone(tmp_path: Path, command: list[str]) -> None:
    page(tmp_path, TRAINER)
    assert "self.scheduler" not in here(tmp_path, *command).out
