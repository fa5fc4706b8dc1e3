"""CKP218: a better value saves into what every run makes anew, so that nothing is overwritten; and what looks so."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent


def script(path: str, save: str = 'torch.save(payload, folder + "/best.pt")', mark: str = "") -> str:
    """Return a script that resumes; `path` makes the folder, and `save` runs where the value is the best."""
    return f"""
import argparse
import os
import time
import uuid
import tempfile
from datetime import date, datetime

import torch
import wandb
from torch import nn
from torch.utils.tensorboard import SummaryWriter


def save_checkpoint(where, name, state):
    torch.save(state, os.path.join(where, name + ".pt"))


def main(args, batches, evaluate, wanted):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    if args.resume:
        state = torch.load(args.resume)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
    {path}
    best = 0.0{mark}
    for epoch in range(10):
        for batch in batches:
            optimizer.zero_grad()
            net(batch).mean().backward()
            optimizer.step()
        accuracy = evaluate(net)
        payload = {{"net": net.state_dict(), "optimizer": optimizer.state_dict()}}
        if accuracy > best:
            best = accuracy
            {save}


if __name__ == "__main__":
    main(argparse.ArgumentParser().parse_args(), [], print, "runs")
"""


def trainer(folder: str, mark: str = "") -> str:
    """Return a trainer that saves into a folder of its own, which it is given as `folder` says."""
    return f"""
import os
import time

import torch
from torch import nn


class Trainer:
    def __init__(self, folder):
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.folder = folder
        self.best = 0.0{mark}

    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            loss = self.net(batch).mean()
            loss.backward()
            self.optimizer.step()
            if loss.item() < self.best:
                self.best = loss.item()
                self.save("best.pt")

    def save(self, name):
        payload = {{"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}}
        torch.save(payload, os.path.join(self.folder, name))

    def load(self, path):
        payload = torch.load(path)
        self.net.load_state_dict(payload["net"])
        self.optimizer.load_state_dict(payload["optimizer"])


def main(batches, resume, wanted):
    folder = {folder}
    trainer = Trainer(folder)
    if resume:
        trainer.load(resume)
    trainer.fit(batches)
"""


SILENT: dict[str, Case] = {
    "the time in the name of the folder": script(
        'folder = "runs/" + datetime.now().strftime("%b%d_%H-%M-%S")'
    ),
    "the time by way of a local and of an option": script(
        'stamp = time.strftime("%Y%m%d-%H%M%S")\n    args.folder = os.path.join(args.folder, "_".join(["run", stamp]))',
        'save_checkpoint(args.folder, "best", payload)',
    ),
    "seconds in a text": script('folder = f"runs/{int(time.time())}"'),
    "a random text": script("folder = os.path.join(wanted, str(uuid.uuid4()))"),
    "a new temporary folder": script("folder = tempfile.mkdtemp()"),
    "a run of wandb": script("wandb.init()\n    folder = os.path.join(wanted, wandb.run.id)"),
    "the first number that is free": script(
        "number = 0\n    folder = wanted\n    while os.path.exists(folder):\n"
        '        number += 1\n        folder = f"{wanted}_{number}"'
    ),
    "the folder of a writer": script(
        "writer = SummaryWriter()", 'torch.save(payload, os.path.join(writer.log_dir, "best.pt"))'
    ),
    "the time in the name of the file": script("", 'torch.save(payload, f"best_{time.time()}.pt")'),
    "both branches hold the time": script(
        'if wanted:\n        folder = wanted + time.strftime("%H%M%S")\n'
        '    else:\n        folder = "runs/" + time.strftime("%H%M%S")'
    ),
    "a trainer is given the folder": trainer('os.path.join(wanted, time.strftime("%Y%m%d_%H%M%S"))'),
}

FOUND: dict[str, Case] = {
    "a folder that stays": script('folder = "runs/" + wanted', mark="  # CKP218"),
    "only a new run gets a folder of its own": script(
        'folder = wanted\n    if not args.resume:\n        folder = f"runs/{time.time()}"', mark="  # CKP218"
    ),
    "a resumed run goes on in its folder": script(
        'folder = os.path.dirname(args.resume) if args.resume else f"runs/{time.time()}"', mark="  # CKP218"
    ),
    "the day alone": script('folder = "runs/" + time.strftime("%Y-%m-%d")', mark="  # CKP218"),
    "the time in the payload": script(
        "folder = wanted", 'torch.save({**payload, "at": time.time()}, folder)', "  # CKP218"
    ),
    "the time that the training took": script(
        "folder = wanted\n    begun = time.time()",
        "took = time.time() - begun\n            save_checkpoint(folder, str(took), payload)",
        "  # CKP218",
    ),
    "a second save stays": script(
        'folder = "runs/" + time.strftime("%H%M%S")',
        'torch.save(payload, folder + "/best.pt")\n            torch.save(payload, wanted)',
        "  # CKP218",
    ),
    "a run of wandb that goes on": script(
        'wandb.init(id=wanted, resume="allow")\n    folder = os.path.join(wanted, wandb.run.id)',
        mark="  # CKP218",
    ),
    "a trainer is given what stays": trainer("wanted", "  # CKP218"),
}


@cases(SILENT)
def test_best_saved_into_what_is_new_in_every_run(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_best_saved_into_what_a_resumed_run_finds_again(case: Case) -> None:
    check_findings(case)
