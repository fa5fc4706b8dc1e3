"""CKP202, CKP203: checkpoints of several files, of which one side names more than the other."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRAINER = (
    TORCH
    + """
import os
import shutil


class Trainer:
    def __init__(self, net):
        self.net = net
        self.adam = torch.optim.Adam(net.parameters())
        self.plan = torch.optim.lr_scheduler.StepLR(self.adam, 3)

    def fit(self, batches):
        for batch in batches:
            self.adam.zero_grad()
            self.net(batch).mean().backward()
            self.adam.step()
        self.plan.step()

    def keep(self, folder):
        {written}

    def restore(self, folder):
        {read}
"""
)
NET = 'torch.save(self.net.state_dict(), os.path.join(folder, "net.pt"))\n        '
ADAM = 'torch.save(self.adam.state_dict(), os.path.join(folder, "adam.pt"))\n        '
PLAN = 'torch.save(self.plan.state_dict(), os.path.join(folder, "plan.pt"))'
GET_NET = 'self.net.load_state_dict(torch.load(os.path.join(folder, "net.pt")))\n        '
GET_ADAM = 'self.adam.load_state_dict(torch.load(os.path.join(folder, "adam.pt")))\n        '
GET_PLAN = 'self.plan.load_state_dict(torch.load(os.path.join(folder, "plan.pt")))'
SCRIPT = """
import torch as th
from pathlib import Path


def store(thing, path):
    th.save(thing.state_dict(), path)


def main(net, batches, out, again=None):
    adam = th.optim.Adam(net.parameters())
    if again is not None:
        first = th.load(Path(again) / "{name}")
        second = th.load(Path(again) / "adam.npy")
        net.load_state_dict(first){marker}
        adam.load_state_dict(second)
    for batch in batches:
        adam.zero_grad()
        net(batch).mean().backward()
        adam.step()
    store(net, f"{{out}}/{saved}")
    store(adam, f"{{out}}/adam.npy")
"""


def trainer(written: str, read: str, marker: str = "") -> str:
    """Return a trainer that writes and reads some files."""
    return TRAINER.format(written=written, read=read + marker)


SILENT: dict[str, Case] = {
    "a part of what is restored has a file for other uses": trainer(
        NET
        + ADAM
        + PLAN
        + '\n        torch.save(self.net.body.state_dict(), os.path.join(folder, "body.pt"))',
        GET_NET + GET_ADAM + GET_PLAN,
    ),
    "the same files": trainer(NET + ADAM + PLAN, GET_NET + GET_ADAM + GET_PLAN),
    "a file is a copy of another": trainer(
        NET
        + ADAM
        + PLAN
        + '\n        shutil.copyfile(os.path.join(folder, "net.pt"), os.path.join(folder, "best.pt"))',
        GET_NET.replace("net.pt", "best.pt") + GET_ADAM + GET_PLAN,
    ),
    "a file has a number in its name": SCRIPT.format(
        name="net_9.npy", saved="net_{len(batches)}.npy", marker=""
    ),
    "a file may have any name": SCRIPT.format(name="flow.npy", saved="{out}.npy", marker=""),
    "one of several forms of a file": trainer(
        NET + ADAM + PLAN,
        'state = torch.load(os.path.join(folder, "net.pt"))\n        '
        'if os.path.exists(os.path.join(folder, "net.bin")):\n            '
        'state = torch.load(os.path.join(folder, "net.bin"))\n        '
        "self.net.load_state_dict(state)\n        " + GET_ADAM + GET_PLAN,
    ),
    "a part of the network for other programs": """
import torch
from torch import nn


def main(folder, batches):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    adam = torch.optim.Adam(net.parameters())
    state = torch.load(folder + "/last.pt")
    net.load_state_dict(state["net"])
    adam.load_state_dict(state["adam"])
    for batch in batches:
        adam.zero_grad()
        net(batch).mean().backward()
        adam.step()
    torch.save({"net": net.state_dict(), "adam": adam.state_dict()}, folder + "/last.pt")
    torch.save(net.body.state_dict(), folder + "/body.pt")
""",
    "another function reads it": {
        "train.py": trainer(NET + ADAM + PLAN, GET_NET + GET_ADAM + "pass"),
        "plan.py": 'import torch\n\n\ndef plan(plan):\n    plan.load_state_dict(torch.load("out/plan.pt"))\n',
    },
}
FOUND: dict[str, Case] = {
    "a file is never read": trainer(NET + ADAM + PLAN + "  # CKP203", GET_NET + GET_ADAM + "pass"),
    "a file is never written": trainer(
        NET + ADAM + PLAN,
        GET_NET + GET_PLAN + "\n        " + GET_ADAM.replace("adam.pt", "optimizer.pt").rstrip(),
        "  # CKP202",
    ),
    "a helper writes them, and a script reads another": SCRIPT.format(
        name="flow.npy", saved="net.npy", marker="  # CKP202"
    ),
    "one of three is never written": trainer(
        NET + ADAM + "pass", GET_NET + GET_ADAM + GET_PLAN, "  # CKP202"
    ),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_files_of_one_side(case: Case) -> None:
    check_findings(case)
